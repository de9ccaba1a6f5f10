# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Odoo a server runs, asked without a login."""

from __future__ import annotations

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ProtocolError, ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.http import Http


def series(http: Http) -> str:
    """Return the series, such as `19.0`, by the JSON-RPC call that every supported version answers."""
    params = {"service": "common", "method": "version", "args": []}
    status, answer = http.post_json("/jsonrpc", {"jsonrpc": "2.0", "id": 1, "method": "call", "params": params})
    try:
        return str(answer["result"]["server_serie"])
    except (KeyError, TypeError):
        raise ProtocolError(
            f"{http.base_url}/jsonrpc answered HTTP {status} and does not say which Odoo it is",
            "Check that the URL is Odoo's.",
        ) from None


def require(wanted: int, found: str) -> None:
    """Raise ValidationError if a database of the series `found` is not of the version that is wanted."""
    if major(found) != wanted:
        raise ValidationError(
            f"the settings are for Odoo {wanted}, and this database is of Odoo {found}",
            "Name the database's version (odoo.version in a policy), and see what is different there.",
        )


def major(series_name: str) -> int:
    """Return the number of a series: 19 for `19.0`, 18 for `saas~18.2`."""
    return int(series_name.rpartition("~")[2].partition(".")[0])
