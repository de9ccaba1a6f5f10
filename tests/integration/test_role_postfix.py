# SPDX-License-Identifier: GPL-3.0-or-later
"""The role `postfix` on a gateway of its own: what it writes, what it leaves alone, and what Postfix then does."""

from __future__ import annotations

import json
import re
import smtplib
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import host
import images
import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
CONTAINER = "mailops-test-role-postfix"
PLAYBOOK = [{"hosts": "all", "gather_facts": False, "roles": ["mailops.odoo.postfix"]}]
VARIABLES = {
    "ansible_connection": "ansible.builtin.ssh",
    "ansible_pipelining": True,
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


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 20) -> Any:
    """Return the condition's first true value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.1)
    return value


class Gateway:
    """The container and the files that tell ansible-playbook about it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        inspect = ("podman", "inspect", "-f", "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}", CONTAINER)
        self.ip = host.run(*inspect).strip()

    def apply(self, *options: str, container: str = CONTAINER, **variables: Any) -> tuple[int, str, int]:
        """Run the role; return the exit code, the output and the number of changes."""
        host_variables = {**VARIABLES, "ansible_ssh_executable": str(ROOT / "sandbox/podman-as-ssh"), **variables}
        inventory = self.folder / "inventory.json"
        inventory.write_text(json.dumps({"all": {"hosts": {container: host_variables}}}))
        playbook = self.folder / "playbook.json"
        playbook.write_text(json.dumps(PLAYBOOK))
        done = subprocess.run(
            [Path(sys.executable).with_name("ansible-playbook"), "-i", inventory, playbook, *options],
            env=host.environment() | {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".ansible/collections")},
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        recap = re.search(r"changed=(\d+)", done.stdout)
        return done.returncode, done.stdout + done.stderr, int(recap[1]) if recap else 0

    def ask(self, *recipients: str) -> list[tuple[int, str]]:
        """Offer recipients from outside; return each one's answer."""
        with smtplib.SMTP(self.ip, timeout=30, local_hostname="mail.customer.example") as client:
            client.ehlo_or_helo_if_needed()
            client.mail("someone@customer.example")
            answers = [client.rcpt(recipient) for recipient in recipients]
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
    wait_for(lambda: "odoo-bridge" in in_container("ss", "-lx").stdout, "the start of the listener")


@pytest.fixture(scope="module")
def gateway_container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A fresh gateway, with a certificate and a main.cf that somebody else wrote."""
    image = images.build("gateway")
    host.run("podman", "run", "-d", "--replace", "--name", CONTAINER, "--systemd=always", image)
    try:
        wait_for(
            lambda: in_container("systemctl", "is-system-running", "--wait", check=False).returncode == 0,
            "the start of the container", seconds=60,
        )  # fmt: skip
        in_container(
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-subj", "/CN=mx.acme.example", "-keyout", "/etc/ssl/mx.key", "-out", "/etc/ssl/mx.pem",
        )  # fmt: skip
        in_container("tee", "/etc/postfix/main.cf", text=FOREIGN_MAIN_CF)
        yield Gateway(tmp_path_factory.mktemp("postfix"))
    finally:
        host.run("podman", "rm", "--force", "--time", "0", CONTAINER)


@pytest.fixture(scope="module")
def converged(gateway_container: Gateway) -> Gateway:
    """The gateway after the role has taken it over; the bridge has written no maps yet."""
    code, output, changed = gateway_container.apply("--diff", "-vvv", postfix_take_over=True)
    assert code == 0, output
    assert changed > 0
    assert PASSWORD not in output
    return gateway_container


@pytest.fixture(scope="module")
def with_bridge(converged: Gateway) -> Gateway:
    """The gateway with maps of one known address and a listener in the bridge's place."""
    in_container("mkdir", "-p", MAPS)
    for name, value in (("aliases", KNOWN), ("transport", NEXT_HOP)):
        in_container("tee", f"{MAPS}/{name}", text=f"{KNOWN} {value}\n")
        in_container("postmap", f"lmdb:{MAPS}/{name}")
    start_bridge()
    in_container("postfix", "reload")
    wait_for(lambda: converged.answers() and converged.ask(KNOWN)[0][0] == 250, "the use of the maps")
    return converged


def test_check_mode_on_an_empty_host(gateway_container: Gateway) -> None:
    name = f"{CONTAINER}-empty"
    host.run("podman", "run", "-d", "--replace", "--name", name, images.build("base-bookworm"), "sleep", "infinity")
    try:
        code, output, changed = gateway_container.apply("--check", "--diff", container=name)
        assert code == 0, output
        assert changed > 0
        assert "+# Managed by Ansible: mailops.odoo.postfix" in output
        assert not host.succeeds("podman", "exec", name, "test", "-e", "/etc/postfix")
        assert not host.succeeds("podman", "exec", name, "test", "-e", "/usr/sbin/postconf")
    finally:
        host.run("podman", "rm", "--force", "--time", "0", name)


