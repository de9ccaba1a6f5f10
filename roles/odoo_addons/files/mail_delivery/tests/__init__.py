# SPDX-License-Identifier: LGPL-3.0-or-later
from . import test_addresses, test_bridges, test_envelope, test_ledger, test_pipe, test_push, test_settings  # noqa: F401
