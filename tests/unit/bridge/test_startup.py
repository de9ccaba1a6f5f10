# SPDX-License-Identifier: GPL-3.0-or-later
"""What is refused before any mail is taken, and what is not."""

import os
import pwd
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from odoo_lmtp_bridge.config import ConfigError, Listen
from odoo_lmtp_bridge.startup import (
    listen_tcp,
    require_directory,
    require_own,
    require_private_directory,
    require_writable,
    unix_listener,
)

NOBODY = 65534

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def short() -> Iterator[Path]:
    """A directory whose path leaves room for a socket's name, and that all can reach."""
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        yield Path(directory)


def as_nobody(short: Path, call: str) -> str:
    """What a call of a function of `startup` says to an unprivileged user."""
    program = (
        "import os, sys; from pathlib import Path; from odoo_lmtp_bridge import startup, config\n"
        f"os.setgid({NOBODY}); os.setuid({NOBODY})\n"
        "try:\n"
        f"    with startup.{call}: print('taken')\n"
        "except config.ConfigError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
        cwd=short,
    )
    return done.stdout.strip()


def test_a_new_socket_is_private_and_goes_with_its_owner(short: Path) -> None:
    path = short / "lmtp"
    with unix_listener(path) as listener:
        status = path.lstat()
        assert stat.S_IMODE(status.st_mode) == 0o600
        try:
            postfix = pwd.getpwnam("postfix").pw_uid
        except KeyError:
            postfix = os.geteuid()
        assert status.st_uid == (postfix if os.geteuid() == 0 else os.geteuid())
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            listener.accept()[0].close()
    assert not path.exists()


def test_a_stale_socket_is_replaced(short: Path) -> None:
    path = short / "lmtp"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
        left.listen()
    with unix_listener(path), socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))


@pytest.mark.parametrize("backlog", [0, 10])
def test_a_live_socket_stays(short: Path, backlog: int) -> None:
    path = short / "lmtp"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen(backlog)
        waiting = []
        for _client in range(2 if backlog == 0 else 0):
            waiting.append(socket.socket(socket.AF_UNIX))
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(str(path))
        with pytest.raises(ConfigError, match="another process listens on .*systemctl stop"), unix_listener(path):
            pass
        for client in waiting:
            client.close()
        assert path.is_socket()


@pytest.mark.parametrize("kind", ["file", "directory", "link"])
def test_what_is_no_socket_stays(short: Path, kind: str) -> None:
    path = short / "lmtp"
    if kind == "file":
        path.write_text("precious")
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to(short / "nowhere")
    with pytest.raises(ConfigError, match="is there and is no socket"), unix_listener(path):
        pass
    assert path.exists() or path.is_symlink()


def test_a_socket_that_another_made_in_the_meantime_stays(short: Path) -> None:
    path = short / "lmtp"
    with socket.socket(socket.AF_UNIX) as other:
        with unix_listener(path):
            path.unlink()
            other.bind(str(path))
        assert path.is_socket()


def test_of_two_that_start_at_once_one_is_refused(short: Path) -> None:
    path = short / "lmtp"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    outcomes: list[str] = []
    taken, both = threading.Event(), threading.Barrier(2)

    def start() -> None:
        both.wait(10)
        try:
            with unix_listener(path):
                outcomes.append("taken")
                taken.wait(10)
        except ConfigError:
            outcomes.append("refused")
            taken.set()

    threads = [threading.Thread(target=start) for _number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == ["refused", "taken"]


def test_a_socket_where_none_can_be(short: Path) -> None:
    with pytest.raises(ConfigError, match="gone is not there; .*postfix start"), unix_listener(short / "gone" / "lmtp"):
        pass
    with pytest.raises(ConfigError, match="too long"), unix_listener(short / ("x" * 150)):
        pass


@needs_root
def test_a_socket_where_this_user_may_not(short: Path) -> None:
    said = as_nobody(short, f"unix_listener(Path({str(short / 'lmtp')!r}))")
    assert said.startswith(f"socket: {short} is not writable by nobody: let systemd make the socket")


def test_directories_are_made(short: Path) -> None:
    require_directory(short / "a" / "b")
    assert (short / "a" / "b").is_dir()
    require_private_directory(short / "a" / "q")
    assert stat.S_IMODE((short / "a" / "q").stat().st_mode) == 0o700
    (short / "a" / "q").chmod(0o755)
    require_private_directory(short / "a" / "q")
    assert stat.S_IMODE((short / "a" / "q").stat().st_mode) == 0o700
    require_own(short / "a")


def test_a_directory_that_cannot_be(short: Path) -> None:
    (short / "file").write_text("")
    with pytest.raises(ConfigError, match="file/x: cannot be made: Not a directory; let .* write there"):
        require_directory(short / "file" / "x")
    with pytest.raises(ConfigError, match="file: cannot be made: File exists"):
        require_directory(short / "file")
    require_writable(short / "none")


@needs_root
def test_a_directory_of_another_users(short: Path) -> None:
    (short / "state").mkdir()
    said = as_nobody(short, f"require_directory(Path({str(short / 'state')!r}))")
    assert said == (
        f"{short}/state: not writable by nobody; let nobody write there (chown nobody {short}/state), "
        "or name another place"
    )
    os.chown(short / "state", NOBODY, NOBODY)
    with pytest.raises(ConfigError, match="belongs to user 65534, this is root: let systemd run"):
        require_own(short / "state")


def test_a_port_in_use_is_named_with_the_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(
            ConfigError, match=rf"metrics: 127.0.0.1:{port}: in use by another program \(ss -ltnp 'sport = :{port}'"
        ):
            listen_tcp("metrics", Listen("127.0.0.1", port))


def test_an_address_of_another_machine() -> None:
    with pytest.raises(ConfigError, match=r"webhook: 192\.0\.2\.1:8025: not an address of this machine"):
        listen_tcp("webhook", Listen("192.0.2.1", 8025))
