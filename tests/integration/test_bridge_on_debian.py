# SPDX-License-Identifier: GPL-3.0-or-later
"""The bridge's unit tests with what a gateway really has: Debian's Python, its aiohttp, and Postfix's postmap."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import host
import images
import pytest
from support.playbooks import ROOT

pytestmark = pytest.mark.integration


def test_the_unit_tests_pass_in_the_gateway_image(tmp_path: Path) -> None:
    """Only pytest and hypothesis come from outside; a test that is skipped here is a failure."""
    wanted = [f"{name}=={version(name)}" for name in ("pytest", "hypothesis")]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", str(tmp_path)]
    subprocess.run([*pip, *wanted], check=True, stderr=subprocess.DEVNULL)
    done = subprocess.run(
        [
            "podman", "run", "--rm", "--network", "none",
            "--volume", f"{ROOT}:/src:ro", "--volume", f"{tmp_path}:/libraries:ro", "--workdir", "/src",
            "--env", "PYTHONPATH=/libraries", "--env", "HYPOTHESIS_STORAGE_DIRECTORY=/tmp",
            images.build("gateway"),
            "/usr/bin/python3", "-m", "pytest", "-q", "-rs", "--confcutdir=tests/unit", "tests/unit/bridge",
        ],
        env=host.environment(), text=True, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert " skipped" not in done.stdout, done.stdout
