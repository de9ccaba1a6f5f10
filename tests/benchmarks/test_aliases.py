# SPDX-License-Identifier: GPL-3.0-or-later
"""The plural module beside a loop of the singular one: five interleaved runs, medians, ratios within one run."""

from __future__ import annotations

import statistics
import time
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


def test_no_change_run_of_a_thousand_aliases(odoo: Odoo, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    domain = {"name": "acme.example", "bounce_alias": "bounce", "catchall_alias": "catchall"}
    run_module("alias_domain", {**odoo.connection(), **domain})
    aliases = [{"alias_name": f"a{number}", "alias_model": "crm.lead"} for number in range(COUNT)]
    started = time.monotonic()
    assert run_module("mail_aliases", {**odoo.connection(), "aliases": aliases})["changed"]
    created = time.monotonic() - started

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
        (f"{COUNT} aliases created by one mail_aliases task", f"{created:.2f} s"),
        (f"{COUNT} aliases unchanged, a playbook with one mail_aliases task", f"{many:.2f} s"),
        ("  of which beyond Ansible's own start", f"{beyond:.2f} s"),
        (f"{LOOPED} aliases unchanged, a loop of mail_alias", f"{one:.2f} s"),
        (f"{COUNT} aliases unchanged, a loop of mail_alias (extrapolated)", f"{looped:.0f} s"),
        ("the plural module is faster by a factor of", f"{looped / beyond:.0f}"),
    ]
    with capsys.disabled():
        print()
        for what, value in rows:
            print(f"  {what:<64} {value:>9}")
