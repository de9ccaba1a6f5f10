# SPDX-License-Identifier: LGPL-3.0-or-later
from . import mail_alias, mail_delivery, mail_delivery_ledger, mail_thread  # noqa: F401
