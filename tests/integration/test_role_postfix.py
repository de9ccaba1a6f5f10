# SPDX-License-Identifier: GPL-3.0-or-later
"""The role `postfix` on a gateway of its own: what it writes, what it leaves alone, and what Postfix then does."""

from __future__ import annotations

import json
import re
import smtplib
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import host
import images
import pytest
from support.playbooks import ansible_playbook
from support.waiting import until

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
CONTAINER = "mailops-test-role-postfix"
PLAY: dict[str, Any] = {"hosts": "all", "gather_facts": False, "roles": ["mailops.odoo.postfix"]}
EMPTY = f"{CONTAINER}-empty"
DATABASE = {"name": "acme", "url": "https://odoo.acme.example", "database": "prod", "token": "canary-Rt9-token"}
VARIABLES = {
    "ansible_connection": "ansible.builtin.ssh",
    "ansible_host": CONTAINER,
    "ansible_ssh_executable": str(ROOT / "sandbox/podman-as-ssh"),
    "ansible_ssh_transfer_method": "piped",
    "ansible_python_interpreter": "/usr/bin/python3",
    "postfix_hostname": "mx.acme.example",
    "postfix_policy": {
        "inbound": {
            "domains": [
                {"name": "acme.example", "others": "reject"},
                {"name": "old.example", "others": "relay", "relay_host": "127.0.0.1:2525"},
            ]
        }
    },
    "postfix_parameters": {"minimal_backoff_time": "1s", "maximal_backoff_time": "2s", "queue_run_delay": "1s"},
    "postfix_tls_cert_file": "/etc/ssl/mx.pem",
    "postfix_tls_key_file": "/etc/ssl/mx.key",
}
PASSWORD = "canary-Zb4-sasl-password"
FOREIGN_MAIN_CF = f"""\
compatibility_level = 3.6
myhostname = mail.before.example
smtp_sasl_password_maps =
# between the lines of a value
    static:relay:{PASSWORD}
# smtp_sasl_password_maps = static:old:{PASSWORD}
"""
KNOWN = "sales@acme.example"
MAPS = "/var/lib/odoo-lmtp-bridge/maps"
NEXT_HOP = "odoo-lmtp:unix:private/odoo-bridge"


