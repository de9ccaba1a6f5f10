# SPDX-License-Identifier: LGPL-3.0-or-later
from . import test_addresses, test_envelope, test_ledger, test_pipe  # noqa: F401
