# SPDX-License-Identifier: GPL-3.0-or-later
"""What the command line says about itself."""

from dataclasses import dataclass

HELP = """\
Takes mail for Odoo from Postfix over LMTP, hands it to Odoo at once, and tells
Postfix the outcome for every recipient. Keeps Postfix's maps of the addresses
that Odoo has. Mail that cannot be delivered now stays in Postfix's queue."""


@dataclass(frozen=True)
class Help:
    """One verb's: a line for the list of verbs, and what ``VERB --help`` shows around its
    options."""

    summary: str
    description: str
    epilog: str


_SERVING_CODES = """\
exit codes:
  0   stopped by SIGTERM or SIGINT; what was under way has been answered
  78  the configuration, a token or the machine is not as needed; it says what
      to do"""

_ASKING_CODES = """\
exit codes:
  0   done
  65  what Odoo gives is not a list of addresses
  69  Odoo cannot be reached, or does not answer as it should
  77  Odoo refuses the token (or the API key)
  78  the configuration or a token cannot be used"""

VERBS = {
    "daemon": Help(
        "take mail, and keep Postfix's maps",
        """\
Takes mail on the LMTP socket and keeps Postfix's maps like Odoo's addresses,
until it is stopped. systemd starts it (odoo-lmtp-bridge.socket and .service)
and holds the socket; started by hand it makes the socket itself.

Odoo is asked for its addresses every poll_interval seconds, and at once when it
calls the webhook.""",
        f"""\
examples:
  systemctl restart odoo-lmtp-bridge
  odoo-lmtp-bridge -c /etc/postfix/odoo-mailer.yml daemon -n 8000 -p /aliases

{_SERVING_CODES}""",
    ),
    "lmtp": Help(
        "only take mail",
        """\
Takes mail on the LMTP socket, and leaves Postfix's maps and the webhook alone.
For machines where another process (webhook) keeps the maps.""",
        f"""\
example:
  odoo-lmtp-bridge -c /etc/postfix/odoo-mailer.yml lmtp

{_SERVING_CODES}""",
    ),
    "webhook": Help(
        "only keep Postfix's maps",
        """\
Keeps Postfix's maps like Odoo's addresses, and takes no mail. Odoo is asked
every poll_interval seconds, and at once when it calls the webhook, if the
configuration or --port gives that an address. Shows no health and no metrics.""",
        f"""\
example:
  odoo-lmtp-bridge webhook --port 8025

{_SERVING_CODES}""",
    ),
    "aliases": Help(
        "print the map of addresses, as Odoo has them now",
        """\
Asks Odoo for its addresses and prints them as the map for Postfix's parameters
virtual_alias_maps and relay_recipient_maps: every address to itself, a former
one to the present one. Writes no file.""",
        f"""\
example:
  odoo-lmtp-bridge aliases | grep sales

{_ASKING_CODES}""",
    ),
    "transport": Help(
        "print the map of next hops, as Odoo has them now",
        """\
Asks Odoo for its addresses and prints them as the map for Postfix's parameter
transport_maps: every address to the bridge's socket. Writes no file.""",
        f"""\
example:
  odoo-lmtp-bridge transport | wc -l

{_ASKING_CODES}""",
    ),
    "pipe": Help(
        "deliver one message from standard input, for other mail servers",
        """\
Reads a message from standard input and hands it to Odoo for the recipients
given. For Exim's pipe transport, an alias file or a script; Postfix is better
served over LMTP. Give one recipient at a time: an exit code is for all of them.

Whatever is not a proof about the mail (a wrong configuration or token, no Odoo)
is temporary, so that the mail server keeps the message.""",
        """\
examples:
  odoo-lmtp-bridge pipe -f jo@customer.example sales@acme.example < message.eml
  Exim:     command = /usr/bin/odoo-lmtp-bridge pipe -f "$sender_address" \\
                      "$local_part@$domain"
  aliases:  sales: "|/usr/bin/odoo-lmtp-bridge pipe sales@acme.example"

exit codes:
  0   delivered
  65  refused for good (552 too large, 554 a mail loop or the like)
  67  Odoo has no such address (550)
  75  to be tried again""",
    ),
    "check": Help(
        "say what is in order and what is not, a line for each",
        """\
Checks the configuration, the tokens (which one Odoo takes), Odoo's answer, the
sockets, the quarantine, the maps, and whether Postfix reads them. Changes
nothing. Lines start with ok, WARNING (mail flows all the same) or FAILED.""",
        """\
example:
  odoo-lmtp-bridge check

exit codes, of the first failure:
  0   mail flows
  65  a list of addresses is malformed, or shrank too much (see: confirm)
  69  Odoo or the LMTP socket does not answer
  75  the maps are not those of Odoo yet: wait for the next poll
  77  Odoo refuses the token (or the API key)
  78  the configuration or a token cannot be used""",
    ),
    "replay": Help(
        "list the mail in quarantine, and send it to Odoo again",
        """\
Without arguments, lists the messages on which Odoo failed time and again and
that Postfix has been told are delivered. With IDs or --all, hands them to Odoo
again, once what it failed on is mended; those that it takes leave the
quarantine.""",
        """\
examples:
  odoo-lmtp-bridge replay
  odoo-lmtp-bridge replay 20260314T093000Z-1f2e3d4c
  odoo-lmtp-bridge replay --all
  odoo-lmtp-bridge replay --delete 20260314T093000Z-1f2e3d4c

exit codes, of the first failure:
  0   done
  65  a message is damaged, or Odoo refuses it
  66  a message is not in quarantine
  74  the quarantine cannot be read or written
  75  Odoo still fails, or another replay is running
  78  the configuration or a token cannot be used, or the message's database is
      not configured any more""",
    ),
    "confirm": Help(
        "accept a list of addresses though it is far shorter than before",
        """\
A database's list that is shorter by more than shrink_limit percent is more
likely an accident than meant, and is not taken. This shows the bridge that the
list that Odoo gives now is meant; it is taken at the next poll.""",
        f"""\
example:
  odoo-lmtp-bridge confirm prod

{_ASKING_CODES}
  73  the confirmation cannot be written""",
    ),
}
