# SPDX-License-Identifier: GPL-3.0-or-later
"""What each version of Odoo reads. 14 and 19 also run for real; 15 to 18 are written from their documented fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    MailopsError,
    NotFoundError,
    ValidationError,
)
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import addresses
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.allowed_sender import ALLOWED_SENDER
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.company_mail import COMPANY_MAIL
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.mail_parameters import is_secret, meaning
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.system_parameter import SYSTEM_PARAMETER
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.user_mail import USER_MAIL

# model → field → the first series that has it
SINCE = {
    "ir.config_parameter": {"key": 14, "value": 14},
    "ir.mail_server": {"name": 14, "active": 14, "from_filter": 15, "owner_user_id": 19},
    "mail.gateway.allowed": {"email": 16, "email_normalized": 16},
    "mail.alias.domain": {"name": 17},
    "res.company": {"name": 14, "email": 14, "alias_domain_id": 17},
}
SERIES = range(14, 20)


class Fields:
    """An empty database of a series: it knows its fields, and takes notes of nothing else."""

    database = "fields"

    def __init__(self, series: int) -> None:
        self.series = series

    def version(self) -> str:
        return f"{self.series}.0"

    def fields_get(self, model: str) -> dict[str, dict[str, Any]]:
        return {name: {"type": "char"} for name, since in SINCE[model].items() if since <= self.series}

    def search_read(self, model: str, domain: Sequence[Any], fields: Sequence[str]) -> list[dict[str, Any]]:
        if model == "ir.model":
            wanted = domain[0][2]
            return [{"id": 1, "model": wanted}] if self.fields_get(wanted) else []
        if model != "ir.model.fields":
            return []
        (_model, _in, models), (_name, _in, names) = domain
        return [
            {"id": 1, "model": model, "name": name}
            for model, known in SINCE.items()
            for name, since in known.items()
            if model in models and name in names and since <= self.series
        ]


def told(series: int, item: Mapping[str, Any]) -> str:
    """Return what a series says to a parameter: the error, the warnings, or nothing."""
    try:
        loaded = SYSTEM_PARAMETER.open(Fields(series)).load([SYSTEM_PARAMETER.check(item, "it")])
    except MailopsError as error:
        return error.text()
    return "; ".join(loaded.warnings)


VALUES = {
    "mail.catchall.domain": "acme.example",
    "mail.catchall.alias": "catchall",
    "mail.bounce.alias": "bounce",
    "mail.default.from": "no-reply",
    "mail.catchall.domain.allowed": "acme.example",
    "mail.default.from_filter": "acme.example",
    "mail.gateway.loop.minutes": "60",
    "mail.gateway.loop.threshold": "50",
    "mail.disable_personal_mail_servers": "True",
    "mail.session.batch.size": "100",
    "mail.mail.queue.batch.size": "100",
    "base_setup.default_external_email_server": "yes",
    "web.base.url.freeze": "1",
    "not.known": "anything",
}
OLD_ALIAS_DOMAIN = {
    **dict.fromkeys((14, 15, 16), "the module alias_domain sets it, and checks more"),
    **dict.fromkeys((17, 18, 19), "this Odoo has mail.alias.domain and does not read it. Use alias_domain."),
}
LIMITS = dict.fromkeys((14, 15), "only Odoo 16 and later reads it. Limit the rate of a sender in Postfix.")
EXPECTED: dict[str, dict[int, str]] = {
    "mail.catchall.domain": OLD_ALIAS_DOMAIN,
    "mail.catchall.alias": OLD_ALIAS_DOMAIN,
    "mail.bounce.alias": OLD_ALIAS_DOMAIN,
    "mail.default.from": OLD_ALIAS_DOMAIN,
    "mail.catchall.domain.allowed": dict.fromkeys((14, 15), "builds of Odoo 14 and 15 from before spring 2023"),
    "mail.default.from_filter": {14: "only Odoo 15 and later reads it"},
    "mail.mail.queue.batch.size": dict.fromkeys((14, 15, 16), "only Odoo 17 and later reads it"),
    "mail.gateway.loop.minutes": LIMITS,
    "mail.gateway.loop.threshold": LIMITS,
    "mail.disable_personal_mail_servers": dict.fromkeys((14, 15, 16, 17, 18), "only Odoo 19 and later reads it"),
}


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("key", sorted(VALUES))
def test_what_a_version_reads(series: int, key: str) -> None:
    said = told(series, {"key": key, "value": VALUES[key]})
    expected = EXPECTED.get(key, {}).get(series, "")
    assert expected in said if expected else said == ""


@pytest.mark.parametrize("series", SERIES)
def test_a_list_where_odoo_takes_one(series: int) -> None:
    said = told(series, {"key": "mail.default.from_filter", "value": "b.example,a.example"})
    if series in (15, 16):
        assert "mail.default.from_filter is 'a.example,b.example': only Odoo 17 and later takes a list" in said
    else:
        assert "takes a list" not in said


@pytest.mark.parametrize("series", SERIES)
def test_no_version_reads_it(series: int) -> None:
    assert "no Odoo from 14 on reads it" in told(series, {"key": "mail.force.smtp.from", "value": "x@acme.example"})


@pytest.mark.parametrize("series", SERIES)
def test_allowed_senders_by_version(series: int) -> None:
    side = ALLOWED_SENDER.open(Fields(series))
    if series >= 16:
        assert side.load([{"email": "a@b.example"}]).current == []
        return
    with pytest.raises(NotFoundError, match=r"no allowed senders \(mail.gateway.allowed\): 16 and later have them"):
        side.load([{"email": "a@b.example"}])


@pytest.mark.parametrize("series", SERIES)
def test_a_companys_alias_domain_by_version(series: int) -> None:
    item = COMPANY_MAIL.check({"name": "Acme", "alias_domain": "Acme.example"}, "company")
    expected = "no field alias_domain_id" if series <= 16 else "this Odoo has no mail.alias.domain 'acme.example'"
    with pytest.raises(MailopsError, match=expected):
        COMPANY_MAIL.open(Fields(series)).load([item])


@pytest.mark.parametrize(
    ("key", "stored", "value"),
    [
        ("mail.default.from_filter", " B.example ,a@A.example,", "a@a.example,b.example"),
        ("web.base.url", "HTTPS://Odoo.example:8443/", "https://odoo.example:8443"),
        ("mail.gateway.loop.minutes", " 0120", "120"),
        ("web.base.url.freeze", "1", "True"),
        # As it is: what has no canonical form, and what is not known.
        ("web.base.url.freeze", "False", "False"),
        ("mail.gateway.loop.minutes", "often", "often"),
        ("not.known", " A, b", " A, b"),
    ],
)
def test_what_a_stored_value_means(key: str, stored: str, value: str) -> None:
    assert meaning(key, stored) == value


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "limit": (
        {"key": "mail.gateway.loop.minutes", "value": "0"},
        "p.value (mail.gateway.loop.minutes) is '0': this must be a whole number from 1 to 525600.",
    ),
    "limit beyond reason": (
        {"key": "mail.gateway.loop.minutes", "value": "9999999999"},
        "is '9999999999': this must be a whole number from 1 to 525600.",
    ),
    "port": ({"key": "web.base.url", "value": "https://acme.example:https"}, "this must be like https://"),
    "brackets": ({"key": "web.base.url", "value": "https://[acme.example"}, "this must be like https://"),
    "filter": (
        {"key": "mail.default.from_filter", "value": "a.example,@b.example"},
        "'@b.example' never matches",
    ),
    "domain": ({"key": "mail.catchall.domain.allowed", "value": "acme"}, "is 'acme': this is no domain name"),
    "no domain": (
        {"key": "mail.catchall.domain.allowed", "value": " , "},
        "list with something in it",
    ),
    "off": (
        {"key": "web.base.url.freeze", "value": False},
        "is 'False': Odoo takes any text here for yes",
    ),
    "address": (
        {"key": "web.base.url", "value": "https://acme.example/odoo"},
        "this must be like https://",
    ),
    "open secret": (
        {"key": "google_gmail_client_secret", "value": "canary"},
        "value (google_gmail_client_secret) is a secret. Give it as secret_value, which is never shown.",
    ),
    "secret's ID": (
        {"key": "microsoft_outlook_client_secret", "secret_value": "0123CA4A-0000-4000-8000-0123456789ab"},
        "(microsoft_outlook_client_secret) this is the secret's ID (a GUID); Odoo needs the secret's value.",
    ),
    "empty": (
        {"key": "x", "value": ""},
        "value (x) is empty. To delete a parameter, say state: absent.",
    ),
    "both": ({"key": "x", "value": "one", "secret_value": "other"}, "(x) has both a value and a secret_value"),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_a_wrong_value_is_refused_without_asking_odoo(case: str) -> None:
    options, text = REFUSED[case]
    with pytest.raises(ValidationError) as caught:
        SYSTEM_PARAMETER.check(options, "p")
    assert text in caught.value.text()
    assert "canary" not in caught.value.text()
    assert "0123CA4A" not in caught.value.text()


@pytest.mark.parametrize(
    ("key", "secret"),
    [
        ("mail_delivery.token", True),
        # What Odoo's own apps (14, 19) keep there.
        ("cloud_storage_google_account_info", True),
        ("google_drive_authorization_code", True),
        ("database.enterprise_code", True),
        ("recaptcha_private_key", True),
        ("google_gmail_client_id", False),
        ("mail.catchall.domain.allowed", False),
        ("auth_signup.invitation_scope", False),
    ],
)
def test_what_is_hidden_by_its_name(key: str, secret: bool) -> None:
    assert is_secret(key) is secret


def test_a_policy_may_write_numbers_and_yes() -> None:
    assert SYSTEM_PARAMETER.check({"key": "mail.batch_size", "value": 50}, "p")["value"] == "50"
    assert SYSTEM_PARAMETER.check({"key": "web.base.url.freeze", "value": True}, "p")["value"] == "True"
    with pytest.raises(
        ValidationError, match=r"p.value \(mail.batch_size\) is '-1': this must be a whole number, 1 or"
    ):
        SYSTEM_PARAMETER.check({"key": "mail.batch_size", "value": -1}, "p")


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(ValidationError, match="company.email is 'office': this is no e-mail address"):
        COMPANY_MAIL.check({"name": "x", "email": "office"}, "company")
    with pytest.raises(ValidationError, match="user.email is 'a@b': this is no domain name"):
        USER_MAIL.check({"login": "x", "email": "a@b"}, "user")
    with pytest.raises(ValidationError, match="sender.email is 'robot': this is no e-mail address"):
        ALLOWED_SENDER.check({"email": "robot"}, "sender")


def test_odoobot_and_an_empty_notification_type() -> None:
    assert USER_MAIL.check({"login": "OdooBot"}, "user") == {"login": "__system__"}
    with pytest.raises(ValidationError, match="user.notification_type cannot be empty"):
        USER_MAIL.check({"login": "x", "notification_type": None}, "user")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, True),
        ("", True),
        ("admin", True),
        ("admin@example.com", True),
        ('"Robot" <odoobot@example.com>', True),
        ("info@yourcompany.example.com", True),
        ("acme@acme.odoo.com", True),
        ("office@acme.example", False),
        ("me@myexample.com", False),
        ("me@notodoo.com", False),
    ],
)
def test_placeholders(value: str | None, expected: bool) -> None:
    assert addresses.is_placeholder(value) is expected
