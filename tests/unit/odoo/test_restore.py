# SPDX-License-Identifier: GPL-3.0-or-later
"""The way back from what is to what was."""

from __future__ import annotations

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Existing
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.mail_server import MAIL_SERVER
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.system_parameter import SYSTEM_PARAMETER
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.user_mail import USER_MAIL
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.restore import Wanted, way_back

WAS = {"name": "Zoho", "smtp_port": 587, "encryption": "ssl", "from_filter": None}
HAD = Wanted(7, WAS, ["smtp_pass"])


def test_a_record_keeps_its_secret_and_gets_back_what_differs_even_what_a_policy_would_refuse() -> None:
    now = Existing(7, {**WAS, "smtp_port": 465, "from_filter": ["acme.example"], "smtp_pass": "canary"})
    (change,), missing = way_back(MAIL_SERVER, [HAD], [now], 0)
    assert (change.action, change.id) == ("update", 7)
    assert change.values == {"smtp_port": 587, "from_filter": None}
    assert missing == []


def test_a_renamed_record_is_known_by_its_id() -> None:
    (change,), missing = way_back(MAIL_SERVER, [HAD], [Existing(7, {**WAS, "name": "New", "smtp_pass": "canary"})], 0)
    assert (change.action, change.values) == ("update", {"name": "Zoho"})
    assert missing == []


def test_the_name_goes_before_the_id() -> None:
    """After a database was restored from a backup, an id may be another record's."""
    records = [Existing(7, {**WAS, "name": "Another"}), Existing(9, {**WAS, "smtp_pass": "canary"})]
    changes, missing = way_back(MAIL_SERVER, [HAD], records, 1)
    assert [(change.action, change.id) for change in changes] == [("delete", 7)]
    assert missing == []


def test_of_two_with_the_name_the_one_that_was_there_stays() -> None:
    for records in ([Existing(7, WAS), Existing(9, WAS)], [Existing(9, WAS), Existing(7, WAS)]):
        changes, _missing = way_back(MAIL_SERVER, [HAD], records, 1)
        assert [(change.action, change.id) for change in changes] == [("delete", 9)]


def test_a_deleted_record_is_made_again_and_its_secret_named() -> None:
    (change,), missing = way_back(MAIL_SERVER, [HAD], [], 0)
    assert (change.action, change.values) == ("create", {"name": "Zoho", "smtp_port": 587, "encryption": "ssl"})
    assert missing == ["Zoho: smtp_pass"]


def test_what_was_nothing_but_a_secret_cannot_be_made_again() -> None:
    had = Wanted(3, {"key": "google_gmail_client_secret"}, ["secret_value"])
    assert way_back(SYSTEM_PARAMETER, [had], [], 0) == ([], ["google_gmail_client_secret: secret_value"])


def test_no_more_than_the_limit_is_deleted() -> None:
    since = [Existing(number, {"name": f"since {number}"}) for number in (8, 9)]
    with pytest.raises(ValidationError, match=r"2 servers .* more than prune_limit \(1\): since 8, since 9"):
        way_back(MAIL_SERVER, [], since, 1)


def test_a_login_or_a_company_s_name_is_not_put_back() -> None:
    was = Wanted(5, {"login": "anna", "email": "anna@acme.example"}, [])
    now = Existing(5, {"login": "anna@acme.example", "email": "else@acme.example", "share": False})
    (change,), _missing = way_back(USER_MAIL, [was], [now], 0)
    assert (change.name, change.values) == ("anna@acme.example", {"email": "anna@acme.example"})
