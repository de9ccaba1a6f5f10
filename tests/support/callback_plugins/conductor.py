# SPDX-License-Identifier: GPL-3.0-or-later
"""Tells what a run does, step by step, and waits each time until it is let go on; see support.conductor."""

from __future__ import annotations

import json
import os
import socket
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: conductor
type: aggregate
short_description: Lets a test decide after each step whether the run goes on
description:
  - Tells of each task before it begins, and of each that changed something, and waits for an answer.
requirements:
  - the environment variable CONDUCTOR, the path of a socket
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """The run's end of the socket."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "conductor"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(os.environ["CONDUCTOR"])

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """Tell that a task is about to begin."""
        self._tell("begins", task.get_name(include_role_fqcn=False))

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        """Tell that a handler is about to begin."""
        self._tell("begins", task.get_name(include_role_fqcn=False))

    def v2_runner_on_ok(self, result: Any) -> None:
        """Tell that a task has changed something."""
        if result.is_changed():
            self._tell("changed", result.task_name)

    def _tell(self, what: str, task: str) -> None:
        self._socket.sendall(json.dumps([what, task.rpartition(" : ")[2]]).encode() + b"\n")
        # Whoever hears this may let something fail first, or kill this process, which then waits for ever.
        self._socket.recv(1)
