# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeping in step: which lists reach the maps, and what stays when none can be had."""

import asyncio
import logging
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest
from odoo_lmtp_bridge.directory import AliasList, Directory, MalformedList
from odoo_lmtp_bridge.health import Health
from odoo_lmtp_bridge.maps import MapError
from odoo_lmtp_bridge.metrics import Metrics
from odoo_lmtp_bridge.odoo import Unavailable
from odoo_lmtp_bridge.sync import ListStore, Synchronizer
from unit.bridge.harness import alias_list, until


class Source:
    """Gives what it is told to, and keeps the ETags it was asked with."""

    def __init__(self, *answers: AliasList | Exception | None) -> None:
        self.answers = list(answers)
        self.etags: list[str | None] = []

    async def alias_list(self, etag: str | None) -> AliasList | None:
        self.etags.append(etag)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


class Maps:
    """Keeps what was written; test_maps.py has the real ones."""

    def __init__(self, present: bool = False) -> None:
        self.written: list[list[str]] = []
        self.rewrites: Mapping[str, str] = {}
        self.present = present
        self.failures = 0

    def write(self, addresses: Collection[str], rewrites: Mapping[str, str]) -> None:
        if self.failures:
            self.failures -= 1
            raise MapError("disk full")
        self.written.append(sorted(addresses))
        self.rewrites = rewrites
        self.present = True


def synchronizer(tmp_path: Path, maps: Maps, interval: float = 30, **sources: Source) -> tuple[Synchronizer, Directory]:
    directory = Directory(list(sources))
    store = ListStore(tmp_path / "lists")
    return Synchronizer(directory, store, maps, sources, interval), directory  # type: ignore[arg-type]


def poll(sync: Synchronizer, *names: str, start: bool = True) -> None:
    async def scenario() -> None:
        if start:
            await sync.start([(name, name) for name in sync._sources])
        for name in names:
            await sync.poll(name)

    asyncio.run(scenario())


FOUR = alias_list("a@x", "b@x", "c@x", "d@x", etag='"4"')


def test_lists_reach_the_maps_and_only_when_they_change(tmp_path: Path) -> None:
    source = Source(FOUR, None, alias_list("a@x", "b@x", etag='"2"'))
    maps = Maps()
    sync, directory = synchronizer(tmp_path, maps, prod=source)
    poll(sync, "prod", "prod", "prod")
    assert maps.written == [["a@x", "b@x", "c@x", "d@x"], ["a@x", "b@x"]]
    assert source.etags == [None, '"4"', '"4"']
    assert directory.lookup("c@x") is None


def test_former_addresses_reach_the_maps_and_outlast_a_restart(tmp_path: Path) -> None:
    maps = Maps()
    renamed = AliasList("prod", ("now@x",), '"2"', former={"before@x": "now@x"})
    poll(synchronizer(tmp_path, maps, prod=Source(renamed))[0], "prod")
    assert maps.written == [["before@x", "now@x"]]
    assert maps.rewrites == {"before@x": "now@x"}
    again = Maps()
    poll(synchronizer(tmp_path, again, prod=Source(Unavailable("away")))[0], "prod")
    assert (again.written, again.rewrites) == (maps.written, maps.rewrites)


@pytest.mark.parametrize("trouble", [Unavailable("HTTP 502"), MalformedList("rubbish"), ValueError("defect")])
def test_trouble_changes_nothing(tmp_path: Path, trouble: Exception) -> None:
    maps = Maps()
    sync, directory = synchronizer(tmp_path, maps, prod=Source(FOUR, trouble))
    poll(sync, "prod", "prod", "prod")
    assert maps.written == [list(FOUR.addresses)]
    assert directory.list_of("prod") == FOUR


def test_the_last_good_list_is_there_after_a_restart_without_odoo(tmp_path: Path) -> None:
    poll(synchronizer(tmp_path, Maps(), prod=Source(FOUR))[0], "prod")
    maps, source = Maps(), Source(Unavailable("away"))
    sync, directory = synchronizer(tmp_path, maps, prod=source)
    poll(sync, "prod")
    assert directory.complete
    assert directory.list_of("prod") == FOUR
    assert source.etags == ['"4"']
    assert maps.written == [list(FOUR.addresses)]


