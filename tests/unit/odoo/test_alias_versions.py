# SPDX-License-Identifier: GPL-3.0-or-later
"""How each version is told about alias domains and aliases.

14 and 19 are run by the integration tests. The models and fields of 15 to 18 are written down here from what was seen
on them, and only what the modules make of them is tested.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._core.apply import Outcome, apply
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError, ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.plan import Change, plan
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.former_addresses import PARAMETER, remembered
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.markup import simple_html, stored_html
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resource import OdooResource
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.alias_domain import ALIAS_DOMAIN
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.mail_alias import MAIL_ALIAS

ALIAS = {
    "alias_name", "alias_model_id", "alias_defaults", "alias_contact", "alias_force_thread_id", "alias_parent_model_id",
    "alias_parent_thread_id", "alias_bounced_content",
}  # fmt: skip
DOMAIN = {"name", "bounce_alias", "catchall_alias", "default_from", "sequence", "company_ids"}
WITH_PARAMETERS = {"mail.alias": ALIAS | {"alias_user_id"}}
WITH_RECORDS = {
    "mail.alias": ALIAS | {"alias_domain_id", "alias_full_name", "alias_incoming_local", "alias_status"},
    "mail.alias.domain": DOMAIN,
}
VERSIONS = {"15": WITH_PARAMETERS, "16": WITH_PARAMETERS, "17": WITH_RECORDS, "18": WITH_RECORDS}
OLD, NEW = ["15", "16"], ["17", "18"]
ROLES = {"bounce_alias": "bounce", "catchall_alias": "catchall"}
KEEP_DELETE = {"allow_delete": False}


class Database:
    """An Odoo of one version, as far as the modules look at it."""

    database = "prod"

    def __init__(self, version: str) -> None:
        self.models = VERSIONS[version]
        self.series = f"{version}.0"
        self.tables: dict[str, dict[int, dict[str, Any]]] = {
            "res.company": {1: {"name": "One"}, 2: {"name": "Two"}},
            "res.users": {2: {"login": "admin"}},
            "ir.model": {},
            "ir.config_parameter": {},
            "ir.module.module": {},
            "mail.alias": {},
            "mail.alias.domain": {},
        }
        for number, model in enumerate([*self.models, "crm.lead"], 1):
            self.tables["ir.model"][number] = {"model": model, "is_mail_thread": model == "crm.lead"}
        self.calls: list[tuple[str, str]] = []
        self.refused: set[str] = set()

    def version(self) -> str:
        return self.series

    def fields_get(self, model: str) -> dict[str, dict[str, Any]]:
        return {name: {} for name in self.models[model]}

    def search_read(self, model: str, domain: Sequence[Any], names: Sequence[str]) -> list[dict[str, Any]]:
        assert set(names) <= self.models.get(model, set(names))
        return [
            {"id": number, **{name: record.get(name, False) for name in names}}
            for number, record in self.tables[model].items()
            if all(_holds(condition, number, record) for condition in domain)
        ]

    def create(self, model: str, records: Sequence[Mapping[str, Any]]) -> list[int]:
        self._call(model, "create")
        first = model == "mail.alias.domain" and not self.tables[model]
        table = self.tables[model]
        ids = []
        for record in records:
            ids.append(max(table, default=0) + 1)
            table[ids[-1]] = {**record}
            self._assign(ids[-1], record)
        if first:
            for company in self.tables["res.company"].values():
                company.setdefault("alias_domain_id", ids[0])
            self._assign(ids[0], {})
        return ids

    def write(self, model: str, ids: Sequence[int], values: Mapping[str, Any]) -> None:
        self._call(model, "write")
        for number in ids:
            self.tables[model][number].update(values)
            self._assign(number, values)

    def unlink(self, model: str, ids: Sequence[int]) -> None:
        self._call(model, "unlink")
        for number in ids:
            del self.tables[model][number]

    def call(self, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError("nothing else is called")

    def run(self, resource: OdooResource, *items: dict[str, Any], check: bool = False) -> tuple[list[Change], Outcome]:
        """Do what the modules do with these items."""
        side = resource.open(self)
        checked = [resource.check(item, resource.label) for item in items]
        loaded = side.load(checked, check_mode=check)
        changes = plan(resource, loaded.desired, loaded.current)
        resource.guard(self, changes, KEEP_DELETE)
        return changes, apply(changes, side)

    def parameters(self) -> dict[str, Any]:
        return {record["key"]: record["value"] for record in self.tables["ir.config_parameter"].values()}

    def companies(self) -> dict[str, Any]:
        return {record["name"]: record.get("alias_domain_id") for record in self.tables["res.company"].values()}

    def _call(self, model: str, method: str) -> None:
        self.calls.append((model, method))
        if method in self.refused:
            raise ValidationError("refused")

    def _assign(self, domain: int, values: Mapping[str, Any]) -> None:
        """Keep both ends of the link between companies and alias domains, as Odoo does."""
        if "company_ids" in values:
            ((_six, _zero, wanted),) = values["company_ids"]
            for number, company in self.tables["res.company"].items():
                if number in wanted:
                    company["alias_domain_id"] = domain
                elif company.get("alias_domain_id") == domain:
                    del company["alias_domain_id"]
        for number, record in self.tables["mail.alias.domain"].items():
            companies = self.tables["res.company"].items()
            record["company_ids"] = [one for one, company in companies if company.get("alias_domain_id") == number]


def _holds(condition: Any, number: int, record: Mapping[str, Any]) -> bool:
    name, operator, wanted = condition
    value = number if name == "id" else record.get(name, False)
    return bool({"=": value == wanted, "!=": value != wanted, "in": operator == "in" and value in wanted}[operator])


@pytest.mark.parametrize("version", OLD)
def test_the_only_alias_domain_is_in_the_parameters(version: str) -> None:
    odoo = Database(version)
    odoo.create("ir.config_parameter", [{"key": "mail.catchall.alias", "value": "catchall"}])
    _changes, outcome = odoo.run(ALIAS_DOMAIN, {"name": "Acme.example", **ROLES, "default_from": "no-reply"})
    assert outcome.error is None
    assert odoo.parameters() == {
        "mail.catchall.domain": "acme.example",
        "mail.catchall.alias": "catchall",
        "mail.bounce.alias": "bounce",
        "mail.default.from": "no-reply",
    }
    assert odoo.run(ALIAS_DOMAIN, {"name": "acme.example", **ROLES, "default_from": "no-reply"})[0] == []
    with pytest.raises(ValidationError, match=rf"other.example: Odoo {version}.0 has one alias domain only"):
        odoo.run(ALIAS_DOMAIN, {"name": "other.example", **ROLES})
    odoo.run(ALIAS_DOMAIN, {"name": "acme.example", "default_from": None, "catchall_alias": "replies",
                            "former_catchall_aliases": ["catchall"]})  # fmt: skip
    assert "mail.default.from" not in odoo.parameters()
    assert json.loads(odoo.parameters()[PARAMETER]) == {"catchall@acme.example": "replies@acme.example"}


@pytest.mark.parametrize("version", OLD)
def test_of_several_parameters_a_part_may_be_written_when_one_is_refused(version: str) -> None:
    odoo = Database(version)
    odoo.create("ir.config_parameter", [{"key": "mail.catchall.alias", "value": "all"}])
    odoo.refused = {"create"}
    _changes, outcome = odoo.run(ALIAS_DOMAIN, {"name": "acme.example", **ROLES})
    assert [change.name for change in outcome.uncertain] == ["acme.example"]
    odoo.refused = {"write"}
    odoo.calls.clear()
    _changes, outcome = odoo.run(ALIAS_DOMAIN, {"name": "acme.example", "bounce_alias": "b", "catchall_alias": "c"})
    assert (outcome.failed is not None, outcome.uncertain) == (True, [])


@pytest.mark.parametrize("version", NEW)
def test_the_first_alias_domain_is_for_all_companies_and_the_plan_says_so(version: str) -> None:
    odoo = Database(version)
    (change,), _outcome = odoo.run(ALIAS_DOMAIN, {"name": "acme.example", **ROLES})
    assert change.values["companies"] == ["One", "Two"]
    assert odoo.companies() == {"One": 1, "Two": 1}
    assert odoo.calls == [("mail.alias.domain", "create")]
    assert odoo.run(ALIAS_DOMAIN, {"name": "acme.example", **ROLES, "companies": ["Two", "One"]})[0] == []


@pytest.mark.parametrize("version", NEW)
def test_the_first_alias_domain_is_taken_from_the_companies_that_are_not_named(version: str) -> None:
    odoo = Database(version)
    _changes, outcome = odoo.run(ALIAS_DOMAIN, {"name": "acme.example", **ROLES, "companies": ["Two"]})
    assert outcome.error is None
    assert odoo.companies() == {"One": None, "Two": 1}
    assert odoo.calls == [("mail.alias.domain", "create"), ("mail.alias.domain", "write")]


def test_what_odoo_did_beyond_the_first_creation_is_told_if_it_cannot_be_taken_back() -> None:
    odoo = Database("17")
    odoo.refused = {"write"}
    wanted = {"name": "acme.example", **ROLES, "companies": ["Two"]}
    _changes, outcome = odoo.run(ALIAS_DOMAIN, wanted)
    assert [change.name for change in outcome.uncertain] == ["acme.example"]
    odoo.refused = set()
    # Now it looks like a company that would lose its alias domain.
    with pytest.raises(MailopsError, match="'One' would be left without an alias domain"):
        odoo.run(ALIAS_DOMAIN, wanted)
    del odoo.tables["res.company"][1]["alias_domain_id"]
    odoo.tables["mail.alias.domain"][1]["company_ids"] = [2]
    assert odoo.run(ALIAS_DOMAIN, wanted)[0] == []


@pytest.mark.parametrize("version", OLD)
def test_an_alias_of_15_and_16_has_no_domain_and_may_have_a_user(version: str) -> None:
    odoo = Database(version)
    odoo.run(ALIAS_DOMAIN, {"name": "acme.example", **ROLES})
    alias = {"alias_name": "sales", "alias_domain": "acme.example", "alias_model": "crm.lead", "alias_user": "admin"}
    odoo.run(MAIL_ALIAS, alias)
    assert list(odoo.tables["mail.alias"].values()) == [
        {"alias_name": "sales", "alias_model_id": 2, "alias_user_id": 2}
    ]
    for wrong, told in (
        ({"alias_name": "r&d"}, "this Odoo would make 'r-d' of it"),
        ({"alias_name": "bounce"}, "is the bounce address of its alias domain"),
        ({"alias_domain": "other.example"}, "one alias domain only, and that is acme.example"),
        ({"alias_incoming_local": True}, f"to True: Odoo {version}.0's mail.alias has no field alias_incoming_local"),
    ):
        with pytest.raises(MailopsError, match=told):
            odoo.run(MAIL_ALIAS, {**alias, **wrong})


@pytest.mark.parametrize("version", NEW)
def test_an_alias_of_17_and_18_has_a_domain_and_no_user(version: str) -> None:
    odoo = Database(version)
    odoo.run(ALIAS_DOMAIN, {"name": "acme.example", **ROLES})
    alias = {"alias_name": "r&d", "alias_model": "crm.lead", "alias_incoming_local": True}
    odoo.run(MAIL_ALIAS, alias)
    assert list(odoo.tables["mail.alias"].values()) == [
        {"alias_name": "r&d", "alias_domain_id": 1, "alias_model_id": 3, "alias_incoming_local": True}
    ]
    with pytest.raises(ValidationError, match="has no field alias_user_id"):
        odoo.run(MAIL_ALIAS, {**alias, "alias_user": "admin"})
    with pytest.raises(ValidationError, match="is the catchall address of its alias domain"):
        odoo.run(MAIL_ALIAS, {**alias, "alias_name": "catchall"})


def test_former_addresses_point_at_present_ones() -> None:
    first = remembered({}, {"a@x": "b@x"})
    assert first == {"a@x": "b@x"}
    assert remembered(first, {"b@x": "c@x"}) == {"a@x": "c@x", "b@x": "c@x"}
    assert remembered(first, {"b@x": "a@x"}) == {"b@x": "a@x"}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Sorry", "<p>Sorry</p>"),
        (" One\n  two ", "<p>One two</p>"),
        ("<p>a</p>\n<p>b</p>", "<p>a</p><p>b</p>"),
        ("a<br/>b < c & d", "<p>a<br>b &lt; c &amp; d</p>"),
        ("<a href='https://x.example/?a=1&amp;b=2'>x</a>", '<p><a href="https://x.example/?a=1&amp;b=2">x</a></p>'),
        ("<UL><li>a</li></UL>", "<ul><li>a</li></ul>"),
    ],
)
def test_simple_html_has_one_form(given: str, kept: str) -> None:
    assert simple_html(given) == kept
    assert simple_html(kept) == kept
    assert stored_html(kept) == kept


@pytest.mark.parametrize("given", ["", "  ", "<p>a", "a</p>", "<p><b>a</p></b>", "<div>a</div>", '<p class="x">a</p>'])
def test_html_that_odoo_may_rewrite_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="empty|closed|closes|only"):
        simple_html(given)


def test_stored_html_is_shown_whatever_it_is() -> None:
    assert stored_html('<div class="x"><p>a</p></div>') == '<div class="x"><p>a</p></div>'
    assert stored_html("") is None


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        (
            "{'type': 'lead', 'tag_ids': [(6, 0, [1])], 'x': None}",
            {"type": "lead", "tag_ids": [[6, 0, [1]]], "x": None},
        ),
        # Odoo makes a dictionary of it, whatever it is.
        ("[('type', 'lead')]", {"type": "lead"}),
        ("()", None),
        ("{}", None),
        *((text, text) for text in ("{[1]: 2}", "{'a': {1, 2}}", "{'a': b'x'}", "{1: 2}", "{'a': ...}", "5", "no", "")),
    ],
)
def test_defaults_that_yaml_cannot_say_are_shown_as_odoo_has_them(stored: str, shown: Any) -> None:
    read = MAIL_ALIAS.field("alias_defaults").from_wire(stored)
    assert read == shown
    assert json.loads(json.dumps(read)) == shown


def test_defaults_that_are_no_dictionary_are_refused_with_their_alias() -> None:
    """As a restore gives them: what a snapshot holds was shown, not checked."""
    odoo = Database("17")
    odoo.run(ALIAS_DOMAIN, {"name": "acme.example", **ROLES})
    item = {
        "alias_name": "sales",
        "alias_domain": "acme.example",
        "alias_model": "crm.lead",
        "alias_defaults": "{1: 2}",
    }
    with pytest.raises(ValidationError, match=r"alias sales @ acme.example: alias_defaults is '\{1: 2\}'"):
        MAIL_ALIAS.open(odoo).load([item])


@pytest.mark.parametrize("version", NEW)
def test_of_domains_that_change_alike_each_keeps_its_former_addresses(version: str) -> None:
    """A restore changes both in one call."""
    odoo = Database(version)
    names = ("one.example", "two.example")
    odoo.run(ALIAS_DOMAIN, *({"name": name, "bounce_alias": "bounce", "catchall_alias": "replies"} for name in names))
    side = ALIAS_DOMAIN.open(odoo)
    current = side.load([]).current
    changes = [
        Change("update", record.values["name"], {"catchall_alias": "all"}, record.values, record.id)
        for record in current
    ]
    odoo.calls.clear()
    assert apply(changes, side).error is None
    assert odoo.calls.count(("mail.alias.domain", "write")) == 1
    assert json.loads(odoo.parameters()[PARAMETER]) == {f"replies@{name}": f"all@{name}" for name in names}


@pytest.mark.parametrize("version", OLD)
def test_deleting_the_only_alias_domain_leaves_odoo_s_own_parameters(version: str) -> None:
    """By those of bounce and catchall it tells such mail at whatever domain."""
    odoo = Database(version)
    odoo.create("ir.config_parameter", [{"key": "mail.catchall.alias", "value": "catchall"}])
    odoo.run(ALIAS_DOMAIN, {"name": "acme.example", **ROLES})
    side = ALIAS_DOMAIN.open(odoo)
    (record,) = side.load([]).current
    side.delete([record.id])
    assert odoo.parameters() == {"mail.catchall.alias": "catchall", "mail.bounce.alias": "bounce"}
    assert side.load([]).current == []
    _changes, outcome = odoo.run(ALIAS_DOMAIN, {"name": "acme.example", "bounce_alias": "b", "catchall_alias": "c"})
    assert outcome.error is None
    assert set(odoo.parameters().values()) == {"acme.example", "b", "c"}
