#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: file_tree
short_description: Place a whole directory, exactly as it is on the controller
version_added: 0.1.0
description:
  - Makes a directory on the host the same as one on the controller. Files that are not in the source are removed.
  - The checksums of all files are compared in one step. Only if something differs is the tree sent, as one
    archive, unpacked beside the directory and put in its place as a whole.
  - C(__pycache__) directories and C(*.pyc) files count for nothing on either side.
  - Files get mode C(0644) and directories C(0755). They belong to the user that the task runs as, usually root.
author:
  - The mailops.odoo authors (@mailops)
options:
  src:
    description:
      - The directory on the controller. A relative path is looked for where M(ansible.builtin.copy) looks, first in
        the C(files) directory of the role.
      - It may hold regular files and directories only, no symbolic links.
    type: str
    required: true
  dest:
    description:
      - The directory on the host, as an absolute path. Parent directories are made if need be.
    type: path
    required: true
  checksums:
    description:
      - The SHA-256 of every file by its relative path. The controller's side of the module fills it in; it is not
        taken from a task.
    type: dict
  archive:
    description:
      - Where on the host the tree was sent to. The controller's side of the module fills it in; it is not taken from
        a task.
    type: path
extends_documentation_fragment:
  - mailops.odoo.attributes
seealso:
  - module: ansible.builtin.copy
"""

EXAMPLES = r"""
- name: Place a Python package
  mailops.odoo.file_tree:
    src: odoo_lmtp_bridge
    dest: /usr/lib/odoo-lmtp-bridge/odoo_lmtp_bridge
"""

RETURN = r"""
changes:
  description: The files that differed, and what was done about each.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description: The file's path below O(dest).
      type: str
    change:
      description: V(added), V(modified) (its content, mode or owner) or V(removed).
      type: str
  sample:
    - path: models/mail_thread.py
      change: modified
"""

import hashlib
import os
import shutil
import stat
import tarfile
import tempfile

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.text.converters import to_native

FILE_MODE = 0o644
DIRECTORY_MODE = 0o755


def sha256(path):
    """Return the SHA-256 of a file's content, in hexadecimal."""
    checksum = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            checksum.update(block)
    return checksum.hexdigest()


def describe(checksum, mode, uid, gid):
    """Return the state of a file or directory, which is compared and shown in a diff, as text."""
    return f"{checksum} {mode:04o} {uid}:{gid}"


def wanted_state(checksums):
    """Return {relative path: state} of the tree with these {relative path: sha256}, directories included."""
    owner = os.geteuid(), os.getegid()
    state = {".": describe("directory", DIRECTORY_MODE, *owner)}
    for path, checksum in checksums.items():
        state[path] = describe(checksum, FILE_MODE, *owner)
        parent = os.path.dirname(path)
        while parent:
            state[parent] = describe("directory", DIRECTORY_MODE, *owner)
            parent = os.path.dirname(parent)
    return state


def present_state(root):
    """Return {relative path: state} of what is at `root`: nothing if there is nothing."""
    state = {}
    if not os.path.lexists(root):
        return state
    for directory, names, files in os.walk(root):
        names[:] = [name for name in names if name != "__pycache__"]
        entries = [name for name in names + files if not name.endswith(".pyc")]
        for path in [directory] + [os.path.join(directory, name) for name in entries]:
            status = os.lstat(path)
            if stat.S_ISDIR(status.st_mode):
                kind = "directory"
            elif stat.S_ISREG(status.st_mode):
                kind = sha256(path)
            else:
                kind = "special"
            state[os.path.relpath(path, root)] = describe(
                kind, stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid
            )
    return state


def compare(present, wanted):
    """Return the changes that lead from one state to the other, sorted by path."""
    changes = []
    for path in sorted(set(present) | set(wanted)):
        if path not in present:
            changes.append({"path": path, "change": "added"})
        elif path not in wanted:
            changes.append({"path": path, "change": "removed"})
        elif present[path] != wanted[path]:
            changes.append({"path": path, "change": "modified"})
    return changes


def diff(dest, present, wanted, changes):
    """Return the changed entries of both states in the form of Ansible's diff."""

    changed = [change["path"] for change in changes]

    def lines(state):
        return "".join(f"{path} {state[path]}\n" for path in changed if path in state)

    return {"before_header": dest, "after_header": dest, "before": lines(present), "after": lines(wanted)}


def unpack(archive, checksums, target):
    """Unpack exactly the files of `checksums` below `target`; ValueError if the archive has others."""
    os.mkdir(target)
    left = dict(checksums)
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            checksum = left.pop(member.name, None)
            if checksum is None or not member.isfile():
                raise ValueError(f"the archive has {member.name}, which was not announced")
            path = os.path.join(target, member.name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with tar.extractfile(member) as content, open(path, "wb") as file:
                shutil.copyfileobj(content, file)
            if sha256(path) != checksum:
                raise ValueError(f"{member.name} was damaged on its way")
    if left:
        raise ValueError(f"the archive lacks {sorted(left)}")
    # A parent with the setgid bit gives it, and its group, to all that is made in it.
    for directory, _names, files in os.walk(target):
        for path in [directory] + [os.path.join(directory, name) for name in files]:
            os.chown(path, os.geteuid(), os.getegid())
            os.chmod(path, DIRECTORY_MODE if path == directory else FILE_MODE)


def replace(dest, archive, checksums):
    """Put the tree of the archive in the place of `dest`; `dest` is as it was if anything fails."""
    parent, name = os.path.split(dest)
    os.umask(0o022)
    os.makedirs(parent, exist_ok=True)
    # On the same file system, so that the move is one step.
    staging = tempfile.mkdtemp(prefix=f".{name}.", dir=parent)
    new, old = os.path.join(staging, "new"), os.path.join(staging, "old")
    try:
        unpack(archive, checksums, new)
        there = os.path.lexists(dest)
        if there:
            os.rename(dest, old)
        try:
            os.rename(new, dest)
        except OSError:
            if there:
                os.rename(old, dest)
            raise
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def main():
    module = AnsibleModule(
        argument_spec={
            "src": {"type": "str", "required": True},
            "dest": {"type": "path", "required": True},
            "checksums": {"type": "dict"},
            "archive": {"type": "path"},
        },
        supports_check_mode=True,
    )
    dest = module.params["dest"].rstrip("/")
    checksums, archive = module.params["checksums"] or {}, module.params["archive"]
    if not os.path.isabs(dest):
        module.fail_json(msg=f"dest must be an absolute path below /, not {module.params['dest']}")
    if os.path.islink(dest) or (os.path.lexists(dest) and not os.path.isdir(dest)):
        module.fail_json(msg=f"{dest} is there and is not a directory")
    try:
        present, wanted = present_state(dest), wanted_state(checksums)
        changes = compare(present, wanted)
        if changes and archive and not module.check_mode:
            replace(dest, archive, checksums)
    except (OSError, ValueError, tarfile.TarError) as error:
        module.fail_json(msg=f"{dest}: {to_native(error)}")
    result = {"changed": bool(changes), "changes": changes}
    if module._diff:
        result["diff"] = diff(dest, present, wanted, changes)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