def in_container(*argv: str, text: str | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a program as root in the gateway."""
    command = ["podman", "exec", "-i", CONTAINER, *argv]
    done = subprocess.run(
        command, env=host.environment(), input=text or "", capture_output=True, text=True, check=False
    )
    assert not check or done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
    return done


class Run:
    """One run of ansible-playbook: its exit code, all that it said, and the counts of its recap by host."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.code = done.returncode
        self.output = done.stdout + done.stderr
        self.words = " ".join(self.output.split())
        recap = done.stdout.rpartition("PLAY RECAP")[2]
        self.counts = {
            name: {key: int(count) for key, count in re.findall(r"(\w+)=(\d+)", counts)}
            for name, counts in re.findall(r"(?m)^(\S+)\s+: (ok=.*)$", recap)
        }

    def changed(self, name: str) -> int:
        """Return how much was changed on a host with which all went well."""
        assert self.counts[name]["failed"] == self.counts[name]["unreachable"] == 0, self.output
        return self.counts[name]["changed"]

    def refused(self, name: str) -> bool:
        """Whether the host was stopped before any change."""
        return self.counts[name]["failed"] == 1 and self.counts[name]["changed"] == 0


class Gateway:
    """The container and the files that tell ansible-playbook about it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        inspect = ("podman", "inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", CONTAINER)
        self.ip = host.run(*inspect).strip()

    def apply(self, *options: str, **hosts: dict[str, Any]) -> Run:
        """Run the role once for all hosts (name -> variables): they are this container, unless they name another.

        A run costs seconds, and most of them only once when it is for several hosts.
        """
        return self.play([PLAY], {"hosts": hosts}, *options)

    def play(self, playbook: Path | list[dict[str, Any]], inventory: dict[str, Any], *options: str) -> Run:
        """Run a playbook; the inventory is the group `all`."""
        if isinstance(playbook, list):
            plays, playbook = playbook, self.folder / "playbook.json"
            playbook.write_text(json.dumps(plays))
        path = self.folder / "inventory.json"
        path.write_text(json.dumps({"all": {"vars": VARIABLES, **inventory}}))
        return Run(ansible_playbook("--inventory", str(path), str(playbook), *options))

    def ask(self, *recipients: str) -> list[tuple[int, str]]:
        """Offer recipients from outside; return each one's answer."""
        with smtplib.SMTP(self.ip, timeout=30, local_hostname="mail.customer.example") as client:
            client.ehlo_or_helo_if_needed()
            client.mail("someone@customer.example")
            # As they stand: what client.rcpt() makes of an odd address depends on the Python.
            answers = [client.docmd("RCPT", f"TO:<{recipient}>") for recipient in recipients]
        return [(code, text.decode()) for code, text in answers]

    def send(self, recipient: str, subject: str, body: bytes = b"Hello.\r\n") -> None:
        """Send one message from outside."""
        with smtplib.SMTP(self.ip, timeout=30, local_hostname="mail.customer.example") as client:
            client.sendmail("someone@customer.example", recipient, b"Subject: %s\r\n\r\n%s" % (subject.encode(), body))

    def answers(self) -> bool:
        """Whether SMTP is served."""
        try:
            with smtplib.SMTP(self.ip, timeout=5) as client:
                return client.noop()[0] == 250
        except (OSError, smtplib.SMTPException):
            return False


def configuration() -> str:
    """Return the checksums of the configuration in use."""
    return in_container("sha256sum", "/etc/postfix/main.cf", "/etc/postfix/master.cf").stdout


def changed_files() -> str:
    """Return what is newer than the fresh gateway."""
    return in_container("find", "/etc", "/opt", "/usr", "-newercc", "/run/fresh").stdout


def received() -> str:
    """Return all that the listener in the bridge's place has received, envelopes included."""
    return in_container("sh", "-c", "cat /run/bridge/* 2>/dev/null", check=False).stdout


def start_bridge() -> None:
    """Have Postfix's own test server listen in the bridge's place."""
    in_container(
        "systemd-run", "--unit=bridge", "--uid=postfix",
        "--property=RuntimeDirectory=bridge", "--property=RuntimeDirectoryPreserve=yes",
        "smtp-sink", "-L", "-d", "/run/bridge/%M.", "unix:/var/spool/postfix/private/odoo-bridge", "10",
    )  # fmt: skip
    until(lambda: "odoo-bridge" in in_container("ss", "-lx").stdout, "the start of the listener")


@pytest.fixture(scope="module")
def gateway_container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A fresh gateway, with a certificate and a main.cf that somebody else wrote."""
    images.build(["gateway"])
    image = images.name_of("gateway")
    host.run("podman", "run", "-d", "--replace", "--name", CONTAINER, "--systemd=always", "--cap-add=NET_ADMIN", image)
    try:
        until(
            lambda: in_container("systemctl", "is-system-running", "--wait", check=False).returncode == 0,
            "the start of the container", 60,
        )  # fmt: skip
        in_container(
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-subj", "/CN=mx.acme.example", "-keyout", "/etc/ssl/mx.key", "-out", "/etc/ssl/mx.pem",
        )  # fmt: skip
        in_container("tee", "/etc/postfix/main.cf", text=FOREIGN_MAIN_CF)
        in_container("touch", "/run/fresh")
        yield Gateway(tmp_path_factory.mktemp("postfix"))
    finally:
        host.run("podman", "rm", "--force", "--time", "0", CONTAINER)


@pytest.fixture(scope="module")
def refusals(gateway_container: Gateway) -> Run:
    """One run with a host for each reason to refuse it."""
    domains = [
        {"name": "Acme.example", "others": "reject"},
        {"name": "twice.example", "others": "reject"},
        {"name": "twice.example", "others": "forward"},
        {"name": "old.example", "others": "relay"},
    ]
    parameters = {"relay_domains": "x", "smtp_sasl_password_maps": f"static:{PASSWORD}", "myorigin\nx": 1}
    wrong = {
        "postfix_policy": {"inbound": {"domains": domains}},
        "postfix_hostname": "mx",
        "postfix_tls_key_file": "",
        "postfix_parameters": parameters,
        "postfix_postmaster": "root",
    }
    small = {"lmtp_bridge_message_size_limit": 36700159, "lmtp_bridge_databases": [DATABASE]}
    bridge = {"role": "mailops.odoo.lmtp_bridge", "when": "inventory_hostname == 'small'"}
    play = {**PLAY, "roles": [bridge, *PLAY["roles"]]}
    return gateway_container.play([play], {"hosts": {"wrong": wrong, "foreign": {}, "small": small}}, "--diff", "-vvv")


@pytest.fixture(scope="module")
def converged(gateway_container: Gateway) -> Gateway:
    """The gateway after the role has taken it over; the bridge has written no maps yet."""
    run = gateway_container.apply("--diff", "-vvv", gateway={"postfix_take_over": True})
    assert run.changed("gateway") > 0
    assert PASSWORD not in run.output
    return gateway_container


@pytest.fixture(scope="module")
def again(converged: Gateway) -> Run:
    """A second run; at the same time one with a configuration that is not valid."""
    before = configuration()
    run = converged.apply("--diff", second={}, invalid={"postfix_parameters": {"queue_run_delay": "soon"}})
    assert configuration() == before
    return run


@pytest.fixture(scope="module")
def check_mode(converged: Gateway) -> Iterator[Run]:
    """A run with --check, on an empty host and on a configured one."""
    before = configuration()
    images.build(["base-bookworm"])
    image = images.name_of("base-bookworm")
    host.run("podman", "run", "-d", "--replace", "--name", EMPTY, image, "sleep", "infinity")
    try:
        yield converged.apply(
            "--check", "--diff", empty={"ansible_host": EMPTY}, configured={"postfix_message_size_limit": 1000000}
        )
    finally:
        host.run("podman", "rm", "--force", "--time", "0", EMPTY)
    assert configuration() == before


@pytest.fixture(scope="module")
def with_bridge(converged: Gateway) -> Gateway:
    """The gateway with maps of one known address and a listener in the bridge's place."""
    in_container("mkdir", "-p", MAPS)
    for name, value in (("aliases", KNOWN), ("transport", NEXT_HOP)):
        in_container("tee", f"{MAPS}/{name}", text=f"{KNOWN} {value}\n")
        in_container("postmap", f"lmdb:{MAPS}/{name}")
    start_bridge()
    in_container("postfix", "reload")
    until(lambda: converged.answers() and converged.ask(KNOWN)[0][0] == 250, "the use of the maps")
    return converged


def test_all_wrong_values_are_named_before_anything_is_touched(refusals: Run) -> None:
    assert refusals.refused("wrong")
    for problem in (
        "must be a domain in lower case: Acme.example",
        "must be there once: twice.example",
        "must be reject or relay: forward",
        "relay_host: must be given as host or host:port",
        "postfix_hostname: must be a full host name",
        "postfix_postmaster: must be a mail address: root",
        "must both be absolute paths, or both be empty",
        "must be names of parameters: myorigin",
        "must not name a parameter that the role sets itself: relay_domains",
        "must not hold a password",
    ):
        assert problem in refusals.words
    assert PASSWORD not in refusals.output
    assert changed_files() == ""


def test_somebody_elses_configuration_is_shown_and_left_alone(refusals: Run) -> None:
    assert refusals.refused("foreign")
    assert "-myhostname = mail.before.example" in refusals.output
    assert "+myhostname = mx.acme.example" in refusals.output
    assert "-smtp_sasl_password_maps = (hidden)" in refusals.output
    assert "on foreign was not written by the role" in refusals.words
    assert "postfix_take_over=true" in refusals.output
    assert PASSWORD not in refusals.output
    assert changed_files() == ""


def test_a_bridge_that_takes_less_than_postfix_is_refused_before_anything_is_touched(refusals: Run) -> None:
    assert refusals.refused("small")
    assert "lmtp_bridge_message_size_limit is 36700159 bytes, postfix_message_size_limit is 36700160" in refusals.words
    assert changed_files() == ""


def test_site_yml_changes_nothing_at_all_where_postfix_is_somebody_elses(gateway_container: Gateway) -> None:
    """On none of the gateways, nor, earlier in the playbook, on Odoo's host and in its database."""
    children = {
        "odoo_hosts": {"hosts": {"odoo": {}}},
        "odoo_databases": {"hosts": {"prod": {}}},
        "mail_gateways": {"hosts": {"mx": {}, "mx2": {"postfix_take_over": True}}},
    }
    variables = {
        "mail_policy": {"version": 1, "odoo": {}, **VARIABLES["postfix_policy"]},
        "mail_delivery_token": DATABASE["token"],
        "lmtp_bridge_databases": [DATABASE],
        "odoo_addons_url": "http://127.0.0.1:9",
        "odoo_connection": {"odoo_url": "http://127.0.0.1:9"},
    }
    inventory = {"vars": VARIABLES | variables, "children": children}
    run = gateway_container.play(ROOT / "site.yml", inventory)
    assert run.code != 0
    assert run.refused("mx")
    assert "on mx was not written by the role" in run.words
    assert [run.changed(name) for name in ("mx2", "odoo", "prod")] == [0, 0, 0]
    assert changed_files() == ""


def test_take_over_keeps_a_copy_that_only_root_reads(converged: Gateway) -> None:
    copies = in_container("sh", "-c", "ls /etc/postfix/*.before-mailops").stdout.split()
    assert [re.sub(r"\d{8}T\d{6}Z", "TIME", copy) for copy in copies] == ["/etc/postfix/main.cf.TIME.before-mailops"]
    assert in_container("stat", "-c", "%a %U", copies[0]).stdout.split() == ["600", "root"]
    assert in_container("cat", copies[0]).stdout == FOREIGN_MAIN_CF
    assert in_container("head", "-n", "1", "/etc/postfix/main.cf").stdout.startswith("# Managed by Ansible")
    assert in_container("systemctl", "is-enabled", "postfix").stdout.strip() == "enabled"
    until(converged.answers, "the start of Postfix")


def test_second_run_changes_nothing(again: Run) -> None:
    assert again.changed("second") == 0


def test_an_invalid_configuration_leaves_the_running_one(again: Run, converged: Gateway) -> None:
    assert again.refused("invalid")
    assert "queue_run_delay = soon: must be a time" in again.words
    assert converged.answers()
    assert in_container("sh", "-c", "ls -d /tmp/postfix-* 2>/dev/null", check=False).stdout == ""


def test_check_mode_on_an_empty_host(check_mode: Run) -> None:
    assert check_mode.changed("empty") > 0
    assert "+# Managed by Ansible: mailops.odoo.postfix" in check_mode.output
    assert not host.succeeds("podman", "exec", EMPTY, "test", "-e", "/etc/postfix")
    assert not host.succeeds("podman", "exec", EMPTY, "test", "-e", "/usr/sbin/postconf")


def test_check_mode_on_a_configured_host(check_mode: Run) -> None:
    assert check_mode.changed("configured") == 1
    assert "+message_size_limit = 1000000" in check_mode.output
    assert check_mode.code == 0


@pytest.fixture(scope="module")
def in_use(converged: Gateway) -> dict[str, str]:
    """The text of the files that the role wrote."""
    return {name: in_container("cat", f"/etc/postfix/{name}").stdout for name in ("main.cf", "master.cf")}


def check(files: dict[str, str], old: str = "", new: str = "") -> subprocess.CompletedProcess[str]:
    """Run the role's check over the files with `new` in the place of `old`."""
    script = (ROOT / "roles/postfix/files/check_configuration.py").read_text()
    candidates = {name: text.replace(old, new, 1) if old else text for name, text in files.items()}
    assert not old or candidates != files
    return in_container("python3", "-c", script, text=json.dumps(candidates), check=False)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("biff", "no_such_parameter", "unused parameter: no_such_parameter=no"),
        ("biff = no", "biff = maybe", "biff = maybe: must be yes or no"),
        ("biff = no", "default_process_limit = many", "default_process_limit = many: must be a number"),
        ("biff = no", "mail_owner = nobody-here", "nobody-here"),
        ("/etc/ssl/mx.key", "/etc/ssl/none", "/etc/ssl/mx.pem with /etc/ssl/none: "),
        ("unix-dgram n  -       n", "unix-dgram n", "bad field count"),
    ],
)
def test_what_the_check_finds(in_use: dict[str, str], old: str, new: str, problem: str) -> None:
    found = check(in_use, old, new)
    assert found.returncode == 1
    assert problem in found.stderr


