# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox's containers: one network per namespace, fixed addresses, no published ports."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import json
import pathlib
import ssl
import time
import urllib.request
from collections.abc import Iterator

import apikeys
import images
import secretfiles
from host import CACHE, SandboxError, run, stage, succeeds

PROVIDERS = ["mail.zoho.com", "smtppro.zoho.com", "mx.zoho.com", "smtp.mailgun.org", "mail.customer.example"]
MAILGUN = ["smtp.eu.mailgun.org", "api.mailgun.net", "api.eu.mailgun.net"]
DNS_APIS = ["api.digitalocean.com", "api.cloudflare.com"]
READY_SECONDS = 90


@dataclasses.dataclass(frozen=True)
class Machine:
    """One container: its last address byte, the names in its certificate, and what it may do."""

    last_byte: int
    names: list[str]
    capabilities: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Namespace:
    """A sandbox of its own: the first three bytes of its network, and the machines that it starts."""

    network: str
    machines: tuple[str, ...]


MACHINES = {
    "internet": Machine(10, [*PROVIDERS, *MAILGUN, *DNS_APIS, "imap.acme.example"]),
    "odoo": Machine(20, ["odoo.acme.example"]),
    "odoo14": Machine(21, ["odoo14.acme.example"]),
    "gateway": Machine(30, ["mx.acme.example"], ("NET_ADMIN",)),
}
NAMESPACES = {
    "demo": Namespace("10.90.1", ("internet", "odoo", "gateway")),
    "test": Namespace("10.90.2", ("internet", "odoo", "odoo14", "gateway")),
}


def up(namespace: str) -> None:
    """Start the namespace's containers that do not run yet, and wait until all of them answer."""
    machines = NAMESPACES[namespace].machines
    with _lock(namespace):
        if not succeeds("podman", "network", "exists", f"mailops-{namespace}"):
            run("podman", "network", "create", "--disable-dns",
                "--subnet", f"{NAMESPACES[namespace].network}.0/24", f"mailops-{namespace}")  # fmt: skip
        with stage(f"containers of `{namespace}` start"):
            for name in machines:
                _start(namespace, name)
        with stage("internet and gateway are up"):
            _wait_for_systemd(namespace, "internet")
            _wait_for_systemd(namespace, "gateway")
        with stage("Odoo answers"):
            for name in [name for name in machines if name.startswith("odoo")]:
                _wait_for_odoo(namespace, name)
            _set_admin_secrets(namespace)


def down(namespace: str) -> None:
    """Remove the namespace's containers and network."""
    with _lock(namespace):
        for name in MACHINES:
            if succeeds("podman", "container", "exists", container(namespace, name)):
                run("podman", "rm", "--force", "--volumes", container(namespace, name))
        if succeeds("podman", "network", "exists", f"mailops-{namespace}"):
            run("podman", "network", "rm", "--force", f"mailops-{namespace}")


def container(namespace: str, name: str) -> str:
    """Return the name of a machine's container."""
    return f"mailops-{namespace}-{name}"


def address(namespace: str, name: str) -> str:
    """Return a machine's IPv4 address."""
    return f"{NAMESPACES[namespace].network}.{MACHINES[name].last_byte}"


def _mac(namespace: str, name: str) -> str:
    """Return a MAC address that follows from the IPv4 address, so that a recreated container keeps it.

    Otherwise the other containers' ARP entries for its address would be stale.
    """
    return "02:00:" + ":".join(f"{int(byte):02x}" for byte in address(namespace, name).split("."))