def test_all_wrong_values_are_named_before_anything_is_touched(gateway_container: Gateway) -> None:
    before = configuration()
    domains = [
        {"name": "Acme.example", "others": "reject"},
        {"name": "twice.example", "others": "reject"},
        {"name": "twice.example", "others": "forward"},
        {"name": "old.example", "others": "relay"},
    ]
    parameters = {"relay_domains": "x", "smtp_sasl_password_maps": f"static:{PASSWORD}", "myorigin\nx": 1}
    code, output, _changed = gateway_container.apply(
        postfix_policy={"inbound": {"domains": domains}},
        postfix_hostname="mx",
        postfix_tls_key_file="",
        postfix_parameters=parameters,
        postfix_postmaster="root",
    )
    assert code != 0
    flat = " ".join(output.split())
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
        assert problem in flat
    assert PASSWORD not in output
    assert configuration() == before


def test_somebody_elses_configuration_is_shown_and_left_alone(gateway_container: Gateway) -> None:
    before = configuration()
    code, output, changed = gateway_container.apply("--diff", "-vvv")
    assert code != 0
    assert changed == 0
    assert "-myhostname = mail.before.example" in output
    assert "+myhostname = mx.acme.example" in output
    assert "-smtp_sasl_password_maps = (hidden)" in output
    assert "postfix_take_over=true" in output
    assert PASSWORD not in output
    assert configuration() == before


def test_take_over_keeps_a_copy_that_only_root_reads(converged: Gateway) -> None:
    copies = in_container("sh", "-c", "ls /etc/postfix/*.before-mailops").stdout.split()
    assert [re.sub(r"\d{8}T\d{6}Z", "TIME", copy) for copy in copies] == ["/etc/postfix/main.cf.TIME.before-mailops"]
    assert in_container("stat", "-c", "%a %U", copies[0]).stdout.split() == ["600", "root"]
    assert in_container("cat", copies[0]).stdout == FOREIGN_MAIN_CF
    assert in_container("head", "-n", "1", "/etc/postfix/main.cf").stdout.startswith("# Managed by Ansible")
    assert in_container("systemctl", "is-enabled", "postfix").stdout.strip() == "enabled"
    wait_for(converged.answers, "the start of Postfix")


def test_second_run_changes_nothing(converged: Gateway) -> None:
    code, output, changed = converged.apply("--diff")
    assert (code, changed) == (0, 0), output


def test_check_mode_on_a_configured_host(converged: Gateway) -> None:
    before = configuration()
    code, output, changed = converged.apply("--check", "--diff", postfix_message_size_limit=1000000)
    assert code == 0, output
    assert changed == 1
    assert "+message_size_limit = 1000000" in output
    assert configuration() == before


def test_an_invalid_configuration_leaves_the_running_one(converged: Gateway) -> None:
    before = configuration()
    code, output, changed = converged.apply(postfix_parameters={"queue_run_delay": "soon"})
    assert code != 0
    assert changed == 0
    assert "queue_run_delay = soon: must be a time" in " ".join(output.split())
    assert configuration() == before
    assert converged.answers()
    assert in_container("sh", "-c", "ls -d /tmp/postfix-* 2>/dev/null", check=False).stdout == ""


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
        ("@elsewhere.example:someone@acme.example", 554, "5.7.1"),
    ],
)
def test_who_gets_mail(with_bridge: Gateway, recipient: str, code: int, text: str) -> None:
    answer = with_bridge.ask(recipient)[0]
    assert answer[0] == code
    assert answer[1].startswith(text)


def test_known_recipients_reach_the_bridge_with_long_lines_unfolded(with_bridge: Gateway) -> None:
    line = "long line " * 200
    with_bridge.send("sales+tag@acme.example", "long", line.encode() + b"\r\n")
    mail = wait_for(lambda: line in (text := received()) and text, "the delivery to the bridge")
    assert "X-Rcpt-Args: <sales+tag@acme.example>" in mail


def test_mail_waits_while_the_bridge_is_down(with_bridge: Gateway) -> None:
    in_container("systemctl", "stop", "bridge")
    with_bridge.send(KNOWN, "while the bridge is down")
    wait_for(lambda: "private/odoo-bridge" in in_container("postqueue", "-j").stdout, "the attempt to deliver")
    start_bridge()
    in_container("postqueue", "-f")
    wait_for(lambda: "while the bridge is down" in received(), "the delivery to the bridge")


def test_other_recipients_leave_over_verified_tls_only(with_bridge: Gateway) -> None:
    in_container("systemd-run", "--unit=relay-host", "--uid=postfix", "smtp-sink", "127.0.0.1:2525", "10")
    wait_for(lambda: ":2525" in in_container("ss", "-lt").stdout, "the start of the relay host")
    with_bridge.send("someone@old.example", "for the relay host")
    queue = wait_for(
        lambda: "delay_reason" in (text := in_container("postqueue", "-j").stdout) and text, "the attempt to relay"
    )
    assert "TLS is required, but was not offered by host 127.0.0.1" in queue


def test_mail_for_the_postmaster_is_kept(with_bridge: Gateway) -> None:
    with_bridge.send("postmaster@acme.example", "for the postmaster")
    wait_for(
        lambda: "for the postmaster" in in_container("cat", "/var/mail/root", check=False).stdout, "the local delivery"
    )


def test_starttls_is_offered_with_the_given_certificate(converged: Gateway) -> None:
    certificate = in_container("cat", "/etc/ssl/mx.pem").stdout
    context = ssl.create_default_context(cadata=certificate)
    context.check_hostname = False  # the container is called by its address
    with smtplib.SMTP(converged.ip, timeout=30) as client:
        assert client.starttls(context=context)[0] == 220
