# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings in odoo.conf: only the lines that are meant, and only what Odoo would read as intended."""

from __future__ import annotations

import configparser
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.mailops.odoo.plugins.modules import odoo_conf
from hypothesis import given
from hypothesis import strategies as st
from support.modules import run_module

FILE = """; Odoo's configuration
[options]
admin_passwd = canary-master
addons_path = /usr/lib/odoo,
    /opt/addons
# smtp_server = commented.example
SMTP_Port: 25
smtp_user = False

[queue_job]
channels = root:2
smtp_server = elsewhere.example"""
SMTP = {
    "smtp_server": "mx.acme.example",
    "smtp_port": 587,
    "smtp_ssl": True,
    "smtp_password": "canary-first",
    "from_filter": ["Acme.example", "a@b.example"],
}


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    """A configuration file with an unusual mode, and without a line end at its end."""
    path = tmp_path / "odoo.conf"
    path.write_text(FILE)
    path.chmod(0o640)
    return path


def run(path: Path, settings: dict[str, Any], **how: bool) -> dict[str, Any]:
    return run_module("odoo_conf", {"path": str(path), "settings": settings}, **how)


def test_set_change_and_remove(conf: Path) -> None:
    assert run(conf, SMTP, check=True)["changed"]
    assert conf.read_text() == FILE
    done = run(conf, SMTP)
    assert [(change["action"], change["name"]) for change in done["changes"]] == [
        ("create", "smtp_server"),
        ("update", "smtp_port"),
        ("create", "smtp_ssl"),
        ("create", "smtp_password"),
        ("create", "from_filter"),
    ]
    assert done["diff"]["before"] == "smtp_port = 25\n"
    assert "canary" not in str({**done, "invocation": None})
    added = (
        "smtp_server = mx.acme.example\nsmtp_ssl = True\nsmtp_password = canary-first\n"
        "from_filter = a@b.example,acme.example\n"
    )
    expected = FILE.replace("SMTP_Port: 25", "smtp_port = 587").replace("False\n", f"False\n{added}")
    assert conf.read_text() == expected
    assert stat.S_IMODE(conf.stat().st_mode) == 0o640
    assert not run(conf, SMTP)["changed"]
    changed = run(conf, {"smtp_password": "canary-second"})
    assert changed["changes"] == [
        {"action": "update", "name": "smtp_password", "before": "(hidden)", "after": "(hidden, changed)"}
    ]
    assert "canary" not in str({**changed, "invocation": None})
    assert conf.read_text() == expected.replace("canary-first", "canary-second")
    removed = run(conf, {**dict.fromkeys(SMTP), "smtp_user": None})
    assert [change["action"] for change in removed["changes"]] == ["delete"] * 5
    # smtp_user was "False", which Odoo reads as not set.
    assert conf.read_text() == FILE.replace("SMTP_Port: 25\n", "")
    assert not run(conf, dict.fromkeys(SMTP))["changed"]


def test_what_means_the_same_is_left_as_it_is_written(conf: Path) -> None:
    text = "[options]\nsmtp_ssl=true\nfrom_filter = b.example , A.example\nsmtp_port=  587\n"
    conf.write_text(text)
    wanted = {"smtp_ssl": True, "from_filter": ["a.example", "b.example"], "smtp_port": 587}
    assert not run(conf, wanted)["changed"]
    assert conf.read_text() == text


def test_a_value_of_several_lines_and_foreign_line_ends(conf: Path) -> None:
    conf.write_bytes(b"[options]\r\nfrom_filter = a.example,\r\n  b.example\r\nname = \xe9\x0b\r\n")
    assert run(conf, {"from_filter": ["c.example"], "smtp_ssl": False})["changed"]
    assert conf.read_bytes() == b"[options]\r\nfrom_filter = c.example\r\nname = \xe9\x0b\r\nsmtp_ssl = False\r\n"


def test_a_link_stays_a_link(conf: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.conf"
    link.symlink_to(conf)
    assert run(link, SMTP)["changed"]
    assert link.is_symlink()
    assert "mx.acme.example" in conf.read_text()


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "implicit TLS": ({"smtp_port": 465}, "smtp_port is 465: Odoo speaks only STARTTLS here"),
    "no port": ({"smtp_port": 0}, "smtp_port is 0: a port is a number from 1 to 65535"),
    "@domain": ({"from_filter": ["@acme.example"]}, "'@acme.example' never matches in Odoo"),
    "no address": ({"email_from": "Acme"}, "email_from is 'Acme': this is no e-mail address"),
    "two lines": ({"smtp_password": "canary\nadmin_passwd = x"}, "smtp_password: it must be one line of text"),
    "empty": (
        {"smtp_user": ""},
        "smtp_user is '': it must be one line of text, without spaces around it; null removes",
    ),
    "half a pair": ({"smtp_ssl_certificate_filename": "/c.pem"}, "smtp_ssl_private_key_filename go together"),
    "unknown": ({"smtp_host": "x"}, "smtp_host"),
}


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_a_wrong_value_is_refused(conf: Path, case: str) -> None:
    settings, text = REFUSED[case]
    result = run(conf, settings)
    assert result["failed"]
    assert text in result["msg"]
    assert "canary" not in result["msg"]
    assert conf.read_text() == FILE


BROKEN = {
    "[options]\nsmtp_user = canary\nsmtp_user = canary\n": "no configuration file (DuplicateOptionError, line 3)",
    "canary = x\n": "no configuration file (MissingSectionHeaderError, line 1)",
    "[options]\ncanary\n": "no configuration file (ParsingError, line [2])",
    "[other]\nx = canary\n": "it has no section [options]",
    "": "it has no section [options]",
}


@pytest.mark.parametrize("text", sorted(BROKEN))
def test_a_file_that_odoo_could_not_read_is_refused_and_not_quoted(conf: Path, text: str) -> None:
    conf.write_text(text)
    result = run(conf, SMTP)
    assert BROKEN[text] in result["msg"]
    assert "canary" not in result["msg"]
    assert conf.read_text() == text


def test_no_file(tmp_path: Path) -> None:
    missing = tmp_path / "none.conf"
    assert run(missing, SMTP)["msg"] == f"{missing} does not exist. Is Odoo installed here? Nothing was written."
    assert os.listdir(tmp_path) == []


LINE = st.sampled_from(
    [
        "a = 1",
        "smtp_port=25",
        "smtp_user : x",
        "  more",
        "# smtp_user = y",
        "; c",
        "",
        "[other]",
        "[options]",
        "smtp_ssl",
    ]
)


@given(st.lists(LINE, max_size=12))
def test_an_edited_file_says_what_it_said_and_the_settings(lines: list[str]) -> None:
    text = "\n".join(["[options]", "smtp_server = old", *lines])
    values: dict[str, Any] = {"smtp_server": "new", "smtp_port": None, "smtp_user": "me"}
    try:
        before = odoo_conf.parse(text)
    except ValueError:
        return
    edited = odoo_conf.edit(text, values)
    odoo_conf.check_edited(before, edited, values)
    parser = configparser.RawConfigParser()
    parser.read_string(edited)
    assert (parser["options"]["smtp_server"], parser["options"]["smtp_user"]) == ("new", "me")
    kept = [line for line in lines if line.strip() and line.lstrip()[0] in "#;["]
    assert [line for line in edited.split("\n") if line in kept] == kept
