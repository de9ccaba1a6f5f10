# SPDX-License-Identifier: GPL-3.0-or-later
"""The bridge's daemon, as installed, in front of the HTTP stand-in."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bridge.processes import listens, module, running, until

_PROGRAM = "import sys; from odoo_lmtp_bridge.cli import main; sys.exit(main())"
CONCURRENCY = 8
# As the unit has it.
ENVIRONMENT = {"MALLOC_TRIM_THRESHOLD_": "131072"}


@dataclass(frozen=True)
class Daemon:
    """A running bridge: its process and its LMTP socket."""

    pid: int
    socket: Path


@contextmanager
def http_sink(port: int, addresses: int = 1000, delay: float = 0) -> Iterator[int]:
    """Run the stand-in and yield its process id."""
    with running(*module("http_sink", str(port), str(addresses), str(delay))) as pid:
        until(lambda: listens(port), f"port {port}")
        yield pid


@contextmanager
def bridge(directory: Path, port: int, **settings: object) -> Iterator[Daemon]:
    """Run the bridge with its state under `directory`, which is made, before the stand-in at `port`."""
    with bridge_of(directory, f"http://127.0.0.1:{port}", "prod", "benchmark", **settings) as daemon:
        yield daemon


@contextmanager
def bridge_of(directory: Path, url: str, database: str, token: str, **settings: object) -> Iterator[Daemon]:
    """As `bridge`, before the Odoo at `url`."""
    (directory / "tokens").mkdir(parents=True)
    (directory / "tokens" / "prod").write_text(token)
    socket = Path(str(settings.pop("socket", directory / "lmtp")))
    document = {
        "databases": [{"name": "prod", "url": url, "database": database}],
        "concurrency": CONCURRENCY,
        "state_directory": str(directory / "state"),
        "socket": str(socket),
        "metrics": "",
        **settings,
    }
    # YAML holds JSON.
    (directory / "config.yml").write_text(json.dumps(document))
    command = (sys.executable, "-c", _PROGRAM, "-c", str(directory / "config.yml"), "daemon")
    with (directory / "log").open("w+") as log, running(*command, listens=socket, log=log, more=ENVIRONMENT) as pid:
        aliases = directory / "state" / "maps" / "aliases.lmdb"
        try:
            until(aliases.exists, "the maps")
            yield Daemon(pid, socket)
        except AssertionError:
            log.seek(0)
            sys.stderr.write(log.read()[-2000:])
            raise
