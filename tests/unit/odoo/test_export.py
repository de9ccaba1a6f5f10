# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in Odoo, as a policy says it. The fields of 17 are written from its documentation, not read from one."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Existing
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.export import Section, held, section
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resource import Known, Loaded
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.mail_alias import MAIL_ALIAS
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.mail_server import MAIL_SERVER
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.system_parameter import KnownParameters

SERVER = {"name": "Zoho", "active": True, "smtp_host": "mail.zoho.com", "smtp_port": 465, "encryption": "ssl"}


def known(*encryptions: str) -> Known:
    return Known({"smtp_encryption": {"selection": [(value, value) for value in encryptions]}}, {})


ODOO_19 = known("none", "starttls", "starttls_strict", "ssl", "ssl_strict")
ODOO_17 = known("none", "starttls", "ssl")


def loaded(*records: dict[str, Any], known: Known = ODOO_19) -> Loaded:
    current = [Existing(number, {**SERVER, **record}) for number, record in enumerate(records, 1)]
    return Loaded([], current, [], known)


def exported(**found: Loaded) -> Section:
    nothing = Loaded([], [], [])
    return section({"parameters": nothing, "servers": nothing, **found})


@pytest.mark.parametrize(
    ("known", "stored", "encryption", "verify"),
    [
        (ODOO_19, "ssl_strict", "ssl", True),
        (ODOO_19, "ssl", "ssl", False),
        (ODOO_19, "none", "none", None),
        (ODOO_17, "ssl", "ssl", None),
    ],
)
def test_encryption_comes_back_as_it_was(known: Known, stored: str, encryption: str, verify: bool | None) -> None:
    (record,) = held(MAIL_SERVER, loaded({"encryption": stored}, known=known))
    assert (record.item["encryption"], record.item.get("verify")) == (encryption, verify)
    if encryption != "none" and verify is not None:
        assert MAIL_SERVER.prepare(record.item, known)[0]["encryption"] == stored


def test_what_a_new_record_has_anyway_is_left_out() -> None:
    values = {"encryption": "ssl_strict", "smtp_authentication": "login", "smtp_user": None}
    (item,) = exported(servers=loaded(values)).policy["servers"]
    assert item == {"name": "Zoho", "smtp_host": "mail.zoho.com", "smtp_port": 465, "encryption": "ssl"}


def test_each_secret_has_a_variable_of_its_own() -> None:
    names = ["Zoho", "zoho!", "Überall"]
    result = exported(servers=loaded(*({"name": name, "smtp_pass": f"p-{name}"} for name in names)))
    assert result.secrets == {
        "vault_odoo_servers_zoho_smtp_pass": "p-Zoho",
        "vault_odoo_servers_zoho_smtp_pass_2": "p-zoho!",
        "vault_odoo_servers_berall_smtp_pass": "p-Überall",
    }
    references = {item["name"]: item["smtp_pass"] for item in result.policy["servers"]}
    assert references["zoho!"] == "{{ vault_odoo_servers_zoho_smtp_pass_2 }}"


def test_what_a_policy_cannot_hold_is_left_out_and_told() -> None:
    servers = loaded({"name": "Twin"}, {"name": "Twin"}, {"name": "Odd", "smtp_port": 587}, {"name": "Fine"})
    result = exported(servers=servers)
    assert [item["name"] for item in result.policy["servers"]] == ["Fine"]
    assert result.left_out == [
        "mail server Twin: several records have this name",
        "mail server Odd: port 587 does not go with encryption ssl. Port 587 takes starttls; 465 is for ssl, "
        "587 and 2525 are for starttls.",
    ]


def test_a_name_that_would_be_written_differently_would_make_a_second_record() -> None:
    alias = {"alias_name": "Sales", "alias_domain": "acme.example", "alias_model": "crm.lead"}
    domains = Known({}, {"alias_domain": {"acme.example": 1}})
    result = exported(aliases=Loaded([], [Existing(1, alias)], [], domains))
    assert result.policy == {}
    assert result.left_out == ["alias Sales @ acme.example: a policy would change its alias_name"]


def test_aliases_without_a_name_or_astray_are_no_matter_of_a_policy() -> None:
    unnamed = Existing(1, {"alias_name": None, "alias_domain": "acme.example", "alias_model": "crm.lead"})
    astray = Existing(2, {"alias_name": "sales", "alias_domain": None, "alias_model": "crm.lead"})
    some = Known({}, {"alias_domain": {"acme.example": 1}})
    assert held(MAIL_ALIAS, Loaded([], [unnamed, astray], [], some)) == []
    none = Known({}, {"alias_domain": {}})
    assert [one.record.id for one in held(MAIL_ALIAS, Loaded([], [unnamed, astray], [], none))] == [2]


def test_the_server_of_email_marketing_is_named_if_the_policy_has_it() -> None:
    def parameters(server: int, switched: str = "True") -> Loaded:
        values = {"mass_mailing.outgoing_mail_server": switched, "mass_mailing.mail_server_id": str(server)}
        records = [Existing(number, {"key": key, "value": value}) for number, (key, value) in enumerate(values.items())]
        return Loaded([], records, [], KnownParameters({}, {}))

    servers = loaded({"name": "Zoho"}, {"name": "Odd", "smtp_port": 587})
    assert exported(servers=servers, parameters=parameters(1)).policy["mass_mailing_server"] == "Zoho"
    for other in (parameters(2), parameters(3), parameters(1, "yes")):
        assert set(exported(servers=servers, parameters=other).policy) == {"servers"}
