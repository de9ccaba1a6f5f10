# SPDX-License-Identifier: GPL-3.0-or-later
"""Incoming servers on the versions that do not run here (15 to 18), by what their fields_get says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._core.apply import Outcome
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import TemporaryError, ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Change, Existing, plan
from ansible_collections.mailops.odoo.plugins.module_utils._core.spec import Record
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import confirmation
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.client import OdooClient
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resource import Known
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.incoming_server import INCOMING_SERVER

PLAIN = [("imap", "IMAP Server"), ("pop", "POP Server"), ("local", "Local Server")]
OAUTH = [("gmail", "Gmail OAuth Authentication"), ("outlook", "Outlook OAuth Authentication")]
# With the apps for both providers: 15 (and late 14) have flags, 16 to 18 further types.
VERSIONS: dict[str, dict[str, Any]] = {
    "15": {
        "server_type": {"selection": PLAIN},
        "use_google_gmail_service": {},
        "use_microsoft_outlook_service": {},
    },
    "16": {"server_type": {"selection": PLAIN + OAUTH}},
    "17": {"server_type": {"selection": PLAIN + OAUTH}},
    "18": {"server_type": {"selection": PLAIN + OAUTH}},
}
GMAIL = {"name": "G", "server_type": "gmail", "user": "acme@gmail.example", "google_gmail_refresh_token": "canary-t"}


def created(version: str, item: Record) -> Record:
    """Return what is written for a new server."""
    prepared, _warnings = INCOMING_SERVER.prepare(item, Known(VERSIONS[version], {}))
    (change,) = plan(INCOMING_SERVER, [prepared], [])
    return change.values


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_a_gmail_server_as_the_version_says_it(version: str) -> None:
    written = created(version, GMAIL)
    says = {name: written.get(name) for name in ("server_type", "use_google_gmail_service")}
    as_flag = {"server_type": "imap", "use_google_gmail_service": True}
    assert says == (as_flag if version == "15" else {"server_type": "gmail", "use_google_gmail_service": None})
    assert (written["server"], written["port"], written["is_ssl"]) == ("imap.gmail.com", 993, True)
    assert written["confirmed"] is True


@pytest.mark.parametrize("version", sorted(VERSIONS))
@pytest.mark.parametrize(
    "item", [GMAIL, {"name": "I", "server_type": "imap", "server": "a", "user": "u", "password": "canary-p"}]
)
def test_what_is_exported_changes_nothing(version: str, item: Record) -> None:
    known = Known(VERSIONS[version], {})
    record = created(version, item)
    exported = INCOMING_SERVER.exported(record, known)
    assert exported
    assert exported["server_type"] == item["server_type"]
    prepared, _warnings = INCOMING_SERVER.prepare(exported, known)
    assert plan(INCOMING_SERVER, [prepared], [Existing(4, record)]) == []


@pytest.mark.parametrize("version", sorted(VERSIONS))
def test_without_consent_nothing_is_confirmed(version: str) -> None:
    written = created(version, {"name": "O", "server_type": "outlook", "user": "acme@outlook.example"})
    assert "confirmed" not in written
    assert confirmation.lacks_consent(written)


def test_a_server_that_leaves_gmail_loses_the_flag() -> None:
    item = {"name": "G", "server_type": "imap"}
    prepared, _warnings = INCOMING_SERVER.prepare(item, Known(VERSIONS["15"], {}))
    there = {"server_type": "imap", "use_google_gmail_service": True, "use_microsoft_outlook_service": False}
    (change,) = plan(INCOMING_SERVER, [prepared], [Existing(4, {"name": "G", "confirmed": True, **there})])
    assert change.values == {"use_google_gmail_service": False}


def test_odoos_newer_token_is_not_overwritten() -> None:
    there = {"name": "O", "server_type": "outlook", "microsoft_outlook_refresh_token": "canary-new", "confirmed": True}
    wanted = {"name": "O", "microsoft_outlook_refresh_token": "canary-old"}
    assert plan(INCOMING_SERVER, [wanted], [Existing(4, there)]) == []


class Broken:
    """An Odoo that answers nothing any more."""

    def call(self, model: str, method: str, ids: Sequence[int], **kwargs: Any) -> Any:
        raise TemporaryError("no answer: canary-password")

    def write(self, ids: Sequence[int], values: Record) -> None:
        raise TemporaryError("no answer")


def test_what_could_not_be_put_back_counts_as_applied_and_is_told() -> None:
    before = {"name": "C", "server_type": "imap", "server": "a", "port": 993, "is_ssl": True, "user": "u"}
    change = Change("update", "C", {"password": "canary-password"}, before, 4)
    outcome = Outcome([change])
    broken = Broken()
    confirmation.confirm(INCOMING_SERVER, cast(OdooClient, broken), cast(Any, broken), outcome)
    assert outcome.applied == [change]
    assert outcome.error
    assert outcome.error.message == (
        "Odoo could not log in to a:993 (imap, TLS) as u: no answer: (hidden). "
        "It could not be put back and stays changed: no answer"
    )


def test_a_login_that_fails_after_a_write_that_failed_is_told_too() -> None:
    change = Change("update", "C", {"password": "canary-password"}, {"name": "C", "server_type": "imap"}, 4)
    outcome = Outcome([change], error=ValidationError("Odoo refused it."))
    broken = Broken()
    confirmation.confirm(INCOMING_SERVER, cast(OdooClient, broken), cast(Any, broken), outcome)
    assert outcome.error
    assert outcome.error.message.startswith("Odoo refused it. incoming server C: Odoo could not log in to")
