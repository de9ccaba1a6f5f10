# SPDX-License-Identifier: LGPL-3.0-or-later
from . import (  # noqa: F401
    administered,
    mail_alias,
    mail_delivery,
    mail_delivery_bridge,
    mail_delivery_error,
    mail_delivery_ledger,
    mail_delivery_settings,
    mail_delivery_watched,
    mail_thread,
)
