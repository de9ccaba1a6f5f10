# SPDX-License-Identifier: GPL-3.0-or-later
"""The quarantine: what is in it is whole and on disk, bounded, and nobody else's to read."""

import os
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import odoo_lmtp_bridge
import pytest
from odoo_lmtp_bridge.quarantine import Damaged, Quarantine, QuarantineFull

MIB = 1 << 20
CONTENT = b"Message-Id: <1@x>\r\nSubject: canary\r\n\r\n\xff\0\n\n{}\r\n"


def put(quarantine: Quarantine, content: bytes = CONTENT, **more: str) -> str:
    values = {"database": "prod", "message_id": "<1@x>", "reason": "application error ValueError"} | more
    return quarantine.put(content, "jos\u00e9@y", ["a@x", "b@x"], **values)


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """A full disk, as far as this process can tell."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path / "q", MIB)
    assert (quarantine.messages, quarantine.size, quarantine.entries()) == (0, 0, [])
    id = put(quarantine)
    entry, content = quarantine.read(id)
    assert content == CONTENT
    assert (entry.id, entry.sender, entry.recipients, entry.database) == (id, "jos\u00e9@y", ("a@x", "b@x"), "prod")
    assert (entry.message_id, entry.reason, entry.size) == ("<1@x>", "application error ValueError", len(CONTENT))
    # Another process sees the same.
    other = Quarantine(tmp_path / "q", MIB)
    assert other.entries() == quarantine.entries() == [entry]
    assert other.messages == quarantine.messages == 1
    assert other.size == quarantine.size == (tmp_path / "q" / f"{id}.mail").stat().st_size
    other.remove(id)
    assert (quarantine.messages, quarantine.size, quarantine.entries()) == (0, 0, [])
    for method in (quarantine.read, quarantine.remove):
        with pytest.raises(KeyError):
            method(id)


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    directory = tmp_path / "q"
    directory.mkdir()
    directory.chmod(0o755)
    mask = os.umask(0)
    try:
        put(Quarantine(directory, MIB))
        with Quarantine(directory, MIB).replaying():
            pass
    finally:
        os.umask(mask)
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}


def test_an_entry_shows_nothing_of_the_content(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path, MIB)
    put(quarantine, message_id="<1@x>\r\n injected", reason="line\nbreak")
    (entry,) = quarantine.entries()
    assert (entry.message_id, entry.reason) == ("<1@x> injected", "line break")
    assert "canary" not in repr(entry)


def test_the_file_and_its_name_are_on_disk_before_it_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []
    really = os.fsync

    def fsync(descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        synced.append((path == tmp_path, [p.suffix for p in tmp_path.glob("*.mail")]))
        really(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    put(Quarantine(tmp_path, MIB))
    assert synced == [(False, []), (True, [".mail"])]


@pytest.mark.parametrize("id", ["../../etc/passwd", "", ".", "20260101T000000Z-0000000", "20260101T000000Z-0000000g"])
def test_an_id_leads_nowhere_else(tmp_path: Path, id: str) -> None:
    with pytest.raises(KeyError):
        Quarantine(tmp_path, MIB).read(id)
    with pytest.raises(KeyError):
        Quarantine(tmp_path, MIB).remove(id)


def test_it_is_bounded(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path, 2000)
    first = put(quarantine)
    with pytest.raises(QuarantineFull, match="quarantine_limit"):
        put(quarantine, b"x" * 2000)
    assert [entry.id for entry in quarantine.entries()] == [first]
    while quarantine.messages < 5:
        put(quarantine)
    with pytest.raises(QuarantineFull):
        put(quarantine, b"x" * 1000)
    with pytest.raises(QuarantineFull):
        quarantine.check(1000)
    # Room that another process made is seen.
    Quarantine(tmp_path, 2000).remove(first)
    quarantine.check(1)
    put(quarantine)


def test_processes_at_once_stay_within_the_bound(tmp_path: Path) -> None:
    quarantines = [Quarantine(tmp_path, 20_000) for _number in range(4)]

    def fill(quarantine: Quarantine) -> int:
        for count in range(1000):
            try:
                put(quarantine)
            except QuarantineFull:
                return count
        raise AssertionError("there is no bound")

    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(fill, quarantines))
    assert sum(counts) == quarantines[0].messages == len(quarantines[0].entries())
    assert 19_000 < quarantines[0].size <= 20_000


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path, MIB)
    kept = put(quarantine)
    with files_of_at_most(10_000), pytest.raises(OSError, match="too large"):
        put(quarantine, b"x" * 20_000)
    assert [path.name for path in tmp_path.iterdir()] == [f"{kept}.mail"]
    with files_of_at_most(10_000), pytest.raises(OSError, match="too large"):
        quarantine.keep(kept, ["a@x"], b"x" * 20_000)
    assert quarantine.read(kept)[1] == CONTENT


def test_a_place_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "q").write_text("")
    quarantine = Quarantine(tmp_path / "q", MIB)
    with pytest.raises(OSError):
        put(quarantine)
    with pytest.raises(OSError):
        quarantine.check(1)
    assert quarantine.messages == 0


def test_fewer_recipients(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path, MIB)
    id = put(quarantine)
    before = quarantine.entries()[0]
    quarantine.keep(id, ["b@x"], b"other")
    entry, content = quarantine.read(id)
    assert (entry.recipients, content, entry.time) == (("b@x",), b"other", before.time)
    assert quarantine.messages == 1
    assert quarantine.size == (tmp_path / f"{id}.mail").stat().st_size


@pytest.mark.parametrize("damage", [b"", b"{}\n", b"[" * 100_000, b"\xff\n", b'{"time": 1}\ncontent'])
def test_a_damaged_file_harms_no_other(tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture) -> None:
    quarantine = Quarantine(tmp_path, MIB)
    good, bad = put(quarantine), put(quarantine)
    (tmp_path / f"{bad}.mail").write_bytes(damage)
    (tmp_path / "something else").write_text("")
    assert [entry.id for entry in quarantine.entries()] == [good]
    assert bad in caplog.text
    with pytest.raises(Damaged, match=bad):
        quarantine.read(bad)


def test_a_cut_file_is_not_taken_for_the_message(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path, MIB)
    id = put(quarantine)
    path = tmp_path / f"{id}.mail"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(Damaged, match="bytes instead of"):
        quarantine.read(id)


def test_one_replay_at_a_time(tmp_path: Path) -> None:
    with Quarantine(tmp_path, MIB).replaying(), pytest.raises(BlockingIOError):
        Quarantine(tmp_path, MIB).replaying().__enter__()
    with Quarantine(tmp_path, MIB).replaying():
        # The daemon goes on meanwhile.
        put(Quarantine(tmp_path, MIB))


WRITER = """
import sys
from pathlib import Path
from odoo_lmtp_bridge.quarantine import Quarantine
quarantine = Quarantine(Path(sys.argv[1]), 1 << 30)
while True:
    print(quarantine.put(b"x" * 300_000, "s@y", ["a@x"], "prod", "<1@x>", "r"), flush=True)
"""


def test_a_killed_writer_leaves_whole_messages(tmp_path: Path) -> None:
    source = str(Path(odoo_lmtp_bridge.__file__).parents[1])
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": source},
    )
    assert writer.stdout
    answered = [writer.stdout.readline().strip() for _number in range(20)]
    writer.kill()
    answered += writer.stdout.read().split()
    writer.wait()
    writer.stdout.close()
    quarantine = Quarantine(tmp_path, 1 << 30)
    found = [entry.id for entry in quarantine.entries()]
    assert set(answered) <= set(found)
    assert all(quarantine.read(id)[1] == b"x" * 300_000 for id in found)
    (tmp_path / ".new").write_bytes(b"left by a kill")
    put(quarantine)
    assert not (tmp_path / ".new").exists()