def test_only_other_listening_addresses_need_a_restart(in_use: dict[str, str]) -> None:
    assert check(in_use).stdout == "reloaded\n"
    assert check(in_use, "biff = no", "inet_interfaces = loopback-only").stdout == "restarted\n"


def test_nothing_is_refused_for_good_before_the_bridge_has_written_its_maps(converged: Gateway) -> None:
    answers = converged.ask(KNOWN, "nobody@acme.example", "someone@old.example", "someone@elsewhere.example")
    assert [code for code, _text in answers] == [451, 451, 451, 451]


@pytest.mark.parametrize(
    ("recipient", "code", "text"),
    [
        (KNOWN, 250, ""),
        ("Sales@ACME.example", 250, ""),
        ("sales+tag@acme.example", 250, ""),
        ("nobody@acme.example", 550, "5.1.1"),
        ("nobody+sales@acme.example", 550, "5.1.1"),
        ("someone@old.example", 250, ""),
        ("postmaster@acme.example", 250, ""),
        ("abuse@acme.example", 250, ""),
        ("postmaster", 250, ""),
        ("www-data@localhost", 550, "5.1.1"),
        ("www-data@mx.acme.example", 550, "5.1.1"),
        ("someone@elsewhere.example", 554, "5.7.1"),
        ("sales@sub.acme.example", 554, "5.7.1"),
        ("someone%elsewhere.example@acme.example", 554, "5.7.1"),
        # A source route is ignored (RFC 5321, appendix C): what counts is the address at its end.
        ("@elsewhere.example:nobody@acme.example", 550, "5.1.1"),
        ("@acme.example:someone@elsewhere.example", 554, "5.7.1"),
    ],
)
def test_who_gets_mail(with_bridge: Gateway, recipient: str, code: int, text: str) -> None:
    answer = with_bridge.ask(recipient)[0]
    assert answer[0] == code
    assert answer[1].startswith(text)


