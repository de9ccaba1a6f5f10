# SPDX-License-Identifier: GPL-3.0-or-later
"""A BIND of a test's own, with zones that may be changed: it runs in the sandbox's internet, on a port of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import host
import secretfiles

from support.machines import Internet
from support.waiting import until

KEYS = ("mailops", "other")
OPTIONS = """
options {{
    directory "{folder}"; pid-file "named.pid"; session-keyfile "session.key";
    listen-on port {port} {{ any; }}; listen-on-v6 {{ none; }};
    recursion no; dnssec-validation no; empty-zones-enable no; notify no; allow-transfer {{ any; }};
}};
controls {{ }};
logging {{
    channel all {{ file "log"; severity info; print-category yes; }};
    category default {{ all; }}; category queries {{ all; }};
}};
"""
# A port below those of clients: with one of theirs, dig may be given the server's own, and then reads its question as
# the answer.
FREE_PORT = """
import random, socket
for port in random.sample(range(10000, 30000), 100):
    try:
        socket.create_server(("", port)).close()
    except OSError:
        continue
    print(port)
    break
"""
ZONE = 'zone "{zone}" {{ type primary; file "{file}"; {policy} }};\n'
UPDATABLE = "allow-update { key mailops; key other; };"
# Of every zone; the name server is one that nobody asks.
BEGINNING = "$ORIGIN {zone}.\n$TTL 300\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.53\n"


class Bind:
    """A running server. It has the zones that were given, and the keys KEYS, which have the sandbox's secret."""

    def __init__(self, internet: Internet, folder: str, port: int) -> None:
        self._internet = internet
        self._folder = folder
        self.port = port
        self.address = internet.ip

    def connection(self, **options: Any) -> dict[str, Any]:
        """Return the connection options of our modules."""
        return {
            "backend": "rfc2136",
            "server": self.address,
            "port": self.port,
            "key_name": "mailops",
            "key_secret": secretfiles.values()["vault_dns_tsig_secret"],
            **options,
        }

    def log(self) -> str:
        """Return what it has logged: every question, and more."""
        return self._internet.run("sh", "-c", f"touch {self._folder}/log; cat {self._folder}/log", check=True).stdout

    def has(self, name: str, record_type: str, *options: str) -> list[str]:
        """Return what it answers, as dig shows it: `TTL value`, sorted."""
        dig = ["dig", "+norecurse", "+noall", "+answer", "-p", str(self.port), "@127.0.0.1", *options]
        lines = self._internet.run(*dig, name, record_type, check=True).stdout.splitlines()
        return sorted(f"{line.split()[1]} {line.split(None, 4)[4]}" for line in lines)

    def update(self, *commands: str) -> None:
        """Carry out commands of nsupdate, as another writer."""
        secret = secretfiles.values()["vault_dns_tsig_secret"]
        script = [f"server 127.0.0.1 {self.port}", f"key hmac-sha256:other {secret}", *commands, "send"]
        self._internet.run("nsupdate", input="\n".join(script) + "\n", check=True)


@contextmanager
def bind(internet: Internet, zones: Mapping[str, str], configuration: str = "") -> Iterator[Bind]:
    """Yield a server of zones, by their names: the records beside SOA and NS.

    `configuration` stands for that of the zones; in it `FOLDER/<zone>.zone` are their files.
    """
    folder = internet.run("mktemp", "-d", "/tmp/bind-XXXXXX", check=True).stdout.strip()
    port = int(internet.run("python3", "-c", FREE_PORT, check=True).stdout)
    secret = secretfiles.values()["vault_dns_tsig_secret"]
    keys = "".join(f'key "{key}" {{ algorithm hmac-sha256; secret "{secret}"; }};\n' for key in KEYS)
    plain = "".join(ZONE.format(zone=zone, file=f"{zone}.zone", policy=UPDATABLE) for zone in zones)
    config = OPTIONS.format(folder=folder, port=port) + keys + (configuration.replace("FOLDER", folder) or plain)
    files = {
        "named.conf": config,
        **{f"{zone}.zone": BEGINNING.format(zone=zone) + text for zone, text in zones.items()},
    }
    for name, text in files.items():
        internet.run("sh", "-c", f"umask 077; cat > {folder}/{name}", input=text, check=True)
    started = f"echo $$ > {folder}/pid; exec named -f -c {folder}/named.conf"
    named = subprocess.Popen(["podman", "exec", internet.container, "sh", "-c", started], env=host.environment())
    server = Bind(internet, folder, port)
    try:
        until(lambda: named.poll() is not None or "all zones loaded" in server.log(), "named")
        assert named.poll() is None, server.log()
        yield server
    finally:
        kill = ["sh", "-c", f"kill $(cat {folder}/pid)"]
        until(lambda: internet.run(*kill).returncode == 0 or named.poll() is not None, "its end")
        named.wait()
        internet.run("rm", "-r", folder)
