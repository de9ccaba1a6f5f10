# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy as a document: complete, the same each time, and without secrets."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._core.markdown import code, table, text
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.document import render
from ansible_collections.mailops.odoo.plugins.module_utils._odoo.resources.mail_server import MAIL_SERVER

INVENTORIES = Path(__file__).resolve().parents[3] / "inventories"
Policy = dict[str, Any]


def policy(inventory: str) -> Policy:
    loaded: Policy = yaml.safe_load((INVENTORIES / inventory / "group_vars/acme/mail_policy.yml").read_text())
    return dict(loaded["mail_policy"])


@pytest.fixture
def example() -> Policy:
    return policy("example")


def section(document: str, title: str) -> str:
    """Return what stands under a title."""
    found = re.search(rf"^## {title}\n\n(.*?)(?=\n\n## |\Z)", document, re.MULTILINE | re.DOTALL)
    assert found, document
    return found[1]


def test_the_examples_document_is_that_of_its_policy(example: Policy) -> None:
    assert (INVENTORIES / "example/MAIL.md").read_text("utf-8") == render(example), (
        "run playbooks/document.yml with -i inventories/example/hosts.yml and the vault example beside its policy"
    )


def test_everything_of_a_policy_is_in_it() -> None:
    shown = policy("sandbox")
    document = render(shown)
    odoo = shown["odoo"]
    for server in odoo["servers"]:
        line = next(
            line for line in document.splitlines() if line.startswith(f"| {server['sequence']} | {server['name']} ")
        )
        assert (
            f"`{server['smtp_host']}:{server['smtp_port']}` | {server['encryption']} | `{server['smtp_user']}`" in line
        )
        assert all(f"`{part}`" in line for part in server["from_filter"])
    assert "Email Marketing sends by Mailgun SMTP" in document
    assert "| `sales@acme.example` | `crm.lead` | `type: lead` | everyone |" in document
    assert "`bounce@acme.example` | `catchall@acme.example` | `no-reply@acme.example`" in document
    assert "| Old inbox | imap | `imap.acme.example` | `inbox@acme.example` | `crm.lead` |" in document
    assert "| `acme.example` | passed on to `mx.zoho.com:2525` |" in document
    assert "| `mg.acme.example` | Mailgun, us | `no-reply@mg.acme.example` | nothing | no |" in document


def test_what_a_provider_puts_into_mail(example: Policy) -> None:
    domain = example["providers"][0]["domains"][0]
    domain.update(tracking={"open": True, "click": "htmlonly"}, inbound_routes=True)
    assert "| opening, links | yes |" in section(render(example), "Sending domains at providers")
    del domain["tracking"], domain["credentials"]
    assert "| Mailgun, us | – | – | yes |" in section(render(example), "Sending domains at providers")
    del example["providers"]
    assert "at providers" not in render(example)


def test_what_is_published(example: Policy) -> None:
    said = section(render(example), "What DNS says")
    assert "| `acme.example` | `acme.example` | `include:zohomail.com`, `include:mailgun.org`, `mx`, `~all` " in said
    assert "| `p=none`, `rua=mailto:postmaster@acme.example` | `10 mx.acme.example` | – |" in said
    assert "| `mg.acme.example` | `acme.example` | `include:mailgun.org` | – | none | – |" in said
    assert said.endswith("Which keys sign the mail of `mg.acme.example`, Mailgun says.")
    links = {"name": "t.acme.example", "type": "CNAME", "values": ["links.provider.example"]}
    example["dns"]["domains"][0] = {"name": "acme.example", "records": [links]}
    example["dns"]["zones"], example["providers"] = [], []
    said = section(render(example), "What DNS says")
    assert "| elsewhere: only looked at | " in said
    assert "| – | – | `t.acme.example CNAME links.provider.example` |" in said
    assert "Mailgun" not in said
    del example["dns"]
    assert "What DNS says" not in render(example)


def test_which_sender_leaves_by_which_server(example: Policy) -> None:
    example["odoo"]["servers"][1]["purpose"] = "bulk"
    routes = section(render(example), "Who sends by which server")
    assert (
        "| `anybody@mg.acme.example` | filter of Mailgun SMTP | Mailgun SMTP | bulk | `anybody@mg.acme.example` "
        "| `bounce@acme.example` |" in routes
    )
    assert "What is amiss" not in routes
    example["odoo"]["servers"][2]["from_filter"] = ["notifications@acme.example"]
    routes = section(render(example), "Who sends by which server")
    assert "What is amiss with these:\n\n- `notifications@acme.example`: " in routes


