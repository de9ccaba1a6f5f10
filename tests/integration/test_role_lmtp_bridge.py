# SPDX-License-Identifier: GPL-3.0-or-later
"""The role `lmtp_bridge` on a gateway of its own, with something that answers like the addon in Odoo's place: what it
sets up, a change of tokens under way, and its removal."""

from __future__ import annotations

import json
import smtplib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import host
import images
import pytest
from integration.test_role_postfix import Run
from support.playbooks import ansible_playbook
from support.waiting import until

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
CONTAINER = "mailops-test-role-bridge"
# The harness of the bridge's unit tests knows this one.
TOKEN = "canary-4711-token"
OTHER = "canary-Kq7-token"
DATABASE = {"name": "acme", "url": "http://127.0.0.1:8069", "database": "prod", "token": TOKEN}
VARIABLES = {
    "ansible_connection": "ansible.builtin.ssh",
    "ansible_host": CONTAINER,
    "ansible_ssh_executable": str(ROOT / "sandbox/podman-as-ssh"),
    "ansible_ssh_transfer_method": "piped",
    "ansible_python_interpreter": "/usr/bin/python3",
    "lmtp_bridge_databases": [DATABASE],
    "lmtp_bridge_poll_interval": 1,
    "lmtp_bridge_webhook_listen": "127.0.0.1:8025",
    "postfix_hostname": "mx.acme.example",
    "postfix_policy": {"inbound": {"domains": [{"name": "acme.example", "others": "reject"}]}},
}
BRIDGE = {"hosts": "all", "gather_facts": False, "roles": ["mailops.odoo.lmtp_bridge"]}
BOTH = {**BRIDGE, "roles": ["mailops.odoo.lmtp_bridge", "mailops.odoo.postfix"]}
QUARANTINE = "/var/lib/odoo-lmtp-bridge/quarantine"
PLACES = (
    "/etc/odoo-lmtp-bridge",
    "/etc/systemd/system/odoo-lmtp-bridge.service",
    "/etc/systemd/system/odoo-lmtp-bridge.socket",
    "/usr/bin/odoo-lmtp-bridge",
    "/usr/lib/odoo-lmtp-bridge",
    "/usr/share/odoo-lmtp-bridge",
    "/var/lib/odoo-lmtp-bridge/lists",
    "/var/lib/odoo-lmtp-bridge/quarantine",
    "/var/spool/postfix/private/odoo-bridge",
)

# In Odoo's place; an address that begins with "slow" takes its time.
ODOO = """
import asyncio, json
from unit.bridge import harness
from aiohttp import web

async def serve():
    async with harness.odoo_stand_in("sales@acme.example", "slow@acme.example") as odoo:
        async def pipe(request):
            recipients = json.loads(request.headers["X-Mail-Recipients"])
            await request.read()
            await asyncio.sleep(5 if "slow@acme.example" in recipients else 0)
            return harness.accepted(recipients)
        application = web.Application()
        application.router.add_post("/mail_delivery/pipe", pipe)
        application.router.add_get("/mail_delivery/aliases", odoo.aliases)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 8069).start()
        await asyncio.Event().wait()

asyncio.run(serve())
"""

# Delivers over connections of their own, as Postfix does, until there is a file; says what was not a 250.
CLIENT = """
import pathlib, socket, sys
stop, recipient = pathlib.Path(sys.argv[1]), sys.argv[2]
number = 0
while number == 0 or (stop.parent.exists() and not stop.exists()):
    number += 1
    client = socket.socket(socket.AF_UNIX)
    client.connect("/var/spool/postfix/private/odoo-bridge")
    client.sendall(b"LHLO test\\r\\nMAIL FROM:<jo@customer.example>\\r\\nRCPT TO:<%s>\\r\\nDATA\\r\\n"
                   b"Message-Id: <%d@test>\\r\\n\\r\\nx\\r\\n.\\r\\nQUIT\\r\\n" % (recipient.encode(), number))
    said = b""
    while part := client.recv(4096):
        said += part
    codes = [line[:3] for line in said.split(b"\\r\\n") if line[3:4] == b" "]
    if codes != [b"220", b"250", b"250", b"250", b"354", b"250", b"221"]:
        print("failed:", codes, flush=True)
    if number == 1:
        print("first", flush=True)
print("delivered", number)
"""


