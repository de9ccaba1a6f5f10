# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of ansible-playbook that wait after each step until the test lets them go on, or kills them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

from support.playbooks import ROOT

BEGINS, CHANGED = "begins", "changed"
# Called with what a task does (BEGINS or CHANGED) and its name; returns whether the run is killed here.
Step = Callable[[str, str], bool]


def conducted(command: list[str], environment: Mapping[str, str], step: Step) -> subprocess.CompletedProcess[str]:
    """Run a command of Ansible's; before each task, and after each that changed something, `step` decides."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as server:
        path, printed = Path(folder, "socket"), Path(folder, "printed")
        server.bind(str(path))
        server.listen(1)
        told = {
            **environment,
            "CONDUCTOR": str(path),
            "ANSIBLE_CALLBACKS_ENABLED": f"conductor,{environment['ANSIBLE_CALLBACKS_ENABLED']}",
        }
        with printed.open("w") as output, subprocess.Popen(
            command, cwd=ROOT, env=told, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        ) as run:  # fmt: skip
            try:
                server.settimeout(60)
                connection, _address = server.accept()
                with connection, connection.makefile() as lines:
                    for line in lines:
                        if step(*json.loads(line)):
                            break
                        connection.sendall(b".")
                    else:
                        run.wait()
            finally:
                if run.poll() is None:
                    # The run with all its processes, which are in a session of their own.
                    os.killpg(run.pid, signal.SIGKILL)
        return subprocess.CompletedProcess(command, run.returncode, printed.read_text(), "")


def on(what: str, name: str) -> bool:
    """Let the run go on."""
    return False


def noting(changed: list[str]) -> Step:
    """Return a step that notes the names of the tasks that change something."""

    def step(what: str, name: str) -> bool:
        if what == CHANGED:
            changed.append(name)
        return False

    return step


def killed_after(task: str, time: int = 1) -> Step:
    """Return a step that kills the run once a task of this name has changed something, at which time it does."""
    left = [time]

    def step(what: str, name: str) -> bool:
        if what == CHANGED and name.startswith(task):
            left[0] -= 1
        return left[0] == 0

    return step


class Broken:
    """A step that breaks something when a task of this name, or of one that begins so, begins or is skipped.

    It is broken the time that is given, and mended at the end of the `with` block, within which such a task must have
    come.
    """

    def __init__(self, task: str, breaking: AbstractContextManager[None], time: int = 1) -> None:
        self._task, self._breaking, self._left, self._is_broken = task, breaking, time, False

    def __call__(self, what: str, name: str) -> bool:
        if what == BEGINS and name.startswith(self._task):
            self._left -= 1
            if self._left == 0:
                self._breaking.__enter__()
                self._is_broken = True
        return False

    def __enter__(self) -> Broken:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        assert self._is_broken, f"the run came to no task {self._task}"
        self._breaking.__exit__(None, None, None)
