# SPDX-License-Identifier: GPL-3.0-or-later
"""make bench-bridge: measures the bridge in the sandbox's own containers and prints the table of docs/performance.md.

With the argument ``machine`` only what needs no Odoo.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / ".ansible" / "collections"), str(ROOT / "sandbox" / "lib")]

import host  # noqa: E402
import images  # noqa: E402
import secretfiles  # noqa: E402
from benchmarks.bridge.targets import table  # noqa: E402
from support.addon import addon_odoo  # noqa: E402
from support.machines import Machine, Odoo  # noqa: E402

PROGRAM = ROOT / "roles" / "lmtp_bridge" / "files"
MAILGATE = "/usr/lib/python3/dist-packages/odoo/addons/mail/static/scripts/odoo-mailgate.py"
DOMAIN = "acme.example"
WEBHOOK_PORT = 8026


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def machine(cache: Path) -> dict[str, float]:
    """All that needs no Odoo, in a container of its own: Debian's Python, Postfix, aiohttp and uvloop."""
    images.build(["gateway"])
    script = Machine("odoo").run("cat", MAILGATE, check=True).stdout
    (cache / "odoo-mailgate.py").write_text(script)
    command = [
        "podman", "run", "--rm", "--network=none", "--tmpfs=/tmp", "--workdir=/checkout",
        f"--volume={ROOT}:/checkout:ro", f"--volume={cache}:/scripts:ro",
        "--env=PYTHONPATH=/checkout/tests:/checkout/roles/lmtp_bridge/files", "--env=PYTHONDONTWRITEBYTECODE=1",
        images.name_of("gateway"),
        "python3", "-m", "benchmarks.bridge.machine", "/scripts/odoo-mailgate.py",
    ]  # fmt: skip
    done = subprocess.run(command, env=host.environment(), stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


@contextmanager
def on_gateway() -> Iterator[list[str]]:
    """Bring the program and the benchmarks to the gateway; yield the words that run one of its modules there."""
    gateway, folder = Machine("gateway"), "/tmp/bench-bridge"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, name in ((ROOT / "tests" / "benchmarks", "benchmarks"), (PROGRAM / "odoo_lmtp_bridge",) * 2):
            archive.add(path, Path(name).name, filter=lambda m: None if "__pycache__" in m.name else m)
    gateway.run("mkdir", "-p", folder, check=True)
    gateway.run("tar", "--directory", folder, "--extract", input=buffer.getvalue(), check=True)
    try:
        yield ["env", f"PYTHONPATH={folder}", "PYTHONDONTWRITEBYTECODE=1", "python3", "-m"]
    finally:
        gateway.run("rm", "-r", folder, check=True)


def into_odoo(python: list[str]) -> dict[str, float]:
    """Deliveries into an Odoo 19 of this benchmark's own, with two workers."""
    with addon_odoo("bench_bridge", "odoo") as odoo:
        domain = odoo.call("mail.alias.domain", "create", {"name": DOMAIN})
        (lead,) = odoo.call("ir.model", "search", [("model", "=", "crm.lead")])
        odoo.call("mail.alias", "create", {"alias_name": "sales", "alias_model_id": lead, "alias_domain_id": domain})
        target = {
            "url": odoo.url,
            "database": odoo.database,
            "token": odoo.mail_token,
            "key": odoo.key,
            "run": f"b{int(time.time())}",
        }
        done = Machine("gateway").run(*python, "benchmarks.bridge.into_odoo", input=json.dumps(target), check=True)
        figures: dict[str, float] = json.loads(done.stdout)
        return figures


def freshness(python: list[str], rounds: int = 5) -> dict[str, float]:
    """From the commit of a new alias in the site's Odoo to the bridge and to the map, by webhook; the slowest round."""
    site = Odoo("prod", secretfiles.values()["vault_odoo_admin_password"])
    gateway = Machine("gateway")
    before = site.call("ir.config_parameter", "get_param", "mail_delivery.bridges") or ""
    webhook = f"http://{gateway.ip}:{WEBHOOK_PORT}/webhook"
    (domain,) = site.call("mail.alias.domain", "search", [("name", "=", DOMAIN)])
    (lead,) = site.call("ir.model", "search", [("model", "=", "crm.lead")])
    arguments = (f"https://odoo.{DOMAIN}", site.database, str(WEBHOOK_PORT))
    made = []
    with subprocess.Popen(
        ["podman", "exec", "-i", gateway.container, *python, "benchmarks.bridge.freshness", *arguments],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=host.environment(),
    ) as watcher:  # fmt: skip
        assert watcher.stdin is not None
        assert watcher.stdout is not None
        site.call("ir.config_parameter", "set_param", "mail_delivery.bridges", f"{before} {webhook}".strip())
        try:
            print(site.mail_token, file=watcher.stdin, flush=True)
            assert watcher.stdout.readline() == "ready\n"
            waits = []
            for number in range(rounds):
                name = f"fresh-{int(time.time() * 1000)}-{number}"
                print(f"{name}@{DOMAIN}", file=watcher.stdin, flush=True)
                values = {"alias_name": name, "alias_model_id": lead, "alias_domain_id": domain}
                made.append(site.call("mail.alias", "create", values))
                committed = time.time()
                waits.append([moment - committed for moment in json.loads(watcher.stdout.readline())])
        finally:
            site.call("ir.config_parameter", "set_param", "mail_delivery.bridges", before)
            site.call("mail.alias", "unlink", made)
            watcher.stdin.close()
    at_rcpt, mapped = zip(*waits, strict=True)
    return {"alias to RCPT, s": max(at_rcpt), "alias to map, s": max(mapped)}


def main() -> None:
    cache = ROOT / ".cache" / "bench-bridge"
    cache.mkdir(parents=True, exist_ok=True)
    say("in a container of the gateway's image")
    figures = machine(cache)
    if sys.argv[1:] != ["machine"]:
        with on_gateway() as python:
            say("into Odoo 19")
            figures |= into_odoo(python)
            say("aliases by webhook")
            figures |= freshness(python)
    (cache / "figures.json").write_text(json.dumps(figures, indent=1))
    print(table(figures))
    if sys.argv[1:] != ["machine"]:
        say("restarts and kills under load")
        done = subprocess.run(["pytest", "-q", "-s", "tests/e2e/test_chaos.py"], cwd=ROOT, check=False)
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()
