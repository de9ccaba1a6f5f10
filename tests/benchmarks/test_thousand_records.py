# SPDX-License-Identifier: GPL-3.0-or-later
"""The plural modules beside Odoo itself, and beside a loop of the singular one: medians, ratios within one run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.machines import Odoo
from support.modules import run_module
from support.playbooks import local_play, run_playbook

COUNT = 1000
LOOPED = 10
RUNS = 5


def seconds(odoo: Odoo, folder: Path, tasks: list[dict[str, Any]]) -> float:
    """Return how long a playbook with these tasks takes, without Ansible's own start."""
    started = time.monotonic()
    done = run_playbook([local_play(tasks, odoo.connection())], folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "changed: [" not in done.stdout
    return time.monotonic() - started


def took(what: Callable[[], Any]) -> float:
    """Return how long something takes, in seconds."""
    started = time.monotonic()
    what()
    return time.monotonic() - started


def show(rows: list[tuple[str, str]], capsys: pytest.CaptureFixture[str]) -> None:
    """Print the figures."""
    with capsys.disabled():
        print()
        for what, value in rows:
            print(f"  {what:<72} {value:>9}")


SERVER = {"smtp_host": "relay.acme.example", "smtp_port": 25}
KINDS: dict[str, tuple[str, str, dict[str, Any], dict[str, Any], str, dict[str, Any]]] = {
    # module, its list, an item without its name, the same as Odoo has it, the model, further options
    "name": ("mail_servers", "servers", {**SERVER, "encryption": "none"}, {**SERVER, "smtp_encryption": "none"},
             "ir.mail_server", {"test": "never", "adopt": False}),
    "alias_name": ("mail_aliases", "aliases", {"alias_model": "crm.lead"}, {}, "mail.alias", {}),
}  # fmt: skip


@pytest.mark.parametrize("key", KINDS)
def test_a_thousand_records(odoo: Odoo, capsys: pytest.CaptureFixture[str], key: str) -> None:
    module, plural, item, wire, model, options = KINDS[key]
    if model == "mail.alias":
        (lead,) = odoo.call("ir.model", "search", [["model", "=", "crm.lead"]])
        wire = {"alias_model_id": lead}
    odoo.call(model, "search_count", [])  # logged in
    times: dict[str, list[float]] = {"odoo": [], "created": [], "unchanged": []}
    for run in range(RUNS):
        direct = [{key: f"o{run}-{number}", **wire} for number in range(COUNT)]
        ours = {plural: [{key: f"m{run}-{number}", **item} for number in range(COUNT)], **options, **odoo.connection()}
        times["odoo"].append(
            took(
                lambda chunk=direct: [odoo.call(model, "create", chunk[:500]), odoo.call(model, "create", chunk[500:])]
            )
        )
        times["created"].append(took(lambda given=ours: run_module(module, given)))
        times["unchanged"].append(took(lambda given=ours: run_module(module, given)))
        assert not run_module(module, ours)["changed"]
    created, alone, unchanged = (statistics.median(times[name]) for name in ("created", "odoo", "unchanged"))
    show(
        [
            (f"{COUNT} records created by one {module} task (module alone)", f"{created:.2f} s"),
            ("  of which beyond what Odoo takes for the same create calls", f"{created - alone:.2f} s"),
            (f"{COUNT} records unchanged, one {module} task (module alone)", f"{unchanged:.2f} s"),
            ("created by us : by Odoo itself", f"{created / alone:.1f}"),
        ],
        capsys,
    )


def test_no_change_run_of_a_thousand_aliases(odoo: Odoo, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    domain = {"name": "acme.example", "bounce_alias": "bounce", "catchall_alias": "catchall"}
    run_module("alias_domain", {**odoo.connection(), **domain})
    aliases = [{"alias_name": f"a{number}", "alias_model": "crm.lead"} for number in range(COUNT)]
    assert run_module("mail_aliases", {**odoo.connection(), "aliases": aliases})["changed"]

    nothing: list[dict[str, Any]] = [{"ansible.builtin.meta": "noop"}]
    plural = [{"mailops.odoo.mail_aliases": {"aliases": aliases}}]
    loop = [{"mailops.odoo.mail_alias": "{{ item }}", "loop": aliases[:LOOPED]}]
    times: dict[str, list[float]] = {"nothing": [], "plural": [], "loop": []}
    for _run in range(RUNS):
        times["nothing"].append(seconds(odoo, tmp_path, nothing))
        times["plural"].append(seconds(odoo, tmp_path, plural))
        times["loop"].append(seconds(odoo, tmp_path, loop))
    start = statistics.median(times["nothing"])
    many, one = statistics.median(times["plural"]), statistics.median(times["loop"])
    looped = (one - start) / LOOPED * COUNT
    beyond = many - start
    rows = [
        (f"{COUNT} aliases unchanged, a playbook with one mail_aliases task", f"{many:.2f} s"),
        ("  of which beyond Ansible's own start", f"{beyond:.2f} s"),
        (f"{LOOPED} aliases unchanged, a loop of mail_alias", f"{one:.2f} s"),
        (f"{COUNT} aliases unchanged, a loop of mail_alias (extrapolated)", f"{looped:.0f} s"),
        ("the plural module is faster by a factor of", f"{looped / beyond:.0f}"),
    ]
    show(rows, capsys)
