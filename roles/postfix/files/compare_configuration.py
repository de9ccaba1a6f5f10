# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare Postfix's configuration with the files the role would write.

Input: JSON, file name -> text. Output: JSON, file name -> {"state", "differs", "secret", "diff"}.
`state` is absent, package (as the package ships it), managed (ours, by its first line) or foreign.
`differs` regards owner and mode, too. `diff` is a unified diff as a list of lines in which credentials
are hidden; `secret` says that there was something to hide.
"""

from __future__ import annotations

import difflib
import json
import re
import stat
import sys
from pathlib import Path

MARKER = "# Managed by Ansible: mailops.odoo.postfix"
DIRECTORY = Path("/etc/postfix")
SHIPPED = Path("/usr/share/postfix")

PASSWORD = re.compile(r"(\S*(?:passw|secret|credential|_pw\b)\S*?\s*[=:])(.*)", re.IGNORECASE)
# The value of a password parameter that only names files hides nothing.
FILE_NAMES = re.compile(r"(?:\s*(?:proxy:)?[a-z]+:/[^\s,:@]+,?)+\s*\Z")


def hide_credentials(text: str) -> tuple[str, bool]:
    """Return the text with the values of password parameters hidden, and whether there were any."""
    lines: list[str] = []
    found = False
    # Comments stand between the lines of a value without ending it, and may hold one themselves.
    hiding = {"comment": False, "setting": False}
    for line in text.splitlines():
        kind = "comment" if line.lstrip().startswith("#") or not line.strip() else "setting"
        continues = line.lstrip("#")[:1].isspace() if kind == "comment" else line[0].isspace()
        if continues and hiding[kind]:
            continue
        match = PASSWORD.search(line)
        hiding[kind] = match is not None and not FILE_NAMES.match(match[2])
        if match is not None and hiding[kind]:
            line = line[: match.end(1)] + " (hidden)"
            found = True
        lines.append(line)
    return "\n".join(lines), found


def state_of(name: str, text: str | None) -> str:
    if text is None:
        return "absent"
    if text.split("\n", 1)[0] == MARKER:
        return "managed"
    shipped = SHIPPED / f"{name}.dist"
    if shipped.exists() and shipped.read_text() == text:
        return "package"
    return "foreign"


def is_as_written(path: Path) -> bool:
    """Whether the file has the owner and mode that the role gives it."""
    status = path.stat()
    return (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (0, 0, 0o644)


def compare(name: str, candidate: str) -> dict[str, object]:
    path = DIRECTORY / name
    present = path.read_text(errors="replace") if path.exists() else None
    shown, secret = hide_credentials(present or "")
    diff = difflib.unified_diff(shown.splitlines(), candidate.splitlines(), str(path), f"{path} (new)", lineterm="")
    return {
        "state": state_of(name, present),
        "differs": present != candidate or not is_as_written(path),
        "secret": secret,
        "diff": list(diff),
    }


candidates: dict[str, str] = json.load(sys.stdin)
print(json.dumps({name: compare(name, text) for name, text in candidates.items()}))