def test_a_stored_list_of_another_database_is_not_taken(tmp_path: Path) -> None:
    store = ListStore(tmp_path)
    store.save("prod", FOUR)
    assert store.load("prod", "prod") == FOUR
    assert store.load("prod", "other") is None


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', '{"database": "prod"}'])
def test_a_damaged_stored_list_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "prod.json").write_text(text)
    assert ListStore(tmp_path).load("prod", "prod") is None


def test_a_list_that_shrinks_too_much_waits_for_a_confirmation(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    short = alias_list("a@x", etag='"1"')
    maps = Maps()
    sync, directory = synchronizer(tmp_path, maps, prod=Source(FOUR, short))
    poll(sync, "prod", "prod", "prod")
    assert maps.written == [list(FOUR.addresses)]
    assert caplog.text.count("odoo-lmtp-bridge confirm prod") == 1
    store = ListStore(tmp_path / "lists")
    # A confirmation is for one list, not for any.
    store.confirm("prod", alias_list("b@x"))
    poll(sync, "prod", start=False)
    assert directory.list_of("prod") == FOUR
    store.confirm("prod", short)
    poll(sync, "prod", start=False)
    assert directory.list_of("prod") == short
    assert maps.written[-1] == ["a@x"]
    assert not store.confirmed("prod", short)


def test_no_maps_while_a_database_never_gave_its_list(tmp_path: Path) -> None:
    maps = Maps()
    two = Source(Unavailable("away"), alias_list("z@x", database="two"))
    sync, directory = synchronizer(tmp_path, maps, one=Source(alias_list("a@x", database="one")), two=two)
    poll(sync, "one", "two")
    # With a map that lacks them Postfix would refuse the other's addresses for good.
    assert maps.written == []
    assert not directory.complete
    poll(sync, "two", start=False)
    assert maps.written == [["a@x", "z@x"]]


def test_maps_that_stand_are_kept_fresh_meanwhile(tmp_path: Path) -> None:
    maps = Maps(present=True)
    sources = {"one": Source(alias_list("a@x", database="one")), "two": Source(Unavailable("away"))}
    poll(synchronizer(tmp_path, maps, **sources)[0], "one", "two")
    assert maps.written[-1] == ["a@x"]


def test_maps_that_could_not_be_written_are_tried_again(tmp_path: Path) -> None:
    maps = Maps()
    sync, _directory = synchronizer(tmp_path, maps, prod=Source(FOUR, None))
    poll(sync)
    maps.failures = 2
    poll(sync, "prod", "prod", "prod", start=False)
    assert maps.written == [list(FOUR.addresses)]


def test_what_is_wrong_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    away = Unavailable("HTTP 502", "detail")
    sync, _directory = synchronizer(tmp_path, Maps(), prod=Source(away, away, FOUR, None, away))
    poll(sync, *["prod"] * 5)
    assert [m for m in caplog.messages if m.startswith("Odoo prod")] == [
        "Odoo prod: HTTP 502 detail",
        "Odoo prod: in step",
        "Odoo prod: HTTP 502 detail",
    ]


def test_addresses_of_two_and_those_left_out_are_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    maps = Maps()
    one = Source(AliasList("one", ("a@x",), "", left_out=("#b@x",)))
    two = Source(alias_list("a@x", "c@x", database="two"))
    poll(synchronizer(tmp_path, maps, one=one, two=two)[0], "one", "two")
    assert maps.written == [["a@x", "c@x"]]
    ours = [record for record in caplog.records if record.name.startswith("odoo_lmtp_bridge")]
    errors = [record.getMessage() for record in ours if record.levelno == logging.ERROR]
    assert errors == [
        "list of one: Postfix cannot look up '#b@x': left out",
        "a@x is claimed by one and two: one keeps it",
    ]


def test_waking_is_coalesced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it is woken: one poll runs, and one more follows."""
    monkeypatch.setattr("odoo_lmtp_bridge.sync._LEAST_INTERVAL", 0)

    async def scenario() -> None:
        polls: list[asyncio.Future[None]] = []

        class Slow(Source):
            async def alias_list(self, etag: str | None) -> AliasList | None:
                polls.append(asyncio.get_running_loop().create_future())
                await polls[-1]
                return await super().alias_list(etag)

        sync, _directory = synchronizer(tmp_path, Maps(), interval=3600, prod=Slow(FOUR))
        running = asyncio.create_task(sync.run())
        for _time in range(3):
            sync.wake("prod")
        await until(lambda: len(polls) == 1)
        for _time in range(5):
            sync.wake("prod")
            await asyncio.sleep(0)
        assert len(polls) == 1
        polls[0].set_result(None)
        await until(lambda: len(polls) == 2)
        polls[1].set_result(None)
        assert sync.silence("prod") is not None
        for _turn in range(20):
            await asyncio.sleep(0)
        assert len(polls) == 2
        running.cancel()

    asyncio.run(scenario())


def test_waking_one_leaves_the_other_alone(tmp_path: Path) -> None:
    async def scenario() -> None:
        one, two = Source(FOUR), Source(FOUR)
        sync, _directory = synchronizer(tmp_path, Maps(), interval=3600, one=one, two=two)
        running = asyncio.create_task(sync.run())
        sync.wake("two")
        await until(lambda: len(two.etags) == 1)
        assert one.etags == []
        running.cancel()

    asyncio.run(scenario())


def test_a_flood_of_waking_is_slowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("odoo_lmtp_bridge.sync._LEAST_INTERVAL", 0.1)

    async def scenario() -> None:
        source = Source(FOUR, None)
        sync, _directory = synchronizer(tmp_path, Maps(), interval=3600, prod=source)
        running = asyncio.create_task(sync.run())
        started = asyncio.get_running_loop().time()
        while len(source.etags) < 4:
            sync.wake("prod")
            await asyncio.sleep(0)
        assert asyncio.get_running_loop().time() - started >= 0.3
        running.cancel()

    asyncio.run(scenario())


def test_without_maps_only_the_directory_is_kept(tmp_path: Path) -> None:
    directory = Directory(["prod"])
    sync = Synchronizer(directory, ListStore(tmp_path / "lists"), None, {"prod": Source(FOUR)}, 30)
    poll(sync, "prod")
    assert directory.list_of("prod") == FOUR


def test_health_and_metrics_follow(tmp_path: Path) -> None:
    maps = Maps()
    maps.failures = 1
    health, metrics = Health(["prod", "maps"]), Metrics(["prod"])
    source = Source(Unavailable("HTTP 502", "proxy"), FOUR, alias_list("a@x", etag='"1"'), None)
    sync = Synchronizer(
        Directory(["prod"]),
        ListStore(tmp_path / "lists"),
        maps,  # type: ignore[arg-type]
        {"prod": source},
        30,
        health=health,
        metrics=metrics,
    )

    def value(name: str, **labels: str) -> float | None:
        return metrics.registry.get_sample_value(f"odoo_lmtp_bridge_{name}", labels)

    assert sync.silence("prod") is None
    assert health.problems == {"prod": "not known yet", "maps": "not known yet"}
    poll(sync, "prod")
    assert health.problems == {"prod": "HTTP 502", "maps": "not known yet"}
    assert value("list_failures_total", database="prod") == 1
    assert value("list_contact_timestamp_seconds", database="prod") is None
    poll(sync, "prod", start=False)
    assert health.problems == {"maps": "not written: disk full"}
    assert value("addresses", database="prod") == 4
    assert value("map_failures_total") == 1
    poll(sync, "prod", start=False)
    assert "list refused: 1 addresses, 4 are in use" in health.problems["prod"]
    assert value("list_refused", database="prod") == 1
    assert value("list_failures_total", database="prod") == 2
    poll(sync, "prod", start=False)
    assert health.problems == {}
    assert value("list_refused", database="prod") == 0
    assert value("maps_written_timestamp_seconds")


def test_the_limit_of_shrinking_is_the_configurations(tmp_path: Path) -> None:
    three = alias_list("a@x", "b@x", "c@x", etag='"3"')
    directory = Directory(["prod"])
    sync = Synchronizer(directory, ListStore(tmp_path / "lists"), None, {"prod": Source(FOUR, three)}, 30, 10)
    poll(sync, "prod", "prod")
    assert directory.list_of("prod") == FOUR


def test_a_list_of_whichever_database_the_host_has(tmp_path: Path) -> None:
    store = ListStore(tmp_path)
    store.save("prod", FOUR)
    assert store.load("prod", None) == FOUR


def test_polling_goes_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        source = Source(FOUR, Unavailable("away"), ValueError("defect"), None)
        sync, _directory = synchronizer(tmp_path, Maps(), interval=0.01, prod=source)
        running = asyncio.create_task(sync.run())
        await until(lambda: len(source.etags) > 5)
        running.cancel()

    asyncio.run(scenario())
