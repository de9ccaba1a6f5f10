# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""System parameters: `ir.config_parameter`, read and written as records (get_param and set_param go after 19)."""

from __future__ import annotations

from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Field
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resource import OdooResource


def _parameter(value: Field) -> OdooResource:
    return OdooResource(
        model="ir.config_parameter",
        label="system parameter",
        plural="system_parameters",
        key=("key",),
        fields=(Field("key"), value),
    )


SYSTEM_PARAMETER = _parameter(Field("value", required=True))
SECRET_PARAMETER = _parameter(Field("secret_value", wire="value", required=True, secret=True))
