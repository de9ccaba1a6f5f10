# SPDX-License-Identifier: GPL-3.0-or-later
"""What a mail costs on its way through the bridge to an HTTP server: CPU, time, memory."""

import http.client
import json
import resource
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.bridge.daemon import Daemon, bridge, http_sink
from benchmarks.bridge.lmtp_load import RECIPIENT, Peer, message, rate, same, transaction
from benchmarks.bridge.processes import cpu_seconds, memory

SIZE = 4 << 10
MIB = 1 << 20
BUDGET = 64 * MIB
LARGE = 20 * MIB


def cpu_per_mail(daemon: Daemon, runs: int = 5, count: int = 200, sessions: int = 10) -> float:
    """Milliseconds of CPU that the bridge takes for a mail of 4 KiB."""
    found = []
    for _run in range(runs):
        before = cpu_seconds(daemon.pid)
        rate(str(daemon.socket), same(message(SIZE), count, sessions))
        found.append((cpu_seconds(daemon.pid) - before) / (count * sessions) * 1000)
    return statistics.median(found)


def mailgate_cpu(script: Path, port: int, runs: int = 15) -> float:
    """Milliseconds of CPU that Odoo's script takes for the same mail, its interpreter included."""
    found = []
    for _run in range(runs):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(["python3", script, "--port", str(port)], input=message(SIZE), check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000)
    return statistics.median(found)


def latency(daemon: Daemon, port: int, count: int = 400) -> float:
    """Milliseconds (p50) that the bridge adds to a post of the same mail by a client with its connection open.

    One mail at a time; both ways take turns.
    """
    through, direct = [], []
    content = message(SIZE)
    client = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"X-Mail-Recipients": json.dumps([RECIPIENT]), "X-Mail-Sender": '""', "Content-Type": "message/rfc822"}
    peer = Peer(str(daemon.socket), iter([*transaction(content)] * count))
    peer.socket.setblocking(True)
    for _mail in range(count):
        started = time.perf_counter()
        for _step in range(2):
            peer.next()
            peer.send()
            while not peer.receive():
                pass
        answered = time.perf_counter()
        client.request("POST", "/mail_delivery/pipe", content, headers)
        client.getresponse().read()
        through.append(answered - started)
        direct.append(time.perf_counter() - answered)
    peer.socket.close()
    client.close()
    return (statistics.median(through) - statistics.median(direct)) * 1000


def peak(directory: Path, port: int, sessions: int = 10) -> tuple[float, float]:
    """(MiB idle, MiB at the most) with a byte budget of 64 MiB and ten mails of 20 MiB at once to a slow server."""
    with (
        http_sink(port, delay=0.5),
        bridge(directory, port, byte_budget=BUDGET, message_size_limit=LARGE * 2) as daemon,
    ):
        idle = memory(daemon.pid)
        rate(str(daemon.socket), same(message(LARGE), 2, sessions))
        return idle / MIB, memory(daemon.pid, "VmHWM") / MIB


def idle_memory(directory: Path, port: int, addresses: int) -> float:
    """MiB of a bridge that knows so many addresses and has delivered a few mails."""
    with http_sink(port, addresses), bridge(directory, port) as daemon:
        rate(str(daemon.socket), same(message(SIZE), 20, 10))
        return memory(daemon.pid) / MIB


def measure(mailgate: Path) -> dict[str, float]:
    """All of this, by name."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        figures = {}
        with http_sink(8101), bridge(directory / "cpu", 8101) as daemon:
            rate(str(daemon.socket), same(message(SIZE), 50, 10))
            figures["CPU per mail, ms"] = cpu_per_mail(daemon)
            figures["CPU per mail of mailgate, ms"] = mailgate_cpu(mailgate, 8101)
            figures["added latency, ms"] = latency(daemon, 8101)
        figures["memory, 1,000 addresses, MiB"] = idle_memory(directory / "few", 8102, 1000)
        figures["memory, 100,000 addresses, MiB"] = idle_memory(directory / "many", 8103, 100_000)
        figures["memory before large mails, MiB"], figures["peak memory, MiB"] = peak(directory / "peak", 8104)
    return figures
