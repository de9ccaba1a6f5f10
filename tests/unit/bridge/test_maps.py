# SPDX-License-Identifier: GPL-3.0-or-later
"""Postfix's maps, with the real postmap."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest
from odoo_lmtp_bridge.config import ConfigError
from odoo_lmtp_bridge.maps import MapError, MapWriter, render_aliases, render_transport

NEXT_HOP = "odoo-lmtp:unix:private/odoo-bridge"
NAMES = ("aliases", "transport")

needs_postmap = pytest.mark.skipif(
    shutil.which("postmap") is None, reason="postmap is not here: run this in the gateway's image"
)


def writer(directory: Path) -> MapWriter:
    return MapWriter(directory / "aliases", directory / "transport", NEXT_HOP, directory / "postmap")


def test_rendering() -> None:
    assert render_aliases(["b@x", "a@x"], {}) == "a@x a@x\nb@x b@x\n"
    assert render_transport(["b@x", "a@x"], NEXT_HOP) == f"a@x {NEXT_HOP}\nb@x {NEXT_HOP}\n"
    assert render_aliases([], {}) == ""
    assert render_aliases(["a@x", "old@x"], {"old@x": "a@x"}) == "a@x a@x\nold@x a@x\n"


@needs_postmap
def test_write_and_read(tmp_path: Path) -> None:
    maps = MapWriter(tmp_path / "maps/aliases", tmp_path / "maps/transport", NEXT_HOP, tmp_path / "scratch")
    assert not maps.present
    maps.write(["b@x", "a@x"], {})
    assert maps.present
    assert maps.read(maps.aliases) == {"a@x": "a@x", "b@x": "b@x"}
    assert maps.read(maps.transport) == {"a@x": NEXT_HOP, "b@x": NEXT_HOP}
    assert (tmp_path / "maps/aliases").read_text() == "a@x a@x\nb@x b@x\n"
    maps.write(["c@x"], {})
    assert maps.read(maps.aliases) == {"c@x": "c@x"}
    maps.write([], {})
    assert maps.read(maps.transport) == {}
    left = {path.name for path in (tmp_path / "maps").iterdir()}
    assert left == {"aliases", "aliases.lmdb", "transport", "transport.lmdb"}


@needs_postmap
def test_an_existing_map_keeps_its_file(tmp_path: Path) -> None:
    """A busy Postfix process would look into a replaced file for a while."""
    maps = writer(tmp_path)
    maps.write(["a@x"], {})
    before = [(tmp_path / f"{name}.lmdb").stat().st_ino for name in NAMES]
    maps.write([f"a{i}@x" for i in range(5000)], {})
    assert [(tmp_path / f"{name}.lmdb").stat().st_ino for name in NAMES] == before


@needs_postmap
@pytest.mark.parametrize("rubbish", [b"", b"rubbish", b"\0" * 20000], ids=["empty", "text", "zeros"])
def test_a_broken_map_is_built_anew(tmp_path: Path, rubbish: bytes) -> None:
    maps = writer(tmp_path)
    maps.write(["a@x"], {})
    (tmp_path / "aliases.lmdb").write_bytes(rubbish)
    maps.write(["b@x"], {})
    assert maps.read(maps.aliases) == {"b@x": "b@x"}


@needs_postmap
def test_many_addresses_are_quick(tmp_path: Path) -> None:
    addresses = [f"sales-{i}@acme.example" for i in range(100_000)]
    maps = writer(tmp_path)
    maps.write(addresses[:10], {})
    started = time.monotonic()
    maps.write(addresses, {})
    taken = time.monotonic() - started
    print(f"100,000 addresses: {taken:.2f} s")
    # Some 0.3 s for both on two cores; the bound allows for a loaded machine.
    assert taken < 5
    assert len(maps.read(maps.aliases)) == 100_000


def write_for_ever(directory: Path, started: Event) -> None:
    """As the leader of a process group of its own."""
    os.setsid()
    started.set()
    maps = writer(directory)
    while True:
        for count in (2000, 3000):
            maps.write([f"a{i}@x" for i in range(count)], {})


@needs_postmap
def test_a_kill_leaves_good_maps(tmp_path: Path) -> None:
    """Killed at any moment, the whole process group with its postmap."""
    writer(tmp_path).write([f"a{i}@x" for i in range(2000)], {})
    fork = multiprocessing.get_context("fork")
    for attempt in range(12):
        started = fork.Event()
        process = fork.Process(target=write_for_ever, args=(tmp_path, started))
        process.start()
        assert started.wait(10)
        time.sleep(0.03 + attempt * 0.005)
        assert process.pid
        os.killpg(process.pid, signal.SIGKILL)
        process.join()
        for name in NAMES:
            assert len(writer(tmp_path).read(tmp_path / name)) in (2000, 3000)


@needs_postmap
def test_readers_always_find_an_address(tmp_path: Path) -> None:
    maps = writer(tmp_path)
    maps.write(["stays@x"], {})
    lookup = ["postmap", "-c", str(tmp_path / "postmap"), "-q", "-", f"lmdb:{tmp_path}/aliases"]
    # One long-lived reader, as Postfix's processes are.
    with subprocess.Popen(lookup, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdin and reader.stdout
        for count in range(1, 9):
            reader.stdin.write("stays@x\n" * 500)
            reader.stdin.flush()
            maps.write(["stays@x", *(f"a{i}@x" for i in range(count * 100))], {})
        reader.stdin.write("a799@x\n")
        reader.stdin.close()
        found = reader.stdout.read().splitlines()
    assert found == ["stays@x\tstays@x"] * 500 * 8 + ["a799@x\ta799@x"]


@needs_postmap
def test_what_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MapError, match="file"):
        writer(tmp_path / "file").write(["a@x"], {})


@needs_postmap
def test_two_maps_in_two_directories(tmp_path: Path) -> None:
    maps = MapWriter(tmp_path / "a/virtual", tmp_path / "b/transport_odoo", "lmtp:unix:x", tmp_path / "scratch")
    maps.prepare()
    maps.write(["b@x"], {})
    assert maps.read(maps.transport) == {"b@x": "lmtp:unix:x"}
    assert {path.name for path in (tmp_path / "a").iterdir()} == {"virtual", "virtual.lmdb"}


@needs_postmap
def test_what_is_needed_is_tried_before(tmp_path: Path) -> None:
    maps = writer(tmp_path)
    maps.prepare()
    assert not maps.present
    maps.write(["a@x"], {})
    maps.prepare()
    assert maps.read(maps.aliases) == {"a@x": "a@x"}


def test_without_postmap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("odoo_lmtp_bridge.maps.find_program", lambda name: None)
    with pytest.raises(MapError, match="postmap is not there: apt install postfix postfix-lmdb"):
        writer(tmp_path).write(["a@x"], {})
    with pytest.raises(ConfigError, match="maps cannot be built: postmap is not there"):
        writer(tmp_path).prepare()
    assert not writer(tmp_path).present


@needs_postmap
def test_a_postmap_without_lmdb(tmp_path: Path) -> None:
    """A configuration directory whose Postfix finds no plug-in, which is what postfix-lmdb brings."""
    maps = writer(tmp_path)
    maps.prepare()
    bare = "compatibility_level = 3.6\ninet_interfaces = loopback-only\nshlib_directory = no\n"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("odoo_lmtp_bridge.maps._MAIN_CF", bare + f"meta_directory = {tmp_path}\n")
        with pytest.raises(ConfigError, match="postmap has no lmdb: apt install postfix-lmdb"):
            maps.prepare()


def test_a_place_that_is_not_to_be_written_in(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="file/postmap: cannot be made: Not a directory"):
        writer(tmp_path / "file").prepare()
