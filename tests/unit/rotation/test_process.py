# SPDX-License-Identifier: GPL-3.0-or-later
"""Which run this is, and whether another still lives, with real processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from dataclasses import replace

from ansible_collections.mailops.odoo.plugins.module_utils._rotation.state import Run
from ansible_collections.mailops.odoo.plugins.plugin_utils._rotation import process
from ansible_collections.mailops.odoo.plugins.plugin_utils._rotation.process import lives, this_run


def test_a_task_s_process_is_of_its_parent_s_run() -> None:
    forking = multiprocessing.get_context("fork")
    receiver, sender = forking.Pipe(duplex=False)
    child = forking.Process(target=lambda: sender.send(this_run()))
    child.start()
    try:
        assert receiver.recv() == this_run() and this_run().pid == os.getpid()
    finally:
        child.join()
    assert lives(this_run()) and " " not in f"{this_run().run}{this_run().host}"


def test_a_killed_run_does_not_live_even_if_nobody_has_asked_for_it() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    other = Run(process._began(child.pid), "here", child.pid)
    assert lives(other)
    child.send_signal(signal.SIGKILL)
    # Waited for without asking for it, so that it stays a zombie.
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not lives(other)
    child.communicate()
    assert not lives(other)


def test_another_process_with_the_same_id_is_not_that_run() -> None:
    assert not lives(replace(this_run(), run="1234abcd-1"))
    assert not lives(Run("1234abcd-1", "here", 2**70))


def test_a_process_of_another_user_lives() -> None:
    assert lives(Run(process._began(1), "here", 1))
