# SPDX-License-Identifier: GPL-3.0-or-later
"""Aliases on every version: each field, what Odoo would refuse only when mail arrives, and those that a record owns."""

from __future__ import annotations

from typing import Any

import pytest
from support.machines import Odoo
from support.modules import recorded, run_module, warned
from support.steps import READS, refused, step

pytestmark = pytest.mark.integration

ROLES = {"bounce_alias": "bounce", "catchall_alias": "catchall"}
LEAD = {"alias_model": "crm.lead"}


@pytest.fixture(scope="module", autouse=True)
def alias_domain(any_odoo: Odoo) -> None:
    """The database's only alias domain."""
    assert run_module("alias_domain", {**any_odoo.connection(), "name": "acme.example", **ROLES})["changed"]


def alias(odoo: Odoo, changed: bool, name: str, **options: Any) -> dict[str, Any]:
    """Predict and do one step of an alias."""
    return step(odoo, "mail_alias", changed, alias_name=name, **options)


def told(odoo: Odoo, name: str, **options: Any) -> str:
    """Return why a step of an alias is refused."""
    return refused(odoo, "mail_alias", alias_name=name, **options).removesuffix(" Nothing was written.")


def shown(odoo: Odoo, name: str) -> dict[str, Any]:
    """Return what mail_alias_info tells of an alias."""
    (record,) = run_module("mail_alias_info", {**odoo.connection(), "names": [name]})["records"]
    found: dict[str, Any] = record
    return found


def team(odoo: Odoo, **values: Any) -> tuple[int, int]:
    """Return the ids of a new sales team and of the alias that Odoo makes with it."""
    number = odoo.call("crm.team", "create", values)
    return number, odoo.call("crm.team", "read", [number], ["alias_id"])[0]["alias_id"][0]


def test_every_field(any_odoo: Odoo) -> None:
    (partner,) = any_odoo.call("res.partner", "search", [["name", "=", "My Company"]])
    (sales,) = any_odoo.call("crm.team", "search", [["name", "=", "Sales"]])
    values: dict[str, Any] = {
        "alias_model": "res.partner",
        "alias_defaults": {"active": True, "comment": "by mail", "parent_id": partner},
        "alias_contact": "partners",
        "alias_force_thread_id": partner,
        "alias_parent_model": "crm.team",
        "alias_parent_thread_id": sales,
        "alias_bounced_content": "Only <b>us</b> & friends<br/>may write,\n  or <a href='mailto:a@b.example'>ask</a>",
    }
    alias(any_odoo, True, "Every", **values)
    alias(any_odoo, False, "every", **values)
    stored = '<p>Only <b>us</b> &amp; friends<br>may write, or <a href="mailto:a@b.example">ask</a></p>'
    expected = {"alias_name": "every", **values, "alias_bounced_content": stored}
    record = shown(any_odoo, "EVERY")
    assert {key: record[key] for key in expected} == expected
    cleared = dict.fromkeys([
        "alias_defaults", "alias_force_thread_id", "alias_parent_model", "alias_parent_thread_id",
        "alias_bounced_content",
    ])  # fmt: skip
    alias(any_odoo, True, "every", **cleared)
    alias(any_odoo, False, "every", **cleared)
    record = shown(any_odoo, "every")
    assert {key: record[key] for key in cleared} == cleared
    alias(any_odoo, True, "every", state="absent")
    alias(any_odoo, False, "every", state="absent")


