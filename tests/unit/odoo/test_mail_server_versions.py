# SPDX-License-Identifier: GPL-3.0-or-later
"""How each version is told about an outgoing server.

14 and 19 are run by the integration tests. The fields of 15 to 18 are written down here from what was seen on them,
and only what the module makes of them is tested.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._core.apply import apply
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import plan
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.mail_server import MAIL_SERVER
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.store import OdooStore

OLDEST = {"name", "sequence", "active", "smtp_host", "smtp_port", "smtp_user", "smtp_pass", "smtp_debug"}
GMAIL = {"google_gmail_refresh_token", "google_gmail_access_token"}
OUTLOOK = {"microsoft_outlook_refresh_token", "microsoft_outlook_access_token"}
FLAGS = {"use_google_gmail_service", "use_microsoft_outlook_service"}
CERTIFICATE = {"smtp_ssl_certificate", "smtp_ssl_private_key"}
ENCRYPTIONS = ["none", "starttls", "ssl"]


def fields(names: set[str], authentications: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
    """Return what fields_get says, as far as the module looks at it."""
    found: dict[str, dict[str, Any]] = {name: {} for name in names}
    found["smtp_encryption"] = {"selection": [[value, value] for value in ENCRYPTIONS]}
    if authentications:
        found["smtp_authentication"] = {"selection": [[value, value] for value in authentications]}
    return found


SINCE_15 = OLDEST | CERTIFICATE | {"from_filter"}
VERSIONS = {
    "14": fields(OLDEST),
    "late 14": fields(OLDEST | GMAIL | OUTLOOK | FLAGS),
    "15": fields(SINCE_15 | GMAIL | OUTLOOK | FLAGS, ["login", "certificate"]),
    "15 without apps": fields(SINCE_15, ["login", "certificate"]),
    "16": fields(SINCE_15 | GMAIL | OUTLOOK, ["login", "certificate", "gmail", "outlook"]),
    "17": fields(SINCE_15 | GMAIL | OUTLOOK, ["login", "certificate", "cli", "gmail", "outlook"]),
    "18": fields(SINCE_15 | GMAIL | OUTLOOK | {"max_email_size"}, ["login", "certificate", "cli", "gmail", "outlook"]),
}
PLAIN = {"name": "S", "smtp_host": "mail.zoho.com", "smtp_port": 465, "encryption": "ssl"}
ON_GMAIL = {"name": "S", "smtp_authentication": "gmail", "smtp_user": "sales@acme.example"}


class Database:
    """An Odoo of one version with at most one server; `written` is what it was given."""

    def __init__(self, version: str, **record: Any) -> None:
        self.known = VERSIONS[version]
        self.series = version.removeprefix("late ").split()[0] + ".0"
        self.record = record
        self.written: dict[str, Any] = {}

    def version(self) -> str:
        return self.series

    def fields_get(self, model: str) -> dict[str, dict[str, Any]]:
        return self.known

    def search_read(self, model: str, domain: Any, names: Sequence[str]) -> list[dict[str, Any]]:
        assert set(names) <= set(self.known)
        return [{"id": 1, **dict.fromkeys(names, False), **self.record}] if self.record else []

    def create(self, model: str, records: Sequence[dict[str, Any]]) -> list[int]:
        (record,) = records
        assert set(record) <= set(self.known)
        self.written = record
        return [1]

    def write(self, model: str, ids: Sequence[int], values: dict[str, Any]) -> None:
        self.written = values

    def told(self, item: dict[str, Any]) -> dict[str, Any]:
        """Make the server so; return what was written."""
        store = OdooStore(self, MAIL_SERVER)  # type: ignore[arg-type]
        loaded = store.load([MAIL_SERVER.check(item, "server")])
        apply(plan(MAIL_SERVER, loaded.desired, loaded.current), store)
        return self.written


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_a_login_is_nothing_special(version: str) -> None:
    written = Database(version).told({**PLAIN, "smtp_authentication": "login", "smtp_user": "u"})
    flags = dict.fromkeys(FLAGS & set(VERSIONS[version]), False)
    authentication = {} if "14" in version else {"smtp_authentication": "login"}
    assert written == {
        "name": "S", "smtp_host": "mail.zoho.com", "smtp_port": 465, "smtp_encryption": "ssl", "smtp_user": "u",
        **flags, **authentication,
    }  # fmt: skip


@pytest.mark.parametrize("version", ["late 14", "15", "16", "17", "18"])
def test_gmail_is_a_boolean_or_a_value(version: str) -> None:
    written = Database(version).told(ON_GMAIL)
    expected = {
        "name": "S", "smtp_user": "sales@acme.example", "from_filter": "sales@acme.example",
        "smtp_host": "smtp.gmail.com", "smtp_port": 587, "smtp_encryption": "starttls",
    }  # fmt: skip
    service = {"use_google_gmail_service": True, "use_microsoft_outlook_service": False}
    if version == "late 14":
        del expected["from_filter"]
        assert written == {**expected, **service}
    elif version == "15":
        assert written == {**expected, "smtp_authentication": "login", **service}
    else:
        assert written == {**expected, "smtp_authentication": "gmail"}


def test_leaving_gmail_takes_the_boolean_and_the_consent_away() -> None:
    stored = {
        "name": "S", "smtp_authentication": "login", "use_google_gmail_service": True, "smtp_encryption": "starttls",
        "smtp_user": "sales@acme.example", "google_gmail_refresh_token": "r", "google_gmail_access_token": "a",
    }  # fmt: skip
    assert Database("15", **stored).told({"name": "S", "smtp_authentication": "login"}) == {
        "use_google_gmail_service": False,
        "google_gmail_refresh_token": False,
        "google_gmail_access_token": False,
    }
    assert Database("15", **stored).told({"name": "S", "smtp_authentication": "gmail"}) == {}


@pytest.mark.parametrize(
    ("version", "change", "message"),
    [
        ("14", {"from_filter": ["acme.example"]}, "from_filter cannot be set to ['acme.example']: Odoo 14.0's ir"),
        ("14", {"smtp_authentication": "certificate"}, "cannot be set to 'certificate': Odoo 14.0's ir"),
        ("15 without apps", {"smtp_authentication": "gmail", "verify": None, "encryption": "starttls",
                             "smtp_port": 587, "smtp_user": "u@acme.example"},
         "smtp_authentication is 'gmail': Odoo 15.0 knows only login, certificate"),
        ("15", {"from_filter": ["a.example", "b.example"]}, "from_filter has 2 parts (a.example, b.example), and this"),
        ("16", {"from_filter": ["a.example", "b.example"]}, "and this Odoo knows no list there (17 and later do)"),
        ("16", {"smtp_authentication": "cli"}, "is 'cli': Odoo 16.0 knows only login, certificate, gmail, outlook"),
        ("17", {"max_email_size": 5.0}, "max_email_size cannot be set to 5.0: Odoo 17.0's ir.mail_server has no field"),
        ("18", {"owner": "mary"}, "owner cannot be set to 'mary': Odoo 18.0's ir.mail_server has no field"),
    ],
)  # fmt: skip
def test_what_a_version_lacks_is_refused(version: str, change: dict[str, Any], message: str) -> None:
    database = Database(version)
    with pytest.raises(ValidationError) as refused:
        database.told({**PLAIN, **change})
    assert refused.value.message.startswith("mail server S: ")
    assert message in refused.value.message
    assert not database.written


def test_what_a_version_has_is_written() -> None:
    assert Database("17").told({**PLAIN, "from_filter": ["b.example", "a.example"]})["from_filter"] == (
        "a.example,b.example"
    )
    assert Database("15").told({**PLAIN, "from_filter": ["a.example"]})["from_filter"] == "a.example"
    assert Database("18").told({**PLAIN, "max_email_size": 5})["max_email_size"] == 5.0
    assert Database("17").told({"name": "S", "smtp_authentication": "cli"}) == {
        "name": "S",
        "smtp_authentication": "cli",
    }


@pytest.mark.parametrize(
    "given",
    [
        "-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n",
        r"-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n",
        "-----BEGIN RSA PRIVATE KEY-----\ncanary\n-----END RSA PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\nx\n",
    ],
    ids=["alone", "in one line", "beside the certificate"],
)
def test_a_private_key_in_the_certificates_place_is_refused_and_not_shown(given: str) -> None:
    with pytest.raises(ValidationError, match="smtp_ssl_certificate") as caught:
        MAIL_SERVER.check({"name": "S", "smtp_ssl_certificate": given}, "server")
    assert "canary" not in caught.value.text()
    assert "smtp_ssl_private_key" in caught.value.text()