def test_known_recipients_reach_the_bridge_with_long_lines_unfolded(with_bridge: Gateway) -> None:
    line = "long line " * 200
    with_bridge.send("sales+tag@acme.example", "long", line.encode() + b"\r\n")
    mail = until(lambda: line in (text := received()) and text, "the delivery to the bridge")
    assert "X-Rcpt-Args: <sales+tag@acme.example>" in mail


def test_mail_waits_while_the_bridge_is_down(with_bridge: Gateway) -> None:
    in_container("systemctl", "stop", "bridge")
    with_bridge.send(KNOWN, "while the bridge is down")
    until(lambda: "private/odoo-bridge" in in_container("postqueue", "-j").stdout, "the attempt to deliver")
    start_bridge()
    in_container("postqueue", "-f")
    until(lambda: "while the bridge is down" in received(), "the delivery to the bridge")


def test_other_recipients_leave_over_verified_tls_only(with_bridge: Gateway) -> None:
    in_container("systemd-run", "--unit=relay-host", "--uid=postfix", "smtp-sink", "127.0.0.1:2525", "10")
    until(lambda: ":2525" in in_container("ss", "-lt").stdout, "the start of the relay host")
    with_bridge.send("someone@old.example", "for the relay host")
    queue = until(
        lambda: "delay_reason" in (text := in_container("postqueue", "-j").stdout) and text, "the attempt to relay"
    )
    assert "TLS is required, but was not offered by host 127.0.0.1" in queue


def test_mail_for_the_postmaster_is_kept(with_bridge: Gateway) -> None:
    with_bridge.send("postmaster@acme.example", "for the postmaster")
    until(
        lambda: "for the postmaster" in in_container("cat", "/var/mail/root", check=False).stdout, "the local delivery"
    )


def test_starttls_is_offered_with_the_given_certificate(converged: Gateway) -> None:
    certificate = in_container("cat", "/etc/ssl/mx.pem").stdout
    context = ssl.create_default_context(cadata=certificate)
    context.check_hostname = False  # the container is called by its address
    with smtplib.SMTP(converged.ip, timeout=30) as client:
        assert client.starttls(context=context)[0] == 220
