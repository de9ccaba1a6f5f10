# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import tempfile

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase

MODULE = "mailops.odoo.file_tree"


def read_tree(root: str) -> dict[str, bytes]:
    """Return {relative path: content} of the files below `root`, compiled Python left out.

    Raises AnsibleActionFail for what is neither a regular file nor a directory.
    """
    files = {}
    for directory, names, leaves in os.walk(root):
        names[:] = sorted(name for name in names if name != "__pycache__")
        for name in names + leaves:
            path = os.path.join(directory, name)
            if os.path.islink(path) or not (os.path.isdir(path) or os.path.isfile(path)):
                raise AnsibleActionFail(f"{path} is neither a regular file nor a directory")
        for name in sorted(leaves):
            if not name.endswith(".pyc"):
                path = os.path.join(directory, name)
                with open(path, "rb") as file:
                    files[os.path.relpath(path, root)] = file.read()
    return files


def write_archive(files: dict[str, bytes], path: str) -> None:
    """Write the files into a gzipped tar archive at `path`."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


class ActionModule(ActionBase):
    """The controller's side: asks the host what differs, and sends the tree only then."""

    _VALID_ARGS = frozenset(("src", "dest"))
    # Most runs send nothing; a directory for what is sent is made when it is needed.
    TRANSFERS_FILES = False

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        for name in ("src", "dest"):
            if not isinstance(self._task.args.get(name), str) or not self._task.args[name]:
                raise AnsibleActionFail(f"{name} is required, as text")
        try:
            root = self._find_needle("files", self._task.args["src"])
        except AnsibleError as error:
            raise AnsibleActionFail(str(error)) from error
        if not os.path.isdir(root):
            raise AnsibleActionFail(f"{root} is not a directory")
        files = read_tree(root)
        if not files:
            raise AnsibleActionFail(f"{root} has no files")
        arguments = {
            "src": self._task.args["src"],
            "dest": self._task.args["dest"],
            "checksums": {path: hashlib.sha256(content).hexdigest() for path, content in files.items()},
        }
        result.update(self._execute_module(MODULE, arguments, task_vars=task_vars))
        if result.get("failed") or not result.get("changed") or self._task.check_mode:
            return result
        result.update(self._send(files, arguments, task_vars))
        return result

    def _send(self, files, arguments, task_vars):
        # Without pipelining there is a directory already; Ansible removes it after the task.
        remote = self._connection._shell.tmpdir or self._make_tmp_path()
        with tempfile.TemporaryDirectory() as local:
            archive = os.path.join(local, "tree.tar.gz")
            write_archive(files, archive)
            sent = self._transfer_file(archive, self._connection._shell.join_path(remote, "tree.tar.gz"))
        self._fixup_perms2((remote, sent))
        return self._execute_module(MODULE, {**arguments, "archive": sent}, task_vars=task_vars)
