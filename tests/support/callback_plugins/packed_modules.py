# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets runs of Ansible share the modules that they pack; see the fixture packed_modules."""

from __future__ import annotations

import os

from ansible import constants as C
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: packed_modules
type: aggregate
short_description: Lets runs share the modules that they pack
description:
  - Ansible packs each module with what it imports once a run, without its arguments, and forgets it at the end.
requirements:
  - the environment variable PACKED_MODULES, a folder
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Has a run keep them in that folder."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "packed_modules"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        os.symlink(os.environ["PACKED_MODULES"], os.path.join(C.DEFAULT_LOCAL_TMP, "ansiballz_cache"))