def test_what_only_some_versions_have(any_odoo: Odoo) -> None:
    here, elsewhere = ("alias_incoming_local", "alias_user") if any_odoo.name == "odoo" else (
        "alias_user", "alias_incoming_local"
    )  # fmt: skip
    given: dict[str, Any] = {"alias_incoming_local": True, "alias_user": "admin"}
    alias(any_odoo, True, "some", **LEAD, **{here: given[here]})
    alias(any_odoo, False, "some", **{here: given[here]})
    assert shown(any_odoo, "some")[here] == given[here]
    assert "alias_status" in shown(any_odoo, "some") or any_odoo.name == "odoo14"
    version = "14.0" if any_odoo.name == "odoo14" else "19.0"
    assert (
        f": {elsewhere} cannot be set to {given[elsewhere]!r}: Odoo {version}'s mail.alias has no field {elsewhere}"
    ) in told(any_odoo, "some", **{elsewhere: given[elsewhere]})


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a model without mail": ({"alias_model": "res.country"}, "which takes no mail: it has no mail.thread"),
    "a default of a wrong type": (
        {**LEAD, "alias_defaults": {"team_id": "Sales"}},
        "alias_defaults.team_id is 'Sales', which is no id of a record: its type is many2one",
    ),
    "yes for a number": (
        {**LEAD, "alias_defaults": {"color": True}},
        "alias_defaults.color is True, which is no whole number: its type is integer",
    ),
    "an unknown choice": (
        {**LEAD, "alias_defaults": {"type": "led"}},
        "alias_defaults.type is 'led': this Odoo knows only lead, opportunity",
    ),
    "a record that is not there": (
        {**LEAD, "alias_defaults": {"team_id": 4711}},
        "alias_defaults.team_id is 4711: this Odoo has no such record of crm.team",
    ),
    "a linked record that is not there": (
        {**LEAD, "alias_defaults": {"tag_ids": [[6, 0, []], [4, 4711]]}},
        "alias_defaults.tag_ids is 4711: this Odoo has no such record of crm.tag",
    ),
    "linked records that are not there": (
        {**LEAD, "alias_defaults": {"tag_ids": [[6, 0, [4711]]]}},
        "alias_defaults.tag_ids is 4711: this Odoo has no such record of crm.tag",
    ),
    "a list of which one is not there": (
        {**LEAD, "alias_defaults": {"tag_ids": [4711]}},
        "alias_defaults.tag_ids is 4711: this Odoo has no such record of crm.tag",
    ),
    "a name that is too long for an address": ({"alias_name": "a" * 65, **LEAD}, "longer than the 64 characters"),
    "a thread that is not there": (
        {**LEAD, "alias_force_thread_id": 4711},
        "alias_force_thread_id is 4711: this Odoo has no such record of crm.lead",
    ),
    "a parent's id alone": (
        {**LEAD, "alias_parent_thread_id": 1},
        "alias_parent_thread_id needs alias_parent_model",
    ),
    "defaults without their model": (
        {"alias_defaults": {"type": "lead"}},
        "alias.alias_defaults needs alias_model beside it, to be checked against it",
    ),
    "HTML that Odoo rewrites": (
        {**LEAD, "alias_bounced_content": "<script>no</script>"},
        "alias.alias_bounced_content is '<script>no</script>': only <p>, <ul>",
    ),
    "an owner of a wrong form": (
        {"owner": {"model": "crm.team", "id": "1"}},
        "an owner has a model and a name, and nothing else",
    ),
    "an owner that is not there": (
        {"owner": {"model": "crm.team", "name": "Nobody"}},
        "owner: this Odoo has no crm.team 'Nobody'",
    ),
    "an owner of no model": (
        {"owner": {"model": "crm.taem", "name": "Sales"}},
        "owner: this Odoo has no model crm.taem whose records have an alias",
    ),
    "an owner without an alias": (
        {"owner": {"model": "res.country", "name": "Belgium"}},
        "owner: this Odoo has no model res.country whose records have an alias",
    ),
}


def test_what_would_fail_later_is_refused_before_anything_is_written(any_odoo: Odoo) -> None:
    with recorded(any_odoo.url, any_odoo.ca_file) as (url, calls):
        connection = {**any_odoo.connection(), "odoo_url": url}
        for case, (options, text) in REFUSED.items():
            result = run_module("mail_alias", {**connection, "alias_name": "x", **options})
            assert result.get("failed"), case
            assert text in result["msg"], case
    assert {method for _model, method in calls} <= READS


def test_an_alias_domain_that_is_not_there(any_odoo: Odoo) -> None:
    """Check mode takes it for granted that an earlier task would have made it."""
    options = {**any_odoo.connection(), "alias_name": "x", **LEAD, "alias_domain": "other.example"}
    result = run_module("mail_alias", options)
    assert result["failed"]
    assert "alias_domain is 'other.example': this Odoo has" in result["msg"]
    (warning,) = warned(run_module("mail_alias", options, check=True))
    assert "check mode takes it for granted" in warning


@pytest.mark.parametrize("role", ["bounce", "catchall"])
def test_bounce_and_catchall_are_no_aliases(any_odoo: Odoo, role: str) -> None:
    assert f"is the {role} address of its alias domain. Mail to it never makes a record" in told(any_odoo, role, **LEAD)


