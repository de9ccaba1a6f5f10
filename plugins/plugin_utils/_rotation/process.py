# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which run of Ansible this is, and whether another one of this host still lives."""

from __future__ import annotations

import multiprocessing
import os
import platform
from pathlib import Path

from ansible_collections.mailops.odoo.plugins.module_utils._rotation.state import Run

# Where no /proc tells when a process began: the process id alone has to do.
UNKNOWN = "-"
BOOT = Path("/proc/sys/kernel/random/boot_id")


def this_run() -> Run:
    """Return the run that this process belongs to: tasks are carried out by children of it."""
    parent = multiprocessing.parent_process()
    pid = parent.pid if parent and parent.pid else os.getpid()
    # Without blanks, which K_rotation is parted by.
    return Run(_began(pid), "".join(platform.node().split()) or "localhost", pid)


def lives(run: Run) -> bool:
    """Return whether a run of this host still lives, and its process id was not given to another process since."""
    try:
        os.kill(run.pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass  # somebody else's, but there
    return _began(run.pid) == run.run and not _ended(run.pid)


def _began(pid: int) -> str:
    """Return the boot and the clock ticks after it at which a process began (proc(5), stat, field 22)."""
    try:
        return f"{BOOT.read_text().partition('-')[0]}-{_stat(pid)[19]}"
    except OSError:
        return UNKNOWN


def _ended(pid: int) -> bool:
    """Return whether a process was killed already, and only its parent has not asked for it (field 3)."""
    try:
        return _stat(pid)[0] in "ZX"
    except OSError:
        return False


def _stat(pid: int) -> list[str]:
    """Return the fields from the third on; the second, a name in brackets, may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
