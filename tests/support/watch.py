# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking over the shoulder of a run, for secrets that leave it."""

from __future__ import annotations

import contextlib
import os
import threading
from pathlib import Path
from types import TracebackType


class Watch:
    """Keeps what processes are told as arguments, and what lies in a folder, while the `with` block lasts."""

    def __init__(self, folder: Path) -> None:
        self.seen: set[bytes] = set()
        self._folder = folder
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(0.1):
            commands = [Path("/proc", entry, "cmdline") for entry in os.listdir("/proc") if entry.isdigit()]
            # os.walk passes over what is gone by the time it gets there, where Path.rglob would end this thread.
            files = [Path(folder, name) for folder, _folders, names in os.walk(self._folder) for name in names]
            for path in (*commands, *files):
                with contextlib.suppress(OSError):
                    self.seen.add(path.read_bytes())
