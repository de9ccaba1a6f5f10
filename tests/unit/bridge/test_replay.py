# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb replay: from the quarantine to Odoo, and what is left when that does not work."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from aiohttp import web
from odoo_lmtp_bridge import config, replay
from odoo_lmtp_bridge.quarantine import Quarantine
from unit.bridge.harness import OdooStandIn, accepted, odoo_in_thread, write_config

CONTENT = b"Message-Id: <1@x>\r\nSubject: canary\r\n\r\n\xff\r\n"


@dataclass
class Command:
    """The verb with its configuration; `refused` are recipients that Odoo answers otherwise: recipient to code."""

    odoo: OdooStandIn
    path: Path
    settings: config.Config
    quarantine: Quarantine
    refused: dict[str, int] = field(default_factory=dict)

    def put(self, *recipients: str, content: bytes = CONTENT, database: str = "prod") -> str:
        return self.quarantine.put(content, "s@y", recipients or ["a@x"], database, "<1@x>", "error KeyError")

    def __call__(self, *ids: str, everything: bool = False, delete: bool = False) -> tuple[int, list[str]]:
        said: list[str] = []
        code = replay.run(self.settings, self.path, ids, said.append, everything=everything, delete=delete)
        return code, said

    async def respond(self, request: web.Request) -> web.StreamResponse:
        results = []
        for recipient in json.loads(request.headers["X-Mail-Recipients"]):
            code = self.refused.get(recipient, 250)
            results.append({"recipient": recipient, "code": code, "enhanced": f"{code // 100}.0.0", "text": "t"})
        return web.json_response({"version": 1, "results": results})


@pytest.fixture
def command() -> Iterator[Command]:
    with odoo_in_thread() as odoo, TemporaryDirectory() as directory:
        # Unlike pytest's, a place that the service's user can reach.
        os.chmod(directory, 0o755)
        path = write_config(Path(directory), odoo.url)
        settings = config.load(path)
        quarantine = Quarantine(settings.quarantine_directory, settings.quarantine_limit)
        command = Command(odoo, path, settings, quarantine)
        odoo.respond = command.respond
        yield command


def test_nothing_there(command: Command) -> None:
    assert command() == (os.EX_OK, ["The quarantine is empty."])
    assert command(everything=True) == (os.EX_OK, ["The quarantine is empty."])
    assert command("20260101T000000Z-00000000") == (os.EX_NOINPUT, ["20260101T000000Z-00000000: not in quarantine"])


def test_the_list(command: Command) -> None:
    first, second = command.put("a@x", "b@x"), command.put()
    code, said = command()
    assert code == os.EX_OK
    assert said[0].split()[:3] == ["id", "time", "(UTC)"]
    assert {said[1].split()[0], said[2].split()[0]} == {first, second}
    row = next(line for line in said if line.startswith(first))
    assert "a@x, b@x" in row and "s@y" in row and "<1@x>" in row and "error KeyError" in row
    assert "replay ID" in said[-1]
    assert "canary" not in "".join(said)
    assert not command.odoo.posts


def test_delivered_and_gone(command: Command) -> None:
    first, second = command.put("a@x", "b@x"), command.put()
    code, said = command(first)
    assert (code, said) == (os.EX_OK, [f"{first}: delivered, a@x=250 2.0.0 (t), b@x=250 2.0.0 (t)"])
    (post,) = command.odoo.posts
    assert (post.sender, post.recipients) == ("s@y", ["a@x", "b@x"])
    assert post.message == b"Return-Path: <s@y>\r\nDelivered-To: a@x, b@x\r\n" + CONTENT
    assert [entry.id for entry in command.quarantine.entries()] == [second]


def test_what_fails_again_stays_for_those_that_lack_it(command: Command) -> None:
    id = command.put("a@x", "b@x", "c@x")
    command.refused = {"b@x": 451, "c@x": 550}
    code, said = command(id)
    assert code == os.EX_DATAERR
    assert said == [f"{id}: kept, a@x=250 2.0.0 (t), b@x=451 4.0.0 (t), c@x=550 5.0.0 (t)"]
    (entry,) = command.quarantine.entries()
    assert (entry.id, entry.recipients) == (id, ("b@x", "c@x"))
    command.refused = {"b@x": 451}
    assert command(id)[0] == os.EX_TEMPFAIL
    assert command.quarantine.read(id)[0].recipients == ("b@x",)
    command.refused = {}
    assert command(id)[0] == os.EX_OK
    assert [post.recipients for post in command.odoo.posts] == [["a@x", "b@x", "c@x"], ["b@x", "c@x"], ["b@x"]]
    assert command.quarantine.messages == 0


