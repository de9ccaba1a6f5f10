# SPDX-License-Identifier: GPL-3.0-or-later
"""Through one real Postfix to smtp-sink, to the LMTP side alone, and to the bridge with the HTTP stand-in behind it."""

import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.bridge.daemon import bridge, http_sink
from benchmarks.bridge.processes import listens, module, running, until

SPOOL = Path("/var/spool/postfix")
MAILS = 400
SESSIONS = 10
RUNS = 5
RECIPIENTS = {name: f"sales@{name}.example" for name in ("smtp-sink", "discard")} | {"bridge": "sales@acme.example"}
MAIN_CF = f"""
compatibility_level = 3.6
maillog_file = /var/log/postfix.log
inet_interfaces = loopback-only
mydestination =
mynetworks = 127.0.0.0/8
relay_domains = acme.example smtp-sink.example discard.example
transport_maps = inline:{{
  {{ acme.example = lmtp:unix:private/bridge }}
  {{ smtp-sink.example = lmtp:unix:private/smtp-sink }}
  {{ discard.example = lmtp:unix:private/discard }} }}
lmtp_destination_concurrency_limit = {SESSIONS}
"""


@contextmanager
def postfix() -> Iterator[None]:
    """A Postfix of this container's own."""
    # As the package's postinst leaves it, where a service would put these files in place.
    Path("/etc/postfix/main.cf").write_text(MAIN_CF)
    subprocess.run(["postfix", "start"], check=True, capture_output=True)
    try:
        until(lambda: listens(25), "Postfix")
        yield
    finally:
        subprocess.run(["postfix", "stop"], check=True, capture_output=True)


def waiting() -> int:
    """How many mails are in the queue."""
    return sum(
        path.is_file() for name in ("maildrop", "incoming", "active", "deferred") for path in (SPOOL / name).rglob("*")
    )


def rate(recipient: str) -> float:
    """Messages a second until none is left in the queue."""
    started = time.perf_counter()
    command = ["smtp-source", "-s", str(SESSIONS), "-m", str(MAILS), "-l", "4096", "-t", recipient, "inet:127.0.0.1:25"]
    subprocess.run(command, check=True)
    until(lambda: waiting() == 0, "an empty queue", 60)
    return MAILS / (time.perf_counter() - started)


def measure() -> dict[str, float]:
    """The rates as shares of that to smtp-sink: the medians of runs that take turns."""
    private = SPOOL / "private"
    sink, discard = private / "smtp-sink", private / "discard"
    with (
        tempfile.TemporaryDirectory() as directory,
        http_sink(8105),
        postfix(),
        running("smtp-sink", "-L", "-u", "postfix", f"unix:{sink}", "100", listens=sink),
        running(*module("discard", "uvloop", str(discard)), listens=discard),
        bridge(Path(directory, "bridge"), 8105, socket=str(private / "bridge")) as daemon,
    ):
        for path in (discard, daemon.socket):
            shutil.chown(path, "postfix")
        runs = [{name: rate(recipient) for name, recipient in RECIPIENTS.items()} for _run in range(RUNS)]
    return {
        f"{name} through Postfix, of smtp-sink": statistics.median(run[name] / run["smtp-sink"] for run in runs)
        for name in ("discard", "bridge")
    } | {"smtp-sink through Postfix, mails/s": statistics.median(run["smtp-sink"] for run in runs)}


if __name__ == "__main__":
    print(measure())