def _start(namespace: str, name: str) -> None:
    full, image, machine = container(namespace, name), images.name_of(name), MACHINES[name]
    # Another checkout's containers have another CA and other passwords: they are no use here.
    secrets = secretfiles.fingerprint()
    wanted = '{{.State.Status}} {{.ImageName}} {{index .Config.Labels "mailops.secrets"}}'
    if run("podman", "inspect", "--format", wanted, full, quiet=True).split() == ["running", image, secrets]:
        return
    tls = CACHE / namespace / name
    secretfiles.certificate(tls, machine.names, address(namespace, name))
    run("podman", "create", "--replace", "--name", full, "--label", f"mailops.secrets={secrets}",
        "--hostname", machine.names[0], "--systemd=always",
        "--network", f"mailops-{namespace}", "--ip", address(namespace, name),
        "--mac-address", _mac(namespace, name), "--dns", address(namespace, "internet"),
        *(f"--cap-add={capability}" for capability in machine.capabilities), image)  # fmt: skip
    staging = tls / "sandbox"
    staging.mkdir(mode=0o755, exist_ok=True)
    for source in (CACHE / "ca.pem", tls / "tls.pem", tls / "tls.key"):
        target = staging / source.name
        secretfiles.write_private(target, source.read_text())
        target.chmod(0o600 if source.suffix == ".key" else 0o644)
    if name == "internet":
        secretfiles.write_private(staging / "accounts.json", json.dumps(secretfiles.accounts()))
        secretfiles.write_private(staging / "mailgun.json", json.dumps(secretfiles.mailgun()))
        for provider in secretfiles.DNS_TOKENS:
            secretfiles.write_private(staging / f"{provider}.json", json.dumps(secretfiles.dns_api(provider)))
        secretfiles.write_private(staging / "tsig.key", secretfiles.tsig_key())
    run("podman", "cp", str(staging), f"{full}:/etc/")
    run("podman", "start", full)


def _wait_for_systemd(namespace: str, name: str) -> None:
    full = container(namespace, name)
    deadline = time.monotonic() + READY_SECONDS
    while not succeeds("podman", "exec", full, "systemctl", "is-system-running", "--wait"):
        state = run("podman", "exec", full, "systemctl", "is-system-running", quiet=True).strip()
        if state == "degraded" or time.monotonic() > deadline:
            failed = run("podman", "exec", full, "systemctl", "--failed", "--no-legend", "--plain", quiet=True)
            raise SandboxError(f"{full} did not come up ({state or 'no answer'}). Failed units:\n{failed}")
        time.sleep(0.2)


def _wait_for_odoo(namespace: str, name: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        # Until Odoo answers, nginx does: 502.
        with contextlib.suppress(OSError, ValueError):
            rpc(namespace, "common", "version", machine=name)
            return
        if time.monotonic() > deadline:
            raise SandboxError(
                f"{container(namespace, name)} does not answer after {READY_SECONDS} s; see: "
                f"podman exec {container(namespace, name)} tail -n 50 /var/log/odoo/odoo-server.log"
            )
        time.sleep(0.2)


def _set_admin_secrets(namespace: str) -> None:
    """Give the ready-made database's administrator the generated password and API key, if the known one still works."""
    uid = rpc(namespace, "common", "authenticate", "prod", "admin", "admin", {})
    if not uid:
        return
    generated = secretfiles.values()
    run("podman", "exec", container(namespace, "odoo"), "runuser", "-u", "odoo", "--", "psql", "--quiet",
        "--dbname", "prod", "--command", apikeys.statement(generated["vault_odoo_api_key"], "mailops"))  # fmt: skip
    rpc(
        namespace,
        "object",
        "execute_kw",
        "prod",
        uid,
        "admin",
        "res.users",
        "write",
        [[uid], {"password": generated["vault_odoo_admin_password"]}],
    )


def rpc(namespace: str, service: str, method: str, *arguments: object, machine: str = "odoo") -> object:
    """Make one JSON-RPC call to an Odoo of the namespace and return its result."""
    body = {"jsonrpc": "2.0", "method": "call", "params": {"service": service, "method": method, "args": arguments}}
    request = urllib.request.Request(
        f"https://{address(namespace, machine)}/jsonrpc",
        json.dumps(body).encode(), {"Content-Type": "application/json"},
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=30, context=tls()) as answer:
        decoded = json.load(answer)
    if "error" in decoded:
        raise SandboxError(f"Odoo refused {service}.{method}: {decoded['error'].get('message')}")
    return decoded.get("result")


def tls() -> ssl.SSLContext:
    """Return what trusts the sandbox's CA."""
    return ssl.create_default_context(cafile=str(CACHE / "ca.pem"))


@contextlib.contextmanager
def _lock(namespace: str) -> Iterator[None]:
    """Let one process at a time change a namespace."""
    pathlib.Path(CACHE).mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"{namespace}.lock", "w", encoding="utf-8") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield
