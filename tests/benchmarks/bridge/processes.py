# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting what is measured, and asking the kernel what it costs."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import IO, TypeVar

T = TypeVar("T")
_TICK = os.sysconf("SC_CLK_TCK")
PATIENCE = 30


def until(condition: Callable[[], T], what: str, seconds: float = PATIENCE) -> T:
    """The condition's first true value; AssertionError after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {seconds} s in vain for {what}"
        time.sleep(0.005)
    return value


@contextmanager
def running(
    *command: str,
    listens: Path | None = None,
    log: IO[str] | None = None,
    more: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[int]:
    """Yields the process id of a command, once the socket `listens` is there; ends it afterwards.

    `log` gets its standard error; `more` is added to its environment.
    """
    with subprocess.Popen(command, stderr=log, env={**os.environ, **more}) as process:
        try:
            if listens is not None:
                until(lambda: listens.exists() or process.poll() is not None, f"{listens}")
            assert process.poll() is None, f"{command} ended"
            yield process.pid
        finally:
            process.terminate()
            process.wait(PATIENCE)
            if listens is not None:
                listens.unlink(missing_ok=True)


def module(name: str, *arguments: str) -> Sequence[str]:
    """The command that runs a module of this package."""
    return (sys.executable, "-m", f"benchmarks.bridge.{name}", *arguments)


def cpu_seconds(pid: int) -> float:
    """What the process has used so far, in user and system mode."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def memory(pid: int, field: str = "VmRSS") -> int:
    """Bytes: VmRSS is what the process holds now, VmHWM the most it has held."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith(f"{field}:"))


def listens(port: int) -> bool:
    """Whether something listens on this port of the loopback."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0