def in_container(*argv: str, text: str = "", check: bool = True) -> str:
    """Run a program as root in the gateway; return what it says."""
    done = subprocess.run(
        ["podman", "exec", "-i", CONTAINER, *argv],
        env=host.environment(), input=text, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert not check or done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
    return done.stdout


def deliveries(recipient: str) -> subprocess.Popen[str]:
    """Start to deliver; returns after the first message was sent."""
    return subprocess.Popen(
        ["podman", "exec", CONTAINER, "python3", "-c", CLIENT, "/run/test/stop", recipient],
        env=host.environment(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def get(path: str, port: int = 9525) -> tuple[int, str]:
    program = (
        "import http.client, sys; c = http.client.HTTPConnection('127.0.0.1', int(sys.argv[1])); "
        "c.request('GET', sys.argv[2]); r = c.getresponse(); print(r.status); print(r.read().decode())"
    )
    status, _line, body = in_container("python3", "-c", program, str(port), path).partition("\n")
    return int(status), body


class Gateway:
    """The container, to which every host of an inventory leads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        inspect = ("podman", "inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", CONTAINER)
        self.ip = host.run(*inspect).strip()

    def apply(self, *options: str, play: dict[str, Any] | None = None, **hosts: dict[str, Any]) -> Run:
        """Run a play once for all hosts (name -> variables)."""
        (self.folder / "playbook.json").write_text(json.dumps([play or BRIDGE]))
        (self.folder / "inventory.json").write_text(json.dumps({"all": {"vars": VARIABLES, "hosts": hosts}}))
        arguments = ("--inventory", str(self.folder / "inventory.json"), str(self.folder / "playbook.json"))
        return Run(ansible_playbook(*arguments, *options))


@pytest.fixture(scope="module")
def gateway_container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    images.build(["gateway"])
    host.run(
        "podman", "run", "-d", "--replace", "--name", CONTAINER, "--systemd=always", "--cap-add=NET_ADMIN",
        f"--volume={ROOT}:/checkout:ro", images.name_of("gateway"),
    )  # fmt: skip
    try:
        until(
            lambda: in_container("systemctl", "is-system-running", "--wait", check=False).strip() == "running",
            "the start of the container", 120,
        )  # fmt: skip
        in_container("mkdir", "/run/test")
        in_container("tee", "/run/odoo.py", text=ODOO)
        in_container(
            "systemd-run", "--unit=odoo", "--setenv=PYTHONPATH=/checkout/tests:/checkout/roles/lmtp_bridge/files",
            "--setenv=PYTHONDONTWRITEBYTECODE=1", "python3", "/run/odoo.py",
        )  # fmt: skip
        until(lambda: ":8069" in in_container("ss", "-ltn"), "the start of Odoo's stand-in", 60)
        yield Gateway(tmp_path_factory.mktemp("bridge"))
    finally:
        host.run("podman", "rm", "--force", "--time", "0", CONTAINER)


@pytest.fixture(scope="module")
def refusals(gateway_container: Gateway) -> Run:
    """One run with a host for each reason to refuse it, before anything is there."""
    return gateway_container.apply(
        empty={"lmtp_bridge_databases": []},
        twice={"lmtp_bridge_databases": [DATABASE, DATABASE]},
        blank={"lmtp_bridge_databases": [DATABASE | {"pending_token": "canary two"}]},
        rpc={"lmtp_bridge_databases": [DATABASE | {"backend": "rpc"}]},
        webhook={"lmtp_bridge_webhook_listen": "8025"},
        metrics={"lmtp_bridge_metrics_listen": "0.0.0.0:9525"},
        same={"lmtp_bridge_webhook_listen": "127.0.0.1:9525"},
    )


@pytest.fixture(scope="module")
def converged(gateway_container: Gateway, refusals: Run) -> Gateway:
    databases = [DATABASE | {"pending_token": OTHER}]
    run = gateway_container.apply("--diff", "-vvv", play=BOTH, gateway={"lmtp_bridge_databases": databases})
    assert run.changed("gateway") > 0
    assert TOKEN not in run.output
    assert OTHER not in run.output
    return gateway_container


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("empty", "lmtp_bridge_databases: at least one database is needed"),
        ("twice", "lmtp_bridge_databases, name: must be there once: acme"),
        ("blank", "token or pending_token: must be one word of plain ASCII: acme"),
        ("rpc", "database and login: are needed where backend is rpc: acme"),
        ("webhook", "lmtp_bridge_webhook_listen: must be an address of this host and a port, such as 10.0.0.5:8025"),
        ("metrics", "lmtp_bridge_metrics_listen: must be an address of the loopback and a port"),
        ("same", "lmtp_bridge_metrics_listen: must not be the address of lmtp_bridge_webhook_listen"),
    ],
)
def test_values_that_do_not_fit_are_refused(refusals: Run, name: str, message: str) -> None:
    assert refusals.refused(name)
    assert message in refusals.words
    assert "canary" not in refusals.output


def test_what_is_set_up(converged: Gateway) -> None:
    assert in_container("systemctl", "is-active", "odoo-lmtp-bridge.socket", "odoo-lmtp-bridge.service").split() == [
        "active",
        "active",
    ]
    assert in_container("cat", "/etc/odoo-lmtp-bridge/tokens/acme") == f"{TOKEN}\n{OTHER}\n"
    assert in_container("stat", "-c", "%a %U", "/etc/odoo-lmtp-bridge/tokens/acme").split() == ["600", "root"]
    assert in_container("stat", "-c", "%a %U", QUARANTINE).split() == ["700", "odoo-lmtp-bridge"]
    assert in_container("stat", "-c", "%a %U", "/usr/share/odoo-lmtp-bridge/alerts.yml").split() == ["644", "root"]
    in_container("systemd-analyze", "security", "--no-pager", "--threshold=20", "odoo-lmtp-bridge.service")
    assert get("/readyz") == (200, '{"ready": true, "problems": {}}\n')
    assert 'odoo_lmtp_bridge_info{loop="uvloop' in get("/metrics")[1]
    # Each on its own.
    assert get("/metrics", 8025)[0] == 404
    said = in_container("odoo-lmtp-bridge", "check")
    assert "token: acme: Odoo takes the current one, and does not know the pending one yet" in said
    assert "webhook: 127.0.0.1:8025 answers" in said
    assert "metrics: 127.0.0.1:9525 answers" in said
    assert "quarantine: empty" in said
    assert "Postfix: virtual_alias_maps names lmdb:/var/lib/odoo-lmtp-bridge/maps/aliases" in said
    assert "WARNING" not in said


def test_another_token_restarts_the_bridge_and_no_mail_is_deferred(converged: Gateway) -> None:
    """Mail flows all the time; the second line goes, and then comes as the first."""
    before = in_container("systemctl", "show", "-p", "MainPID", "odoo-lmtp-bridge.service")
    client = deliveries("sales@acme.example")
    assert client.stdout
    try:
        assert client.stdout.readline() == "first\n"
        databases = [{**DATABASE, "token": OTHER, "pending_token": TOKEN}]
        run = converged.apply("--diff", "-vvv", gateway={"lmtp_bridge_databases": databases})
        assert run.changed("gateway") > 0
        assert "canary" not in run.output
    finally:
        in_container("touch", "/run/test/stop")
        said = client.communicate(timeout=60)[0]
        in_container("rm", "/run/test/stop")
    assert in_container("systemctl", "show", "-p", "MainPID", "odoo-lmtp-bridge.service") != before
    assert "failed" not in said
    assert int(said.split()[1]) > 50
    assert "Odoo takes only the pending one" in in_container("odoo-lmtp-bridge", "check")
    assert get("/readyz")[0] == 200


@pytest.fixture(scope="module")
def removal(converged: Gateway) -> Iterator[dict[str, Run]]:
    """Removal with mail in quarantine, in check mode, under way with a slow delivery, and once more."""
    absent = {"lmtp_bridge_state": "absent"}
    entry = f"{QUARANTINE}/20260314T093000Z-1f2e3d4c.mail"
    in_container("touch", entry)
    runs = {"quarantined": converged.apply(gateway=absent)}
    runs["checked"] = converged.apply("--check", gateway=absent | {"lmtp_bridge_remove_quarantine": True})
    assert get("/healthz")[0] == 200
    for place in PLACES:
        in_container("test", "-e", place)
    client = deliveries("slow@acme.example")
    until(lambda: "odoo_lmtp_bridge_deliveries 1.0" in get("/metrics")[1], "the delivery")
    in_container("touch", "/run/test/stop")
    runs["removed"] = converged.apply(gateway=absent | {"lmtp_bridge_remove_quarantine": True})
    runs["slow"] = client.communicate(timeout=60)[0]  # type: ignore[assignment]
    runs["again"] = converged.apply(gateway=absent)
    yield runs


def test_mail_in_quarantine_stops_the_removal_before_anything_is_touched(removal: dict[str, Run]) -> None:
    assert removal["quarantined"].refused("gateway")
    assert "1 messages are in the bridge's quarantine on gateway" in removal["quarantined"].words


def test_removal_in_check_mode_says_what_it_would_do(removal: dict[str, Run]) -> None:
    assert removal["checked"].changed("gateway") > 0


def test_the_removal_waits_for_what_is_under_way_and_leaves_nothing(removal: dict[str, Run]) -> None:
    assert removal["removed"].changed("gateway") > 0
    assert removal["slow"] == "first\ndelivered 1\n"
    for place in PLACES:
        in_container("test", "!", "-e", place)
    assert in_container("getent", "passwd", "odoo-lmtp-bridge", check=False) == ""
    assert "odoo-lmtp-bridge" not in in_container("systemctl", "list-units", "--all", "--no-legend")


def test_a_second_removal_changes_nothing(removal: dict[str, Run]) -> None:
    assert removal["again"].changed("gateway") == 0


def test_afterwards_mail_waits_in_the_queue_and_leaves_it_when_the_bridge_is_back(
    removal: dict[str, Run], converged: Gateway
) -> None:
    assert "stays there, as does what still comes" in removal["removed"].words
    assert in_container("stat", "-c", "%U", "/var/lib/odoo-lmtp-bridge/maps/aliases.lmdb").strip() == "root"
    with smtplib.SMTP(converged.ip, timeout=30, local_hostname="mail.customer.example") as client:
        client.sendmail("someone@customer.example", ["sales@acme.example"], "Subject: later\r\n\r\nx\r\n")
    until(lambda: "sales@acme.example" in in_container("postqueue", "-p"), "the mail in the queue")
    assert converged.apply(gateway={}).changed("gateway") > 0
    in_container("postqueue", "-f")
    until(lambda: "Mail queue is empty" in in_container("postqueue", "-p"), "an empty queue")
