# SPDX-License-Identifier: GPL-3.0-or-later
"""Root's command line in the directories of the unprivileged service."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict


class Identity(TypedDict, total=False):
    """Arguments of `subprocess.run` that make the program another user's."""

    user: int
    group: int
    extra_groups: list[int]


def owner_identity(path: Path) -> Identity:
    """For root, what makes a program run as the owner of `path`; nothing for others.

    Whoever took over the service could put things in its directories that a program of root's
    would follow, load or overwrite. So a link of that user's at `path` counts as that user's, and
    what is not there, and may be put there at any moment, as that of whose directory it is in.
    """
    if os.geteuid() != 0:
        return {}
    while not os.path.lexists(path):
        path = path.parent
    status = path.lstat()
    if status.st_uid == 0 and path.exists():
        # A link of root's own, such as /var/lib to another disk, may be followed.
        status = path.stat()
    if status.st_uid == 0:
        return {}
    return {"user": status.st_uid, "group": status.st_gid, "extra_groups": []}


@contextmanager
def as_owner(path: Path) -> Iterator[None]:
    """For root, file access as the owner of `path` while it lasts; nothing for others."""
    identity = owner_identity(path)
    if not identity:
        yield
        return
    groups = os.getgroups()
    os.setgroups(identity["extra_groups"])
    os.setegid(identity["group"])
    os.seteuid(identity["user"])
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)
