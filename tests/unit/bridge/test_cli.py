# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: its output and its sysexits codes."""

import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from aiohttp import web
from odoo_lmtp_bridge.cli import main
from odoo_lmtp_bridge.config import Config, default_path, load
from odoo_lmtp_bridge.help import VERBS
from odoo_lmtp_bridge.maps import MapWriter
from odoo_lmtp_bridge.quarantine import Quarantine
from odoo_lmtp_bridge.sync import ListStore
from unit.bridge.harness import TOKEN, accepted, alias_list, list_document, odoo_in_thread, write_config
from unit.bridge.test_maps import needs_postmap
from unit.bridge.test_service import MAIN, PACKAGE, daemon
from unit.bridge.test_web import free_port


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


@pytest.fixture
def postfix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A main.cf for postconf to read."""
    directory = tmp_path / "postfix"
    directory.mkdir()
    (directory / "main.cf").write_text("")
    monkeypatch.setenv("MAIL_CONFIG", str(directory))
    return directory / "main.cf"


@needs_postmap
def test_check_from_nothing_to_all_good(tmp_path: Path, postfix: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    with odoo_in_thread("a@x") as odoo:
        config = write_config(tmp_path, odoo.url, metrics=f"127.0.0.1:{port}", webhook=f"127.0.0.1:{free_port()}")
        (tmp_path / "tokens" / "prod").chmod(0o600)
        assert run(config, "check") == os.EX_UNAVAILABLE
        said = capsys.readouterr().out
        assert "FAILED  socket" in said
        assert f"WARNING metrics: 127.0.0.1:{port}: Connection refused" in said
        assert "WARNING webhook: 127.0.0.1:" in said
        with daemon(config) as bridge:
            bridge.told("READY=1")
            maps = MapWriter.of(load(config))
            assert run(config, "check") == 0
            said = capsys.readouterr().out
            assert f"WARNING Postfix: virtual_alias_maps does not name lmdb:{maps.aliases}" in said
            postfix.write_text(
                f"virtual_alias_maps = hash:/x, lmdb:{maps.aliases}\n"
                f"transport_maps = $other\nother = lmdb:{maps.transport}\n"
            )
            assert run(config, "check") == 0
            lines = capsys.readouterr().out.splitlines()
            assert [line for line in lines if not line.startswith("ok      ")] == []
            subjects = [line[8:].partition(": ")[0] for line in lines]
            assert subjects == [
                "configuration",
                "token",
                f"Odoo at {odoo.url}",
                "socket",
                "webhook",
                "metrics",
                "quarantine",
                f"map {maps.aliases}",
                f"map {maps.transport}",
                "Postfix",
                "Postfix",
            ]
            quarantine = Quarantine(tmp_path / "state" / "quarantine", 1 << 20)
            quarantine.put(b"x", "", ["a@x"], "prod", "<1@x>", "failed")
            maps.write(["a@x", "b@x"], {})
            assert run(config, "check") == os.EX_TEMPFAIL
            said = capsys.readouterr().out
            assert "0 addresses of Odoo missing, 1 too many" in said
            assert "WARNING quarantine: 1 messages" in said
            former = {"address": "b@x", "kind": "former", "rewrite": "a@x"}
            odoo.document = {**list_document(), "addresses": [{"address": "a@x", "kind": "alias"}, former]}
            assert run(config, "check") == os.EX_TEMPFAIL
            assert f"FAILED  map {maps.aliases}: 1 addresses lead elsewhere" in capsys.readouterr().out
            maps.write(["a@x", "b@x"], {"b@x": "a@x"})
            assert run(config, "check") == 0


@pytest.mark.parametrize(
    ("tokens", "code", "message"),
    [
        (TOKEN, 0, "ok      token: prod: Odoo takes the current one"),
        (f"{TOKEN}\nnew", 0, "ok      token: prod: Odoo takes the current one, and does not know the pending"),
        (f"{TOKEN}\n{TOKEN}", 0, "ok      token: prod: Odoo takes the current and the pending one"),
        (f"old\n{TOKEN}", 0, "WARNING token: prod: Odoo takes only the pending one"),
        ("old\nnew", os.EX_NOPERM, "FAILED  Odoo at"),
    ],
)
def test_check_says_which_token_odoo_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], tokens: str, code: int, message: str
) -> None:
    with odoo_in_thread("a@x") as odoo:
        config = write_config(tmp_path, odoo.url)
        (tmp_path / "tokens" / "prod").write_text(tokens)
        ended = run(config, "check")
        said = capsys.readouterr().out
        assert message in said
        assert ended == (code or os.EX_UNAVAILABLE)  # there is no socket
        assert "can be read by everybody on this machine" in said
        assert not {"old", "new", TOKEN} & set(said.split())


def test_check_finds_something_else_in_the_place_of_metrics(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with odoo_in_thread("a@x") as odoo:
        config = write_config(tmp_path, odoo.url, metrics=odoo.url.removeprefix("http://"))
        run(config, "check")
        assert f"WARNING metrics: {odoo.url[7:]}: something else answers there" in capsys.readouterr().out


@needs_postmap
def test_check_asks_the_daemon(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    config = write_config(tmp_path, "http://127.0.0.1:9", metrics=f"127.0.0.1:{port}")
    with daemon(config) as bridge:
        bridge.told("READY=1")
        assert run(config, "check") == os.EX_UNAVAILABLE
    said = capsys.readouterr().out
    assert "WARNING daemon: not ready: prod: " in said
    assert "WARNING daemon: not ready: maps: not known yet" in said


def piped(config: Path, content: bytes, *arguments: str) -> tuple[int, str]:
    """The exit code and what is said, of ``pipe`` with `content` on standard input."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stderr(said):
        patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))
        code = run(config, "pipe", *arguments)
    return code, said.getvalue()


