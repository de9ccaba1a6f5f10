# SPDX-License-Identifier: GPL-3.0-or-later
"""Check a Postfix configuration before it is put to use.

Input: JSON, file name -> text; it is written to a temporary configuration directory. Output:
how the service must take it over, `restarted` if it is to listen elsewhere than now, else
`reloaded`. An invalid configuration: exit code 1, one problem a line on the standard error.
"""

from __future__ import annotations

import json
import os
import pty
import re
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path

# Kinds of values, told by the default: postconf accepts any text, and the daemon that reads the
# parameter would stop with a fatal error.
KINDS = (
    # Also 3.6, of compatibility_level, and 1/concurrency, of the feedback parameters.
    ("a number", re.compile(r"\d+\Z"), re.compile(r"-?\d+([./]\w+)?\Z")),
    ("a time, such as 60s", re.compile(r"\d+[smhdw]\Z"), re.compile(r"\d+[smhdwSMHDW]?\Z")),
    ("yes or no", re.compile(r"(yes|no)\Z"), re.compile(r"(yes|no)\Z", re.IGNORECASE)),
)
# Its default was "no" before it was given a third value.
MORE_THAN_BOOLEAN = "smtpd_forbid_bare_newline"
# The parameters of listening sockets, which Postfix reads only when it starts.
LISTENING = ("inet_interfaces", "inet_protocols")


class InvalidConfiguration(Exception):
    """What is wrong, one problem a line."""


def parameters(output: str) -> dict[str, str]:
    pairs = (line.partition(" =") for line in output.splitlines())
    return {name: value.strip() for name, _equals, value in pairs}


def postconf(*arguments: str) -> dict[str, str]:
    """Return parameters by name; a warning, such as of an unknown parameter, is an error."""
    run = subprocess.run(["postconf", *arguments], capture_output=True, text=True, check=False)
    if run.returncode or run.stderr:
        raise InvalidConfiguration(run.stderr or f"postconf {' '.join(arguments)} failed")
    return parameters(run.stdout)


def check_values(directory: str) -> None:
    defaults = postconf("-c", directory, "-x", "-d")
    for name, value in postconf("-c", directory, "-n").items():
        if "$" in value or name == MORE_THAN_BOOLEAN:
            continue
        for kind, is_kind, is_valid in KINDS:
            if is_kind.match(defaults.get(name, "")) and not is_valid.match(value):
                raise InvalidConfiguration(f"{name} = {value}: must be {kind}")


def check_certificate(directory: str) -> None:
    values = postconf("-c", directory, "-x", "smtpd_tls_cert_file", "smtpd_tls_key_file")
    certificate, key = values["smtpd_tls_cert_file"], values["smtpd_tls_key_file"]
    if not certificate:
        return
    try:
        # Without a password given, OpenSSL would ask the terminal for that of an encrypted key.
        ssl.create_default_context().load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as error:
        raise InvalidConfiguration(f"{certificate} with {key}: {error}") from error


def check_as_a_whole(directory: str) -> None:
    # postfix(1) tells only a terminal what is wrong.
    ours, theirs = pty.openpty()
    run = subprocess.run(["postfix", "-c", directory, "check"], stdout=theirs, stderr=theirs, check=False)
    os.close(theirs)
    if run.returncode:
        raise InvalidConfiguration(os.read(ours, 65536).decode(errors="replace"))


def takeover(directory: str) -> str:
    # The configuration in use may be absent, or have warnings of its own.
    command = ["postconf", *LISTENING]
    present = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    same = parameters(present) == postconf("-c", directory, *LISTENING)
    return "reloaded" if same else "restarted"


def main() -> int:
    candidates: dict[str, str] = json.load(sys.stdin)
    with tempfile.TemporaryDirectory(prefix="postfix-") as directory:
        for name, text in candidates.items():
            path = Path(directory, name)
            path.write_text(text)
            # Postfix waits for two seconds before it reads a file that may still be being written.
            os.utime(path, (0, 0))
        try:
            check_values(directory)
            check_certificate(directory)
            check_as_a_whole(directory)
            print(takeover(directory))
        except InvalidConfiguration as error:
            lines = [line.strip() for line in str(error).splitlines()]
            print("\n".join(dict.fromkeys(lines)), file=sys.stderr)
            return 1
    return 0


sys.exit(main())
