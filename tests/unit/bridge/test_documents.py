# SPDX-License-Identifier: GPL-3.0-or-later
"""The manual, the alerts and the program say the same."""

import dataclasses
import re
from pathlib import Path

import pytest
import yaml
from odoo_lmtp_bridge.config import Config, Database
from odoo_lmtp_bridge.help import VERBS
from odoo_lmtp_bridge.metrics import Metrics

ROOT = Path(__file__).resolve().parents[3]
ALERTS = ROOT / "roles/lmtp_bridge/files/alerts.yml"
MANUAL = (ROOT / "docs/bridge.md").read_text()


def shown() -> dict[str, tuple[set[str], str]]:
    """Each metric by the name that Prometheus has for it: its labels and its text."""
    found = {}
    for metric in vars(Metrics()).values():
        if hasattr(metric, "describe"):
            (family,) = metric.describe()
            name = f"{family.name}_total" if family.type == "counter" else family.name
            found[name] = (set(metric._labelnames), family.documentation)
    return found


def test_the_manual_lists_every_metric() -> None:
    table = MANUAL.partition("<!-- metrics")[2].partition("<!-- end")[0]
    rows = re.findall(r"^\| `(\w+)` \|([^|]*)\|([^|]*)\|$", table, re.MULTILINE)
    documented = {name: (set(re.findall(r"`(\w+)`", labels)), text.strip()) for name, labels, text in rows}
    histogram = "odoo_lmtp_bridge_delivery_seconds"
    labels, text = documented[histogram]
    documented[histogram] = (labels, text.removesuffix(" (histogram)"))
    assert documented == shown()


def test_alerts_are_rules_on_metrics_that_there_are() -> None:
    document = yaml.safe_load(ALERTS.read_text())
    metrics = shown()
    histogram = "odoo_lmtp_bridge_delivery_seconds"
    known = {**metrics, f"{histogram}_bucket": (metrics[histogram][0] | {"le"}, "")}
    assert list(document) == ["groups"]
    (group,) = document["groups"]
    assert set(group) == {"name", "rules"}
    names = [rule["alert"] for rule in group["rules"]]
    assert len(set(names)) == len(names) > 5
    for rule in group["rules"]:
        assert (
            {"alert", "expr", "labels", "annotations"} <= set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        )
        assert re.fullmatch(r"[A-Z]\w+", rule["alert"])
        assert re.fullmatch(r"[0-9]+[smh]", rule.get("for", "1m"))
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert set(rule["annotations"]) == {"summary", "description"}
        used = set(re.findall(r"odoo_lmtp_bridge_\w+", rule["expr"]))
        assert used, rule["alert"]
        assert used <= set(known), rule["alert"]
        labels = set().union(*(known[name][0] for name in used)) | {"instance"}
        for text in rule["annotations"].values():
            assert set(re.findall(r"\$labels\.(\w+)", text)) <= labels, rule["alert"]
        for selector in re.findall(r"\{([^}]*)\}", rule["expr"]):
            assert set(re.findall(r"(\w+)=", selector)) <= labels, rule["alert"]
        for text in (rule["expr"], *rule["annotations"].values()):
            assert text.count("(") == text.count(")"), rule["alert"]
            assert text.count("{{") == text.count("}}"), rule["alert"]


def test_the_manual_has_every_key_with_its_default() -> None:
    table = MANUAL.partition("## Configuration")[2].partition("## Maps")[0]
    rows = dict(re.findall(r"^\| `([a-z_\[\].]+)` \| ([^|]*?) ?\| ", table, re.MULTILINE))
    for field in dataclasses.fields(Database):
        assert f"databases[].{field.name}" in rows
    for field in dataclasses.fields(Config):
        assert field.name in rows
        said = rows[field.name].strip("`")
        if field.name in ("aliases", "transport"):
            default = getattr(Config, field.name)
            assert said == str(default).replace(str(Config.state_directory), "<state_directory>")
        elif field.default is not dataclasses.MISSING:
            assert said == ("" if field.default is None else str(field.default))


@pytest.mark.parametrize("verb", list(VERBS))
def test_the_manual_has_every_verb_with_its_exit_codes(verb: str) -> None:
    (row,) = re.findall(rf"^\| .*`{verb}`.* \| .* \| ([0-9, ]+) \|$", MANUAL, re.MULTILINE)
    codes = set(re.findall(r"^  ([0-9]+) ", VERBS[verb].epilog, re.MULTILINE))
    assert set(row.split(", ")) == codes


def test_the_role_gives_every_key_that_it_does_not_leave_at_its_default() -> None:
    template = (ROOT / "roles/lmtp_bridge/templates/config.yml.j2").read_text()
    keys = set(re.findall(r"^(\w+):", template, re.MULTILINE))
    names = {field.name for field in dataclasses.fields(Config)}
    # Those are what Postfix's configuration and the units have, and the memory.
    assert names - keys == {"byte_budget", "state_directory", "socket", "aliases", "transport", "next_hop"}
    assert keys <= names