def test_odoo_is_away(command: Command) -> None:
    async def away(request: web.Request) -> web.StreamResponse:
        return web.Response(status=502)

    command.odoo.respond = away
    id = command.put("a@x", "b@x")
    before = command.quarantine.read(id)
    code, said = command(id)
    assert code == os.EX_TEMPFAIL
    assert said[0].startswith(f"{id}: kept, a@x=451 4.3.0 (Odoo: HTTP 502")
    assert command.quarantine.read(id) == before


def test_all_and_the_first_failure_counts(command: Command) -> None:
    ids = sorted([command.put("a@x"), command.put("b@x"), command.put("c@x")])
    command.refused = {"b@x": 451}
    code, said = command(everything=True)
    assert code == os.EX_TEMPFAIL
    assert [line.partition(":")[0] for line in said] == ids
    assert [entry.recipients for entry in command.quarantine.entries()] == [("b@x",)]
    command.odoo.posts.clear()
    command.refused = {}
    assert command("20260101T000000Z-00000000", command.quarantine.entries()[0].id)[0] == os.EX_NOINPUT
    assert len(command.odoo.posts) == 1 and command.quarantine.messages == 0


def test_delete(command: Command) -> None:
    first, second = command.put(), command.put()
    assert command(first, delete=True) == (os.EX_OK, [f"{first}: deleted"])
    assert command(first, delete=True) == (os.EX_NOINPUT, [f"{first}: not in quarantine"])
    assert [entry.id for entry in command.quarantine.entries()] == [second]
    assert not command.odoo.posts


def test_a_database_that_is_no_more(command: Command) -> None:
    id = command.put(database="gone")
    code, said = command(id)
    assert code == os.EX_CONFIG
    assert said == [f"{id}: kept, there is no database gone in the configuration"]
    assert command.quarantine.messages == 1


def test_a_damaged_message(command: Command) -> None:
    id = command.put()
    path = command.quarantine.directory / f"{id}.mail"
    path.write_bytes(path.read_bytes()[:-1])
    code, said = command(id)
    assert code == os.EX_DATAERR
    assert said[0].startswith(f"{id}: ")
    assert not command.odoo.posts


def test_another_replay_is_running(command: Command) -> None:
    id = command.put()
    with Quarantine(command.quarantine.directory, 1).replaying():
        assert command(id) == (os.EX_TEMPFAIL, ["Another replay is running."])
        assert command(id, delete=True)[0] == os.EX_TEMPFAIL
        # Looking is free.
        assert command()[0] == os.EX_OK
    assert not command.odoo.posts and command.quarantine.messages == 1


def test_what_comes_meanwhile_is_kept(command: Command) -> None:
    """The daemon puts a message in while another is on its way out."""
    id = command.put()

    async def respond(request: web.Request) -> web.StreamResponse:
        command.put("b@x")
        return accepted(["a@x"])

    command.odoo.respond = respond
    assert command(everything=True)[0] == os.EX_OK
    (entry,) = command.quarantine.entries()
    assert entry.id != id and entry.recipients == ("b@x",)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")
def test_root_works_as_the_service(command: Command) -> None:
    first, second = command.put("a@x", "b@x"), command.put()
    directory, base = command.quarantine.directory, command.path.parent
    for path in (directory, *directory.iterdir()):
        os.chown(path, 65534, 65534)
    os.chmod(base / "tokens" / "prod", 0o600)
    # What the service's user could place there leads root nowhere.
    planted = directory / "20260101T000000Z-00000000.mail"
    planted.symlink_to(base / "tokens" / "prod")
    command.refused = {"b@x": 451}
    assert command(first)[0] == os.EX_TEMPFAIL
    assert command(second)[0] == os.EX_OK
    code, said = command("20260101T000000Z-00000000")
    assert (code, said) == (os.EX_IOERR, [f"{planted}: Permission denied"])
    planted.unlink()
    assert os.geteuid() == 0
    assert command.quarantine.read(first)[0].recipients == ("b@x",)
    assert {path.stat().st_uid for path in (directory, *directory.iterdir())} == {65534}