def test_a_name_that_14_to_16_would_change(any_odoo: Odoo) -> None:
    if any_odoo.name == "odoo":
        alias(any_odoo, True, "r&d", **LEAD)
        alias(any_odoo, False, "r&d", **LEAD)
    else:
        assert told(any_odoo, "r&d", **LEAD) == (
            "alias r&d: alias_name is 'r&d': this Odoo would make 'r-d' of it. Write it like that."
        )


def test_a_team_s_alias_gets_its_name_and_no_second_one_is_made(any_odoo: Odoo) -> None:
    number, owned = team(any_odoo, name="Exports")
    any_odoo.call("mail.alias", "write", [owned], {"alias_name": False})
    total = any_odoo.call("mail.alias", "search_count", [])
    owner = {"model": "crm.team", "name": "Exports"}
    done = alias(any_odoo, True, "exports", owner=owner, alias_contact="partners")
    assert [change["action"] for change in done["changes"]] == ["update"]
    alias(any_odoo, False, "exports", owner=owner, alias_contact="partners")
    assert any_odoo.call("mail.alias", "search_count", []) == total
    (stored,) = any_odoo.call("crm.team", "read", [number], ["alias_id", "alias_name", "alias_contact"])
    assert (stored["alias_id"][0], stored["alias_name"], stored["alias_contact"]) == (owned, "exports", "partners")
    # Another name for it is a rename, of which the sender of mail to the old one should know.
    done = alias(any_odoo, True, "abroad", owner=owner)
    assert "mail to the old address is not taken any more" in warned(done)[0]
    alias(any_odoo, True, "taken", **LEAD)
    assert "alias taken" in told(any_odoo, "taken", owner=owner)
    assert "and is not that of crm.team 'Exports'" in told(any_odoo, "taken", owner=owner)


def test_an_empty_name_is_none(any_odoo: Odoo) -> None:
    """14 stores it for a team that never had one."""
    _number, owned = team(any_odoo, name="Quiet")
    any_odoo.sql("UPDATE mail_alias SET alias_name = NULL WHERE alias_name = ''")
    any_odoo.sql(f"UPDATE mail_alias SET alias_name = '' WHERE id = {owned}")
    done = alias(any_odoo, True, "quiet", owner={"model": "crm.team", "name": "Quiet"})
    assert done["changes"][0]["before"]["alias_name"] is None
    assert warned(done) == []


def test_a_record_s_own_alias_loses_its_name_instead_of_being_deleted(any_odoo: Odoo) -> None:
    _number, owned = team(any_odoo, name="Imports", alias_name="imports")
    alias(any_odoo, True, "imports", state="absent")
    alias(any_odoo, False, "imports", state="absent")
    assert any_odoo.call("mail.alias", "read", [owned], ["alias_name"])[0]["alias_name"] is False
    # Found by its owner, it is there still; without a name there is nothing left to do.
    alias(any_odoo, False, "imports", owner={"model": "crm.team", "name": "Imports"}, state="absent")


def test_prune_leaves_what_a_record_owns_and_what_has_no_name(any_odoo: Odoo) -> None:
    _number, owned = team(any_odoo, name="Kept", alias_name="kept")
    unnamed = any_odoo.call("mail.alias", "search", [["alias_name", "=", False]])
    assert unnamed
    step(any_odoo, "mail_aliases", True, aliases=[{"alias_name": "only", **LEAD}], prune=True)
    step(any_odoo, "mail_aliases", False, aliases=[{"alias_name": "only", **LEAD}], prune=True)
    left = any_odoo.call("mail.alias", "search_read", [], ["alias_name", "alias_parent_thread_id"])
    assert {record["id"] for record in left} >= {owned, *unnamed}
    free = {record["alias_name"] for record in left if record["alias_name"] and not record["alias_parent_thread_id"]}
    assert free == {"only"}


def test_owners_and_named_records_cost_a_read_per_model(any_odoo: Odoo) -> None:
    numbers = [team(any_odoo, name=f"Team {number}")[0] for number in range(4)]

    def reads(count: int) -> list[tuple[str, str]]:
        owned = [{"alias_name": f"team-{n}", "owner": {"model": "crm.team", "name": f"Team {n}"}} for n in range(count)]
        free = [{"alias_name": f"free-{n}", **LEAD, "alias_defaults": {"team_id": numbers[n]}} for n in range(count)]
        with recorded(any_odoo.url, any_odoo.ca_file) as (url, calls):
            options = {**any_odoo.connection(), "odoo_url": url, "aliases": owned + free}
            assert not run_module("mail_aliases", options, check=True).get("failed")
        return calls

    assert reads(4) == reads(1)
