# SPDX-License-Identifier: GPL-3.0-or-later
"""sandbox-dns: add records to a zone that may be changed, or take them away (RFC 2136)."""

from __future__ import annotations

import argparse
import pathlib
import re
import sys

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.tsigkeyring
import dns.update

KEY = pathlib.Path("/etc/bind/tsig.key")
KEY_NAME = "mailops"
SERVER = "127.0.0.1"
TIMEOUT = 5  # seconds
LONGEST = 255  # bytes in one of the strings of a TXT record


def main() -> None:
    """Exit 1 with the reason if the server refuses."""
    arguments = _arguments()
    name = dns.name.from_text(arguments.name)
    try:
        answer = dns.query.tcp(_update(name, arguments), SERVER, TIMEOUT)
    except (dns.exception.DNSException, OSError) as error:
        sys.exit(f"sandbox-dns: {error}")
    if answer.rcode() != dns.rcode.NOERROR:
        sys.exit(f"sandbox-dns: {arguments.name}: {dns.rcode.to_text(answer.rcode())}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="sandbox-dns", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("add", help="add values to a record set")
    delete = commands.add_parser("delete", help="take values out of a record set, or all of it")
    for command in (add, delete):
        command.add_argument("name", help="absolute, with or without a dot at its end")
        command.add_argument("type", type=str.upper, choices=["A", "CNAME", "MX", "TXT"], metavar="TYPE")
    add.add_argument("value", nargs="+", help="as Mailgun shows it: a TXT value is one text without quotes")
    add.add_argument("--ttl", type=int, default=60, metavar="SECONDS", help="(default: 60)")
    delete.add_argument("value", nargs="*")
    return parser.parse_args()


def _update(name: dns.name.Name, arguments: argparse.Namespace) -> dns.message.Message:
    found = re.search(r'secret "([^"]+)"', KEY.read_text())
    assert found
    keys = dns.tsigkeyring.from_text({KEY_NAME: found[1]})
    update = dns.update.UpdateMessage(_zone(name), keyring=keys, keyalgorithm=dns.tsig.HMAC_SHA256)
    values = [_in_zone_file(arguments.type, value) for value in arguments.value]
    if arguments.command == "add":
        for value in values:
            update.add(name, arguments.ttl, arguments.type, value)
    elif values:
        update.delete(name, arguments.type, *values)
    else:
        update.delete(name, arguments.type)
    return update


def _zone(name: dns.name.Name) -> dns.name.Name:
    """Return the zone that holds a name, which may itself be a CNAME to another one; the root is always there."""
    answer = dns.query.tcp(dns.message.make_query(name, "SOA"), SERVER, TIMEOUT)
    if any(found.rdtype == dns.rdatatype.SOA and found.name == name for found in answer.answer):
        return name
    return _zone(name.parent())


def _in_zone_file(kind: str, value: str) -> str:
    """Return a value as a zone file has it; a host name is absolute whether or not it ends with a dot."""
    if kind == "TXT":
        escaped = [re.sub(r'(["\\\\])', r"\\\1", value[at : at + LONGEST]) for at in range(0, len(value), LONGEST)]
        return " ".join(f'"{text}"' for text in escaped)
    return value if kind == "A" else f"{value.rstrip('.')}."


if __name__ == "__main__":
    main()
