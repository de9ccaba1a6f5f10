# SPDX-License-Identifier: LGPL-3.0-or-later
from . import controllers, models  # noqa: F401
