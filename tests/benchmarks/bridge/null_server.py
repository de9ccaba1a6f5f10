# SPDX-License-Identifier: GPL-3.0-or-later
"""The LMTP side against smtp-sink, Postfix's own server that takes mail and forgets it."""

import statistics
import tempfile
from pathlib import Path

from benchmarks.bridge.lmtp_load import message, rate, same
from benchmarks.bridge.processes import module, running

SESSIONS = 10
RUNS = 11
# Bytes of a mail → how many each connection sends
SIZES = {4 << 10: 200, 100 << 10: 30}
OURS = ("asyncio", "uvloop")


def measure() -> dict[str, float]:
    """Of smtp-sink's rate, as ``<loop> <KiB>``: the medians of runs that take turns."""
    ratios: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as directory:
        paths = {name: Path(directory, name) for name in ("smtp-sink", *OURS)}
        sink = ("smtp-sink", "-L", "-u", "root", f"unix:{paths['smtp-sink']}", "100")
        with (
            running(*sink, listens=paths["smtp-sink"]),
            running(*module("discard", "asyncio", str(paths["asyncio"])), listens=paths["asyncio"]),
            running(*module("discard", "uvloop", str(paths["uvloop"])), listens=paths["uvloop"]),
        ):
            for _run in range(RUNS):
                for size, count in SIZES.items():
                    rates = {
                        name: rate(str(path), same(message(size), count, SESSIONS)) for name, path in paths.items()
                    }
                    for name in OURS:
                        ratios.setdefault(f"{name} {size >> 10}", []).append(rates[name] / rates["smtp-sink"])
    return {name: statistics.median(found) for name, found in ratios.items()}


if __name__ == "__main__":
    print(measure())
