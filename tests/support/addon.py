# SPDX-License-Identifier: GPL-3.0-or-later
"""This checkout's addon in an Odoo beside a container's service, on another port and with a database of its own."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import host
import requests

from support.machines import Machine, Odoo
from support.waiting import until

ADDON = Path(__file__).resolve().parents[2] / "roles" / "odoo_addons" / "files" / "mail_delivery"
ODOO_ADDONS = "/usr/lib/python3/dist-packages/odoo/addons"
# Before its first page, Odoo builds every script and style sheet that a page of this database may want, which takes it
# 40 seconds. Most tests want no page: with the references out of the way there is nothing to build.
_NO_ASSETS = (
    "UPDATE ir_ui_view SET arch_db = replace(arch_db::text, 't-call-assets', 't-no-assets'){cast} WHERE type = 'qweb'"
)
_FREE_PORTS = (
    "import socket; s = [socket.create_server(('', 0)) for _ in range(2)]; print(*(one.getsockname()[1] for one in s))"
)


@contextmanager
def placed(machine: Machine, name: str) -> Iterator[str]:
    """Yield a folder in the container that has this checkout's addon, owned by root and without compiled files."""

    def cleaned(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        member.uid = member.gid = 0
        member.uname = member.gname = "root"
        return None if member.name.endswith("__pycache__") else member

    folder = f"/tmp/{name}-addons"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.add(ADDON, ADDON.name, filter=cleaned)
    machine.run("mkdir", "-p", folder, check=True)
    machine.run("tar", "--directory", folder, "--extract", input=buffer.getvalue(), check=True)
    try:
        yield folder
    finally:
        machine.run("rm", "-r", folder, check=True)


def clone_without_assets(odoo: Odoo) -> None:
    """Make the database anew from the template, with pages that Odoo need not build scripts and style sheets for."""
    odoo.clone()
    # Translated views are JSON since Odoo 16.
    odoo.sql(_NO_ASSETS.format(cast="" if odoo.name == "odoo14" else "::jsonb"))


def command(odoo: Odoo, folder: str, *options: str) -> list[str]:
    """Return the words that run Odoo on this database with the addons in a folder beside its own."""
    return [
        "runuser", "-u", "odoo", "--", "odoo", "--config", "/etc/odoo/odoo.conf", "--database", odoo.database,
        "--db-filter", f"^{odoo.database}$", "--addons-path", f"{ODOO_ADDONS},{folder}", "--max-cron-threads", "0",
        *options,
    ]  # fmt: skip


@contextmanager
def addon_odoo(name: str, machine: str, *, installed: bool = True) -> Iterator[Odoo]:
    """Yield a new database `name` with the addon and its token, reached over plain HTTP, with an API key.

    `machine` is odoo (19) or odoo14. Odoo has two workers, as the service has, and ends with the block. Without
    `installed` the addon is only there to be installed.
    """
    odoo = Odoo(name, "admin", machine=machine)
    clone_without_assets(odoo)
    odoo.give_key()
    odoo.sql(f"INSERT INTO ir_config_parameter (key, value) VALUES ('mail_delivery.token', '{odoo.mail_token}')")
    port, gevent_port = odoo.run("python3", "-c", _FREE_PORTS, check=True).stdout.split()
    odoo.url = f"http://{odoo.ip}:{port}"
    pid_file, log_file = f"/tmp/{name}.pid", f"/tmp/{name}.log"
    options = [
        "--http-interface", "0.0.0.0", "--http-port", port, "--workers", "2",
        "--pidfile", pid_file, "--logfile", log_file,
        "--longpolling-port" if machine == "odoo14" else "--gevent-port", gevent_port,
    ]  # fmt: skip
    if installed:
        options += ["--init", "mail_delivery"]
    with placed(odoo, name) as folder:
        running = subprocess.Popen(
            ["podman", "exec", odoo.container, *command(odoo, folder, *options)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=host.environment(),
        )

        def answers() -> bool:
            assert running.poll() is None, odoo.run("cat", log_file).stdout
            try:
                answer = requests.get(f"{odoo.url}/mail_delivery/aliases", timeout=60)
            except requests.RequestException:
                return False
            return answer.status_code == (403 if installed else 404)

        try:
            until(answers, "the Odoo with this checkout's addon", 120)
            yield odoo
        finally:
            # Odoo writes the file when it begins and removes it when it ends.
            odoo.run("sh", "-c", f'test ! -e {pid_file} || kill "$(cat {pid_file})"', check=True)
            running.wait(60)
    odoo.run("rm", "-f", log_file, check=True)
    odoo.drop()
