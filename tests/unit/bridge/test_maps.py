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
from odoo_lmtp_bridge.maps import (
    ALIASES,
    NEXT_HOP,
    TRANSPORT,
    MapError,
    MapWriter,
    render_aliases,
    render_transport,
)

needs_postmap = pytest.mark.skipif(
    shutil.which("postmap") is None, reason="postmap is not here: run this in the gateway's image"
)


def test_rendering() -> None:
    assert render_aliases(["b@x", "a@x"], {}) == "a@x a@x\nb@x b@x\n"
    assert render_transport(["b@x", "a@x"]) == f"a@x {NEXT_HOP}\nb@x {NEXT_HOP}\n"
    assert render_aliases([], {}) == ""
    assert render_aliases(["a@x", "old@x"], {"old@x": "a@x"}) == "a@x a@x\nold@x a@x\n"


@needs_postmap
def test_write_and_read(tmp_path: Path) -> None:
    maps = MapWriter(tmp_path / "maps")
    assert not maps.present
    maps.write(["b@x", "a@x"], {})
    assert maps.present
    assert maps.read(ALIASES) == {"a@x": "a@x", "b@x": "b@x"}
    assert maps.read(TRANSPORT) == {"a@x": NEXT_HOP, "b@x": NEXT_HOP}
    assert (tmp_path / "maps/aliases").read_text() == "a@x a@x\nb@x b@x\n"
    maps.write(["c@x"], {})
    assert maps.read(ALIASES) == {"c@x": "c@x"}
    maps.write([], {})
    assert maps.read(TRANSPORT) == {}
    left = {path.name for path in (tmp_path / "maps").iterdir()}
    assert left == {".postmap", "aliases", "aliases.lmdb", "transport", "transport.lmdb"}


@needs_postmap
def test_an_existing_map_keeps_its_file(tmp_path: Path) -> None:
    """A busy Postfix process would look into a replaced file for a while."""
    maps = MapWriter(tmp_path)
    maps.write(["a@x"], {})
    before = [(tmp_path / f"{name}.lmdb").stat().st_ino for name in (ALIASES, TRANSPORT)]
    maps.write([f"a{i}@x" for i in range(5000)], {})
    assert [(tmp_path / f"{name}.lmdb").stat().st_ino for name in (ALIASES, TRANSPORT)] == before


@needs_postmap
@pytest.mark.parametrize("rubbish", [b"", b"rubbish", b"\0" * 20000], ids=["empty", "text", "zeros"])
def test_a_broken_map_is_built_anew(tmp_path: Path, rubbish: bytes) -> None:
    maps = MapWriter(tmp_path)
    maps.write(["a@x"], {})
    (tmp_path / "aliases.lmdb").write_bytes(rubbish)
    maps.write(["b@x"], {})
    assert maps.read(ALIASES) == {"b@x": "b@x"}


@needs_postmap
def test_many_addresses_are_quick(tmp_path: Path) -> None:
    addresses = [f"sales-{i}@acme.example" for i in range(100_000)]
    started = time.monotonic()
    MapWriter(tmp_path).write(addresses, {})
    # Some 0.4 s for both on two cores; the bound allows for a loaded machine.
    assert time.monotonic() - started < 5
    assert len(MapWriter(tmp_path).read(ALIASES)) == 100_000


def write_for_ever(directory: Path, started: Event) -> None:
    """As the leader of a process group of its own."""
    os.setsid()
    started.set()
    maps = MapWriter(directory)
    while True:
        for count in (2000, 3000):
            maps.write([f"a{i}@x" for i in range(count)], {})


@needs_postmap
def test_a_kill_leaves_good_maps(tmp_path: Path) -> None:
    """Killed at any moment, the whole process group with its postmap."""
    MapWriter(tmp_path).write([f"a{i}@x" for i in range(2000)], {})
    fork = multiprocessing.get_context("fork")
    for attempt in range(12):
        started = fork.Event()
        writer = fork.Process(target=write_for_ever, args=(tmp_path, started))
        writer.start()
        assert started.wait(10)
        time.sleep(0.03 + attempt * 0.005)
        assert writer.pid
        os.killpg(writer.pid, signal.SIGKILL)
        writer.join()
        for name in (ALIASES, TRANSPORT):
            assert len(MapWriter(tmp_path).read(name)) in (2000, 3000)


@needs_postmap
def test_readers_always_find_an_address(tmp_path: Path) -> None:
    maps = MapWriter(tmp_path)
    maps.write(["stays@x"], {})
    lookup = ["postmap", "-c", str(tmp_path / ".postmap"), "-q", "-", f"lmdb:{tmp_path}/aliases"]
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
        MapWriter(tmp_path / "file").write(["a@x"], {})


def test_without_postmap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(MapError, match="postmap"):
        MapWriter(tmp_path).write(["a@x"], {})
    assert not MapWriter(tmp_path).present