def test_pipe_as_an_mta_runs_it(tmp_path: Path) -> None:
    with odoo_in_thread("a@x") as odoo:
        command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {PACKAGE!r}); {MAIN}"]
        command += ["-c", str(write_config(tmp_path, odoo.url)), "pipe", "a@x"]
        environ = {**os.environ, "SENDER": "env@y"}
        done = subprocess.run(command, input=MAIL, capture_output=True, check=False, env=environ)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        assert odoo.posts[0].sender == "env@y"
        assert odoo.posts[0].message.endswith(MAIL)


MAIL = b"Message-Id: <1@x>\nSubject: \xe9\n\n.\nFrom here\n"


def test_pipe_delivers(tmp_path: Path) -> None:
    with odoo_in_thread("a@x", "b@x") as odoo:
        config = write_config(tmp_path, odoo.url)
        mbox = b"From jo@y  Sat Nov 21 10:00:00 2026\n"
        assert piped(config, mbox + MAIL, "-f", "jo@y", "a@x", "B+x@x") == (0, "")
        (post,) = odoo.posts
        assert (post.sender, post.recipients) == ("jo@y", ["a@x", "b@x"])
        assert post.message.endswith(b"\n" + MAIL)
        assert b"From jo@y" not in post.message
        assert piped(config, MAIL, "-f", "<>", "a@x")[0] == 0
        assert piped(config, MAIL, "-f", "MAILER-DAEMON", "a@x")[0] == 0
        assert [post.sender for post in odoo.posts[1:]] == ["", ""]


def test_pipe_where_nothing_can_be_said(tmp_path: Path) -> None:
    """The log's disk may be full, and an MTA bounces mail for every exit code that it does not know."""
    with odoo_in_thread("a@x") as odoo:
        command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {PACKAGE!r}); {MAIN}", "-v"]
        command += ["-c", str(write_config(tmp_path, odoo.url)), "pipe"]
        codes = []
        for arguments in (["a@x"], ["no@x"], ["--unknown"]):
            with Path("/dev/full").open("wb") as full:
                done = subprocess.run([*command, *arguments], input=MAIL, stderr=full, check=False)
            codes.append(done.returncode)
        assert codes == [0, os.EX_TEMPFAIL, os.EX_TEMPFAIL]


def test_a_program_that_is_not_whole_is_temporary() -> None:
    """The launcher where the package is not in its place, as in the middle of an installation."""
    assert not Path("/usr/lib/odoo-lmtp-bridge").exists(), "run this where the bridge is not installed"
    launcher = Path(PACKAGE) / "odoo-lmtp-bridge"
    done = subprocess.run(["sh", str(launcher), "pipe", "a@x"], input=MAIL, capture_output=True, check=False)
    assert done.returncode == os.EX_TEMPFAIL
    assert b"odoo-lmtp-bridge: No module named" in done.stderr


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ([250, 250], 0),
        ([550, 250], os.EX_NOUSER),
        ([552, 250], os.EX_DATAERR),
        ([554, 550], os.EX_NOUSER),
        ([451, 550], os.EX_TEMPFAIL),
    ],
)
def test_pipe_ends_with_what_is_known_of_all(tmp_path: Path, results: list[int], code: int) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return web.json_response(list_document("a@x", "b@x"))
        document = {
            "version": 1,
            "results": [
                {"recipient": one, "code": result, "enhanced": f"{result // 100}.0.0", "text": "why"}
                for one, result in zip(["a@x", "b@x"], results, strict=True)
            ],
        }
        return web.json_response(document)

    with odoo_in_thread() as odoo:
        odoo.respond = answer
        ended, said = piped(write_config(tmp_path, odoo.url), MAIL, "a@x", "b@x")
        assert ended == code
        assert said.count(" why\n") == len([result for result in results if result != 250])


