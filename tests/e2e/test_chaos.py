# SPDX-License-Identifier: GPL-3.0-or-later
"""Every part is killed, or restarted, while mail comes in: none is lost, none arrives twice, none goes back."""

from __future__ import annotations

import contextlib
import itertools
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import host
import pytest
from support.machines import Internet, Machine, Odoo
from support.waiting import until

pytestmark = pytest.mark.e2e

# Seconds within which each step must be done on a slow machine; on a fast one all of it takes about one minute.
PATIENCE = 180

# As a mail server that has these mails in its queue: it sends at most so many in a second, each by an author of its
# own, and repeats what it got no answer for.
SENDER = """
import smtplib, sys, time
run, count, rate = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
smtp, started = None, time.monotonic()
for number in range(count):
    time.sleep(max(0, started + number / rate - time.monotonic()))
    author = f"{run}n{number}@customer.example"
    mail = (f"From: {author}\\r\\nTo: sales@acme.example\\r\\nSubject: Chaos {run} {number}\\r\\n"
            f"Message-Id: <{author}>\\r\\n\\r\\nDo you sell chairs?\\r\\n")
    while True:
        try:
            if smtp is None:
                smtp = smtplib.SMTP("mx.acme.example", 25, "mail.customer.example", 10)
            smtp.sendmail(author, ["sales@acme.example"], mail)
            break
        except (OSError, smtplib.SMTPException) as error:
            print(number, error, file=sys.stderr)
            smtp = None
            time.sleep(0.2)
"""


def query(site: Odoo, statement: str) -> list[str] | None:
    """Return the lines of a query's result, None while PostgreSQL does not answer."""
    command = ["runuser", "-u", "odoo", "--", "psql", "-qAt", "-d", site.database, "-c", statement]
    done = site.run(*command)
    return None if done.returncode else done.stdout.splitlines()


@dataclass
class Load:
    """Mails on their way to sales@acme.example, each with a subject of its own."""

    site: Odoo
    gateway: Machine
    run: str
    count: int
    cursor: str
    sender: subprocess.Popen[str]

    @property
    def arrived(self) -> int:
        """How many leads there are, -1 if that cannot be told now."""
        found = query(self.site, f"SELECT count(*) FROM crm_lead WHERE name LIKE 'Chaos {self.run} %'")
        return int(found[0]) if found else -1

    def reaches(self, count: int) -> bool:
        # Postfix alone would wait longer before it tries again.
        self.gateway.run("postqueue", "-f")
        return self.arrived >= count

    def wait_for(self, count: int) -> None:
        until(lambda: self.reaches(count), f"{count} of {self.count} leads", PATIENCE)

    def assert_each_arrived_once(self) -> None:
        assert self.sender.wait(PATIENCE) == 0, self.sender.communicate()[1][-2000:]
        until(
            lambda: self.reaches(self.count) and not self.gateway.run("postqueue", "-j").stdout.strip(),
            f"{self.count} leads and an empty queue",
            PATIENCE,
        )
        names = query(self.site, f"SELECT name FROM crm_lead WHERE name LIKE 'Chaos {self.run} %'")
        assert sorted(names or []) == sorted(f"Chaos {self.run} {number}" for number in range(self.count))

    def log(self) -> str:
        """Return what the gateway's Postfix has logged since the load began."""
        command = ("journalctl", "-q", "-o", "cat", "-u", "postfix@-.service", "--after-cursor", self.cursor)
        return self.gateway.run(*command, check=True).stdout


@pytest.fixture
def load(
    site: Odoo, gateway: Machine, internet: Internet, numbers: itertools.count[int]
) -> Iterator[Callable[[int, float], Load]]:
    """Start a load of so many mails, so many in a second."""
    with contextlib.ExitStack() as stack:

        def start(count: int, rate: float) -> Load:
            run = f"c{next(numbers)}"
            shown = gateway.run("journalctl", "-q", "-n", "0", "--show-cursor", check=True).stdout
            sender = stack.enter_context(
                subprocess.Popen(
                    ["podman", "exec", internet.container, "python3", "-c", SENDER, run, str(count), str(rate)],
                    stderr=subprocess.PIPE,
                    text=True,
                    env=host.environment(),
                )
            )
            stack.callback(sender.kill)
            return Load(site, gateway, run, count, shown.strip().removeprefix("-- cursor: "), sender)

        yield start


