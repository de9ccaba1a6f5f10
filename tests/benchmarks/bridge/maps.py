# SPDX-License-Identifier: GPL-3.0-or-later
"""How long both of Postfix's maps take to write, and whether a lookup meanwhile ever misses."""

import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from odoo_lmtp_bridge.maps import MapWriter

KEYS = 100_000
RUNS = 5
LOOKUPS = 100
ASKED = "address-00050000@acme.example"


def measure() -> dict[str, float]:
    """Seconds for both maps of 100,000 keys (the median), lookups made meanwhile, and those that missed."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        writer = MapWriter(
            directory / "aliases", directory / "transport", "odoo-lmtp:unix:private/x", directory / "tmp"
        )
        addresses = [f"address-{number:08d}@acme.example" for number in range(KEYS)]
        writer.write(addresses, {})
        seconds = [_write(writer, [*addresses, f"run-{run}@acme.example"]) for run in range(RUNS)]
        answers: list[bool] = []
        done = threading.Event()
        reader = threading.Thread(target=_look_up, args=(directory, done, answers))
        reader.start()
        while len(answers) < LOOKUPS:
            _write(writer, addresses)
        done.set()
        reader.join()
        return {
            "maps of 100,000 keys, s": statistics.median(seconds),
            "lookups meanwhile": len(answers),
            "missed": answers.count(False),
        }


def _write(writer: MapWriter, addresses: list[str]) -> float:
    started = time.perf_counter()
    writer.write(addresses, {})
    return time.perf_counter() - started


def _look_up(directory: Path, done: threading.Event, answers: list[bool]) -> None:
    # The writer's own main.cf: there is none for Postfix here.
    command = ["postmap", "-c", str(directory / "tmp"), "-q", ASKED, f"lmdb:{directory / 'aliases'}"]
    while not done.is_set():
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        answers.append(found.stdout.strip() == ASKED)


if __name__ == "__main__":
    print(measure())