def test_pipe_of_an_unknown_address(tmp_path: Path) -> None:
    with odoo_in_thread("a@x") as odoo:
        config = write_config(tmp_path, odoo.url)
        ended, said = piped(config, MAIL, "no@x")
        assert (ended, odoo.posts) == (os.EX_NOUSER, [])
        assert "no@x: 550 5.1.1 No such address in Odoo" in said
        # The daemon's list is old: Odoo itself is asked.
        ListStore(tmp_path / "state" / "lists").save("prod", alias_list("b@x"))
        assert piped(config, MAIL, "a@x")[0] == 0
        # A list that is far too short proves nothing.
        ListStore(tmp_path / "state" / "lists").save("prod", alias_list("a@x", "b@x", "c@x", "no@y"))
        ended, said = piped(config, MAIL, "no@x")
        assert ended == os.EX_TEMPFAIL
        assert "shorter by more than shrink_limit" in said


def test_pipe_without_odoo_is_temporary(tmp_path: Path) -> None:
    config = write_config(tmp_path, "http://127.0.0.1:9")
    assert piped(config, MAIL, "a@x")[0] == os.EX_TEMPFAIL
    ListStore(tmp_path / "state" / "lists").save("prod", alias_list("a@x"))
    assert piped(config, MAIL, "a@x")[0] == os.EX_TEMPFAIL
    assert piped(config, MAIL, "no@x")[0] == os.EX_TEMPFAIL


def test_pipe_takes_every_mistake_for_temporary(tmp_path: Path) -> None:
    with odoo_in_thread("a@x") as odoo:
        config = write_config(tmp_path, odoo.url)
        assert piped(config, MAIL)[0] == os.EX_TEMPFAIL
        assert piped(config, MAIL, "--unknown", "a@x")[0] == os.EX_TEMPFAIL
        assert piped(config, b"", "a@x")[0] == os.EX_TEMPFAIL
        assert piped(tmp_path / "none.yml", MAIL, "a@x")[0] == os.EX_TEMPFAIL
        (tmp_path / "tokens" / "prod").write_text("wrong")
        assert piped(config, MAIL, "a@x")[0] == os.EX_TEMPFAIL
        (tmp_path / "tokens" / "prod").unlink()
        assert piped(config, MAIL, "a@x")[0] == os.EX_TEMPFAIL
        assert odoo.posts == []


def test_pipe_of_too_large_a_message(tmp_path: Path) -> None:
    with odoo_in_thread("a@x") as odoo:
        config = write_config(tmp_path, odoo.url, message_size_limit=1000)
        assert piped(config, b"x" * 1000, "a@x")[0] == 0
        assert piped(config, b"x" * 1001, "a@x")[0] == os.EX_DATAERR
        assert len(odoo.posts) == 1


def test_what_odoo_fails_on_goes_from_pipe_into_this_users_quarantine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return web.json_response(list_document("a@x"))
        return accepted(["a@x"], code=451, enhanced="4.3.0", text="Odoo failed", quarantine_after=1)

    with odoo_in_thread() as odoo:
        odoo.respond = answer
        config = write_config(tmp_path, odoo.url)
        assert piped(config, MAIL, "a@x")[0] == os.EX_TEMPFAIL
        (tmp_path / "state" / "quarantine").mkdir(parents=True, mode=0o700)
        assert piped(config, MAIL, "a@x") == (0, "")
        assert "is in quarantine" in caplog.text
        assert run(config, "replay") == 0
        assert "<1@x>" in capsys.readouterr().out


def test_a_wrong_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["unknown"], ["check", "--unknown"], ["daemon", "-n", "0"], ["daemon", "-p", "x"]):
        assert main(arguments) == os.EX_USAGE
        assert "usage: odoo-lmtp-bridge" in capsys.readouterr().err


@pytest.mark.parametrize("verb", list(VERBS))
def test_every_verb_has_an_example_and_its_exit_codes(
    verb: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "example" in said
    assert "exit codes" in said
    assert f"odoo-lmtp-bridge {verb}" in said or f" {verb} " in said
    assert max(map(len, said.splitlines())) <= 80
    with pytest.raises(SystemExit):
        main(["--help"])
    assert f"    {verb} " in capsys.readouterr().out


def test_options_may_stand_on_either_side_of_the_verb(tmp_path: Path) -> None:
    config = write_config(tmp_path, "http://127.0.0.1:9")
    assert main(["check", "--config-only", "-v", "-c", str(config)]) == 0
    assert main(["-d", "-c", str(config), "check", "--config-only"]) == 0


def test_the_default_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = tmp_path / "config.yml", tmp_path / "odoo-mailer.yml"
    monkeypatch.setattr("odoo_lmtp_bridge.config.DEFAULT_PATH", ours)
    monkeypatch.setattr("odoo_lmtp_bridge.config.MAILER_PATH", theirs)
    assert default_path() == ours
    theirs.write_text("")
    assert default_path() == theirs
    ours.write_text("")
    assert default_path() == ours
