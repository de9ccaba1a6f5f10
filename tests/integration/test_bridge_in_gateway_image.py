# SPDX-License-Identifier: GPL-3.0-or-later
"""The bridge's unit tests where the bridge runs: Debian's own Python and libraries, Postfix's own postmap."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

import host
import images
import pytest

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
PYTHON = "3.11"  # Debian 12's
TOOLS = ("pytest", "pytest-xdist", "hypothesis")


@pytest.fixture(scope="module")
def tools() -> Path:
    """A folder with the tools that the image does not have and that the tests need, of the versions used here."""
    pinned = (ROOT / "requirements/development.txt").read_text().split()
    wanted = [line for line in pinned if line.partition("==")[0] in TOOLS]
    assert len(wanted) == len(TOOLS)
    folder = ROOT / ".cache" / "_".join(["tools", PYTHON, *wanted])
    if not folder.exists():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        command += ["--only-binary=:all:", "--python-version", PYTHON]
        # What a broken installation leaves behind is not taken for a whole one.
        with tempfile.TemporaryDirectory(dir=folder.parent) as unfinished:
            subprocess.run([*command, "--target", f"{unfinished}/tools", *wanted], check=True)
            Path(unfinished, "tools").rename(folder)
    return folder


def test_none_fails_and_none_is_skipped(tools: Path) -> None:
    images.build(["gateway"])
    done = subprocess.run(
        [
            "podman", "run", "--rm", "--network=none", "--tmpfs=/tmp", "--workdir=/checkout",
            f"--volume={ROOT}:/checkout:ro", f"--volume={tools}:/tools:ro", "--env=PYTHONPATH=/tools",
            "--env=PYTHONDONTWRITEBYTECODE=1", "--env=HYPOTHESIS_STORAGE_DIRECTORY=/tmp", images.name_of("gateway"),
            "python3", "-m", "pytest", "-q", "-ra", "-n", "2", "--confcutdir=tests/unit", "tests/unit/bridge",
        ],
        env=host.environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    # A skipped test, or one expected to fail, would be counted here as well.
    assert re.fullmatch(r"[1-9]\d* passed in .*", done.stdout.splitlines()[-1]), said
