# SPDX-License-Identifier: GPL-3.0-or-later
"""Show what DNS says and what Mailgun thinks of it, send mail both ways, and show where each arrived.

`demo.py mail` shows the mail alone.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
import urllib.request

import containers
import host
import secretfiles

NAMESPACE = "demo"
DOMAIN = "acme.example"
BULK_DOMAIN = "mg.acme.example"
WAIT_SECONDS = 40
OUT = {
    "Zoho Mail": ("Mitchell <mitchell@acme.example>", "a user writes to a customer"),
    "Mailgun SMTP": ("News <news@mg.acme.example>", "a campaign"),
    "Zoho SMTP Notifications": ("ACME <notifications@acme.example>", "a notification"),
}


def run(*argv: str) -> str:
    """Run a program in the small internet and return what it prints."""
    command = ["podman", "exec", containers.container(NAMESPACE, "internet"), *argv]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=host.environment())
    if done.returncode:
        raise SystemExit(f"{' '.join(argv)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def outside(*argv: str) -> dict[str, str]:
    """Run a program in the small internet and return what it prints as JSON."""
    result: dict[str, str] = json.loads(run(*argv))
    return result


def odoo(model: str, method: str, *args: object, **kwargs: object) -> object:
    """Call Odoo as its administrator (uid 2 in a new database)."""
    password = secretfiles.values()["vault_odoo_admin_password"]
    return containers.rpc(NAMESPACE, "object", "execute_kw", "prod", 2, password, model, method, args, kwargs)


def published() -> list[tuple[str, str, str]]:
    """Return the rows of the table for what the zones' server says."""
    rows = []
    for name, kind in ((DOMAIN, "TXT"), (f"_dmarc.{DOMAIN}", "TXT"), (DOMAIN, "MX"), (BULK_DOMAIN, "TXT")):
        found = run("dig", "+short", "+norecurse", f"@{containers.address(NAMESPACE, 'internet')}", name, kind)
        rows += [("dns", f"{name} {kind}", value.strip('"')) for value in sorted(found.splitlines())]
    return rows


def sending_domain() -> tuple[str, str, str]:
    """Return the row of the table for the domain at Mailgun: its state, and what it found in DNS."""
    key = base64.b64encode(f"api:{secretfiles.values()['vault_mailgun_api_key']}".encode()).decode()
    url = f"https://{containers.address(NAMESPACE, 'internet')}/v4/domains/{BULK_DOMAIN}"
    request = urllib.request.Request(url, headers={"Authorization": f"Basic {key}"})
    with urllib.request.urlopen(request, timeout=10, context=containers.tls()) as answer:
        found = json.load(answer)
    records = [
        f"{record['name'].removesuffix(f'.{BULK_DOMAIN}')} {record['valid']}" for record in found["sending_dns_records"]
    ]
    return "at ", f"Mailgun: {BULK_DOMAIN}", f"{found['domain']['state']} ({', '.join(records)})"


def mail_in(stamp: str) -> tuple[str, str, str]:
    """Send a mail to sales@ from outside; return the row of the table once the lead is there."""
    subject = f"Do you sell chairs? {stamp}"
    sent = time.monotonic()
    outside("send-mail", "--to", "sales@acme.example", "--from", f"jo.{stamp}@customer.example",
            "--subject", subject, "--json")  # fmt: skip
    while not odoo("crm.lead", "search_count", [["name", "=", subject]]):
        if time.monotonic() - sent > WAIT_SECONDS:
            raise SystemExit(f"no lead after {WAIT_SECONDS} s; see `journalctl` and `mailq` in the gateway")
        time.sleep(0.1)
    return (
        "in ",
        f"jo.{stamp}@customer.example → sales@acme.example",
        f"a lead in Odoo, {time.monotonic() - sent:.1f} s",
    )


def mail_out(stamp: str, server: str) -> tuple[str, str, str]:
    """Send a mail from Odoo; return the row of the table once it is at the customer's."""
    sender, what = OUT[server]
    subject = f"{what} {stamp}"
    values = {"subject": subject, "email_from": sender, "email_to": "jo@customer.example", "body_html": "<p>Hello</p>"}
    mail = odoo("mail.mail", "create", values)
    odoo("mail.mail", "send", mail if isinstance(mail, list) else [mail])
    arrived = outside("sandbox-mail", "wait", "--subject", subject, "--timeout", str(WAIT_SECONDS))
    way = f"by {arrived['server']}:{arrived['port']} as {arrived['auth_user']}, envelope {arrived['mail_from']}"
    return "out", f"{sender} ({what})", way


def main(mail_alone: bool) -> None:
    """Look at DNS and Mailgun, then send one mail in and one for each purpose out."""
    stamp = str(int(time.time()))[-6:]
    rows = [] if mail_alone else [*published(), sending_domain()]
    rows += [mail_in(stamp), *(mail_out(stamp, server) for server in OUT)]
    width = max(len(row[1]) for row in rows)
    for direction, what, where in rows:
        print(f"  {direction}  {what:<{width}}  {where}")
    if not mail_alone:
        print(f"\n  Who sends by which server, and why: {host.CACHE.relative_to(host.ROOT)}/MAIL-{NAMESPACE}.md")


if __name__ == "__main__":
    main(mail_alone=sys.argv[1:] == ["mail"])