@dataclass
class Victim:
    """A service that is killed: where its main process's number stands, and how it is brought back."""

    machine: Machine
    unit: str
    revived: Callable[[], object]

    @property
    def pid(self) -> int:
        """The main process, 0 if there is none."""
        if self.unit == "postfix@-.service":
            # systemd does not know it: Debian's unit starts it by a script.
            known = self.machine.run("cat", "/var/spool/postfix/pid/master.pid").stdout
            return int(known) if self.machine.run("test", "-d", f"/proc/{known.strip()}").returncode == 0 else 0
        return int(self.machine.run("systemctl", "show", "-P", "MainPID", self.unit, check=True).stdout)

    def kill(self) -> None:
        """Kill it and bring it back."""
        pid = self.pid
        assert pid > 1, f"{self.unit} does not run"
        self.machine.run("kill", "-9", str(pid), check=True)
        self.revive()
        assert self.pid != pid

    def revive(self) -> None:
        """Wait until it works, having done what the administrator must for that."""
        until(lambda: self.revived() and self.pid > 1, f"{self.unit} to work again", PATIENCE)


def succeeds(machine: Machine, *argv: str) -> bool:
    return machine.run(*argv).returncode == 0


@pytest.fixture
def victims(site: Odoo, gateway: Machine) -> Iterator[dict[str, Victim]]:
    """Bridge, Odoo, PostgreSQL and Postfix; all of them work again when the test is over."""
    (cluster,) = site.run("sh", "-c", "cd /etc/postgresql && echo */main", check=True).stdout.split()
    postgresql = f"postgresql@{cluster.replace('/', '-')}.service"
    bridge, postfix = "odoo-lmtp-bridge.service", "postfix@-.service"
    health = ("curl", "-sf", "-o", "/dev/null", "http://127.0.0.1:8069/web/health?db_server_status=1")
    parts = {
        # systemd restarts these two.
        "bridge": Victim(gateway, bridge, lambda: succeeds(gateway, "systemctl", "is-active", bridge)),
        "Odoo": Victim(site, "odoo.service", lambda: succeeds(site, *health)),
        # Debian leaves these two to the administrator.
        "PostgreSQL": Victim(
            site, postgresql, lambda: succeeds(site, "systemctl", "start", postgresql) and succeeds(site, "pg_isready")
        ),
        "Postfix": Victim(
            gateway,
            postfix,
            lambda: parts["Postfix"].pid or succeeds(gateway, "systemctl", "restart", postfix),
        ),
    }
    yield parts
    for name in ("PostgreSQL", "Odoo", "bridge", "Postfix"):
        parts[name].revive()


def test_each_part_is_killed_under_500_mails(
    load: Callable[[int, float], Load], victims: dict[str, Victim], internet: Internet
) -> None:
    started = time.monotonic()
    mails = load(500, 25)
    downtime = {}
    for number, (name, victim) in enumerate(victims.items()):
        mails.wait_for(50 + 100 * number)
        assert mails.arrived < mails.count, f"all had arrived before {name} could be killed"
        began = time.monotonic()
        victim.kill()
        downtime[name] = time.monotonic() - began
    mails.assert_each_arrived_once()
    # Neither Postfix nor Odoo wrote to an author.
    assert "status=bounced" not in mails.log()
    assert "notification" not in mails.log()
    assert mails.run not in internet.run("sandbox-mail", "list", "--json", check=True).stdout
    deferred = mails.log().count("status=deferred")
    seconds = ", ".join(f"{name} {gone:.1f} s" for name, gone in downtime.items())
    print(f"500 mails in {time.monotonic() - started:.0f} s, {deferred} deliveries put off; killed and back: {seconds}")


def test_restarts_of_the_bridge_under_load_put_nothing_off(
    load: Callable[[int, float], Load], gateway: Machine
) -> None:
    mails = load(90, 20)
    for number in (15, 35, 55):
        until(lambda at=number: mails.arrived >= at, f"{number} leads", PATIENCE)  # type: ignore[misc]
        gateway.run("systemctl", "restart", "odoo-lmtp-bridge.service", check=True)
    mails.assert_each_arrived_once()
    assert mails.log().count("status=sent") == mails.count
    assert "status=deferred" not in mails.log()
