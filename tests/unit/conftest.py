# SPDX-License-Identifier: GPL-3.0-or-later
"""Hypothesis looks for wrong results; how long an example takes is no result."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
