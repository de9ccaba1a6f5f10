# SPDX-License-Identifier: GPL-3.0-or-later
"""The files with a bridge's tokens: private, replaced in one step, and written only where they differ."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from support.modules import run_module

FIRST, SECOND = "canary-first-token", "canary-second-token"


def run(folder: Path, *, check: bool = False, **tokens: Any) -> dict[str, Any]:
    return run_module("bridge_tokens", {"path": str(folder), "tokens": tokens}, check=check)


def test_files_are_written_where_they_differ(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("stays\n")
    assert run(tmp_path, check=True, acme=[FIRST, ""])["changes"] == ["acme"]
    assert [path.name for path in tmp_path.iterdir()] == ["other"]

    written = run(tmp_path, acme=[FIRST, ""], shop=[FIRST, SECOND])
    assert (written["changed"], written["changes"]) == (True, ["acme", "shop"])
    assert (tmp_path / "acme").read_text() == f"{FIRST}\n"
    assert (tmp_path / "shop").read_text() == f"{FIRST}\n{SECOND}\n"
    assert {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("acme", "shop")} == {0o600}
    assert not run(tmp_path, acme=[FIRST], shop=[FIRST, SECOND])["changed"]

    before = (tmp_path / "shop").stat().st_ino
    again = run(tmp_path, acme=[SECOND], shop=[FIRST, SECOND])
    assert again["changes"] == ["acme"]
    assert (tmp_path / "shop").stat().st_ino == before
    assert sorted(os.listdir(tmp_path)) == ["acme", "other", "shop"]
    assert "canary" not in str({**again, "invocation": None})


def test_a_file_that_others_could_read_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "acme").write_text(f"{FIRST}\n")
    (tmp_path / "acme").chmod(0o644)
    assert run(tmp_path, acme=[FIRST])["changed"]
    assert stat.S_IMODE((tmp_path / "acme").stat().st_mode) == 0o600


def test_nothing_is_left_of_a_run_that_was_killed(tmp_path: Path) -> None:
    def end(event: str, _given: Any) -> None:
        """End the process where the file is about to take its place."""
        if event == "os.rename":
            os._exit(9)

    child = os.fork()
    if not child:
        sys.addaudithook(end)
        run(tmp_path, acme=[FIRST])
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert len(os.listdir(tmp_path)) == 1
    assert run(tmp_path, acme=[SECOND])["changed"]
    assert os.listdir(tmp_path) == ["acme"]
    assert stat.S_IMODE((tmp_path / "acme").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("tokens", "told"),
    [
        ({"../acme": [FIRST]}, "'../acme' is no name of a database"),
        ({".acme": [FIRST]}, "'.acme' is no name of a database"),
        ({"acme": [""]}, "acme must have a list of tokens"),
        ({"acme": FIRST}, "acme must have a list of tokens"),
        ({"acme": [f"{FIRST}\n{SECOND}"]}, "one of acme has white space in it"),
    ],
)
def test_what_is_refused(tmp_path: Path, tokens: dict[str, Any], told: str) -> None:
    refused = run(tmp_path, **tokens)
    assert told in refused["msg"]
    assert "canary" not in refused["msg"]
    assert os.listdir(tmp_path) == []


def test_what_was_written_before_a_failure_is_told(tmp_path: Path) -> None:
    too_long = "x" * 250  # for the name of the file that takes its place
    failed = run(tmp_path, **{"acme": [FIRST], too_long: [SECOND]})
    assert (failed["changed"], failed["changes"]) == (True, ["acme"])
    assert failed["msg"].endswith("; written before that: acme")
    assert os.listdir(tmp_path) == ["acme"]


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    assert run(tmp_path / "none", check=True, acme=[FIRST])["changes"] == ["acme"]
    failed = run(tmp_path / "none", acme=[FIRST])
    assert (failed["changed"], "No such file or directory" in failed["msg"]) == (False, True)
