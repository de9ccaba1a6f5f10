# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: its output and its sysexits codes."""

import os
import shutil
from pathlib import Path

import pytest
from odoo_lmtp_bridge.cli import main
from odoo_lmtp_bridge.config import Config, load
from odoo_lmtp_bridge.maps import MapWriter
from odoo_lmtp_bridge.sync import ListStore
from unit.bridge.harness import TOKEN, alias_list, list_document, odoo_in_thread, write_config
from unit.bridge.test_service import daemon


def run(config: Path, *arguments: str) -> int:
    return main(["--config", str(config), *arguments])


def test_maps_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with odoo_in_thread("b@x", "a@x") as odoo:
        config = write_config(tmp_path, odoo.url)
        assert run(config, "aliases") == 0
        assert capsys.readouterr().out == "a@x a@x\nb@x b@x\n"
        assert run(config, "transport") == 0
        assert capsys.readouterr().out == f"a@x {Config.next_hop}\nb@x {Config.next_hop}\n"
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("document", "token", "code", "message"),
    [
        (list_document("a@x"), "wrong", os.EX_NOPERM, "prod: HTTP 403: the token is wrong"),
        ({"version": 1}, TOKEN, os.EX_DATAERR, "prod: malformed list"),
        (list_document("a@x"), "", os.EX_CONFIG, "token of prod"),
    ],
)
def test_failures_have_their_codes(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    document: object,
    token: str,
    code: int,
    message: str,
) -> None:
    with odoo_in_thread() as odoo:
        odoo.document = document
        config = write_config(tmp_path, odoo.url)
        (tmp_path / "tokens" / "prod").write_text(token)
        assert run(config, "aliases") == code
        printed = capsys.readouterr()
        assert message in printed.err
        assert run(config, "check") == code
        assert message in capsys.readouterr().out


def test_odoo_away(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = write_config(tmp_path, "http://127.0.0.1:9")
    assert run(config, "aliases") == os.EX_UNAVAILABLE
    assert "prod: no connection" in capsys.readouterr().err


def test_a_configuration_that_cannot_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.yml").write_text("databases: []")
    for verb in (["check", "--config-only"], ["check"], ["daemon"], ["aliases"], ["confirm", "prod"]):
        assert run(tmp_path / "config.yml", *verb) == os.EX_CONFIG
        assert "databases:" in capsys.readouterr().err


def test_the_configuration_alone_needs_neither_token_nor_odoo(tmp_path: Path) -> None:
    config = write_config(tmp_path, "http://127.0.0.1:9")
    (tmp_path / "tokens" / "prod").unlink()
    assert run(config, "check", "--config-only") == 0


def test_confirm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with odoo_in_thread("a@x") as odoo:
        config = write_config(tmp_path, odoo.url)
        assert run(config, "confirm", "prod") == os.EX_CANTCREAT
        store = ListStore(tmp_path / "state" / "lists")
        store.save("prod", alias_list("a@x", "b@x", "c@x"))
        assert run(config, "check") == os.EX_DATAERR
        assert "1 addresses, 3 are in use and stay" in capsys.readouterr().out
        assert run(config, "confirm", "prod") == 0
        assert store.confirmed("prod", alias_list("a@x"))
        assert run(config, "confirm", "other") == os.EX_CONFIG


@pytest.mark.skipif(shutil.which("postmap") is None, reason="postmap is not here: run this in the gateway's image")
def test_check_from_nothing_to_all_good(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with odoo_in_thread("a@x") as odoo:
        config = write_config(tmp_path, odoo.url)
        assert run(config, "check") == os.EX_UNAVAILABLE
        assert "FAILED  socket" in capsys.readouterr().out
        with daemon(config) as bridge:
            bridge.told("READY=1")
            assert run(config, "check") == 0
            assert capsys.readouterr().out.count("ok   ") == 5
            MapWriter.of(load(config)).write(["a@x", "b@x"], {})
            assert run(config, "check") == os.EX_TEMPFAIL
            assert "0 addresses of Odoo missing, 1 too many" in capsys.readouterr().out
            former = {"address": "b@x", "kind": "former", "rewrite": "a@x"}
            odoo.document = {**list_document(), "addresses": [{"address": "a@x", "kind": "alias"}, former]}
            assert run(config, "check") == os.EX_TEMPFAIL
            assert "FAILED  map aliases: 1 addresses lead elsewhere" in capsys.readouterr().out
            MapWriter.of(load(config)).write(["a@x", "b@x"], {"b@x": "a@x"})
            assert run(config, "check") == 0