def test_the_same_policy_gives_the_same_text(example: Policy) -> None:
    again = copy.deepcopy(example)
    again["odoo"]["servers"] = [dict(reversed(item.items())) for item in again["odoo"]["servers"]]
    for server in again["odoo"]["servers"]:
        server["from_filter"] = list(reversed(server["from_filter"]))
    assert render(again) == render(example)
    assert render(example).endswith(".\n")


def test_no_secret_is_in_it(example: Policy) -> None:
    server = example["odoo"]["servers"][0]
    server.update({name: f"canary-{name}" for name in MAIL_SERVER.secrets})
    example["providers"][0]["api_key"] = "canary-key"
    example["providers"][0]["domains"][0]["credentials"][0]["password"] = "canary-credential"
    example["dns"]["zones"][0].update(key_secret="canary-key", key_name="canary-name", server="canary-server")
    example["odoo"]["parameters"] = [{"key": "microsoft_outlook_client_secret", "secret_value": "canary-parameter"}]
    example["odoo"]["incoming_servers"] = [{"name": "Inbox", "server_type": "imap", "password": "canary-inbox"}]
    document = render(example)
    assert "Inbox" in document
    assert "canary" not in document


@pytest.mark.parametrize(
    ("series", "there", "gone"),
    [
        (14, "The lowest sequence sends everything", "Filters decide"),
        (15, "Equal sequences leave it open", "older server is first"),
        (17, "Of equal sequences the older server is first", "leave it open"),
    ],
)
def test_the_rules_are_those_of_the_version(example: Policy, series: int, there: str, gone: str) -> None:
    example["odoo"]["version"] = series
    for server in example["odoo"]["servers"]:
        server["from_filter"] = server["from_filter"][:1]
    document = render(example)
    assert f"those of Odoo {series}." in document
    rules = section(document, "Rules to know")
    assert there in rules
    assert gone not in rules
    for rule in ("Odoo never fails over", "Do not renumber servers in Odoo", "Do not add servers by hand"):
        assert rule in rules


def test_what_becomes_of_other_servers(example: Policy) -> None:
    assert "Each run warns of such a server." in render(example)
    example["odoo"]["unmanaged_servers"] = "archive"
    assert "Each run archives such a server." in render(example)


def test_a_policy_of_nothing() -> None:
    document = render({"version": 1, "odoo": {}, "inbound": {}})
    assert document.startswith("# How mail flows\n\n> This file is generated")
    assert "The policy names none: Odoo keeps those it has." in document
    assert "Who sends" not in document


def test_servers_of_other_kinds(example: Policy) -> None:
    example["odoo"]["servers"] = [
        {"name": "Conf", "smtp_authentication": "cli", "encryption": "none"},
        {
            "name": "Gmail", "sequence": 3, "smtp_host": "smtp.gmail.com", "smtp_port": 587, "encryption": "starttls",
            "smtp_authentication": "gmail", "smtp_user": "a@acme.example", "active": False, "verify": False,
        },
        {"name": "Cert", "sequence": 4, "smtp_authentication": "certificate", "owner": "jo"},
    ]  # fmt: skip
    lines = section(render(example), "Outgoing servers").splitlines()[2:5]
    assert lines == [
        "| 3 | Gmail (archived: never used) | – | `smtp.gmail.com:587` | starttls, certificate not verified "
        "| `a@acme.example` (OAuth, gmail) | – | – |",
        "| 4 | Cert (for jo alone) | – | – | – | client certificate | – | – |",
        "| 10 | Conf | – | that of `odoo.conf` | none | – | – | – |",
    ]


def test_what_a_preset_says(example: Policy) -> None:
    server = example["odoo"]["servers"][1]
    for said in ("smtp_host", "smtp_port", "encryption"):
        del server[said]
    server.update(region="eu", intent="Campaigns | newsletters")
    (line,) = (line for line in render(example).splitlines() if line.startswith("| 2 | Mailgun SMTP "))
    assert "| bulk | `smtp.eu.mailgun.org:587` | starttls |" in line
    assert line.endswith(r"| Campaigns \| newsletters |")


def test_texts_stay_texts() -> None:
    assert text("a | b\n<script> *x* _y_ [z](u) `c` my_name") == (
        r"a \| b \<script\> \*x\* \_y\_ \[z\](u) \`c\` my_name"
    )
    assert (text(None), text(""), text(0)) == ("–", "–", "0")
    assert code("a|b\nc") == r"`a\|b c`"
    assert code("a`b``c") == "``` a`b``c ```"
    assert code(None) == "–"
    assert table(["A", "B"], [["1", "2"]]) == ["| A | B |", "| --- | --- |", "| 1 | 2 |"]


def test_a_value_that_cannot_be(example: Policy) -> None:
    example["odoo"]["servers"][0]["from_filter"] = ["@acme.example"]
    with pytest.raises(ValidationError, match="never matches"):
        render(example)
