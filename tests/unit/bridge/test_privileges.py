# SPDX-License-Identifier: GPL-3.0-or-later
"""Root's command line does not do for the service's user what that user could not do."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from odoo_lmtp_bridge.privileges import as_owner, owner_identity

NOBODY = 65534

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory of nobody's, in one that all can reach."""
    with TemporaryDirectory() as parent:
        os.chmod(parent, 0o755)
        directory = Path(parent, "state")
        directory.mkdir()
        os.chown(directory, NOBODY, NOBODY)
        yield directory


@needs_root
def test_files_are_written_as_the_owner(directory: Path) -> None:
    secret = directory.parent / "secret"
    secret.write_text("root's")
    (directory / "trap").symlink_to(secret)
    with as_owner(directory):
        (directory / "file").write_text("x")
        with pytest.raises(PermissionError):
            (directory / "trap").write_text("overwritten")
    assert (directory / "file").stat().st_uid == NOBODY
    assert secret.read_text() == "root's"
    assert os.geteuid() == 0


@needs_root
def test_programs_run_as_the_owner_for_good(directory: Path) -> None:
    command = ["python3", "-c", "import os; print(os.getresuid(), os.getresgid(), os.getgroups())"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, **owner_identity(directory))
    assert done.stdout.strip() == f"{(NOBODY,) * 3} {(NOBODY,) * 3} []"


@needs_root
def test_a_link_of_the_owners_leads_root_nowhere(directory: Path) -> None:
    target = directory.parent / "of-root"
    target.mkdir(mode=0o755)
    for name in ("quarantine", "dangling"):
        link = directory / name
        link.symlink_to(target if name == "quarantine" else directory.parent / "none")
        os.chown(link, NOBODY, NOBODY, follow_symlinks=False)
        assert owner_identity(link) == owner_identity(directory)
    with as_owner(directory / "quarantine"), pytest.raises(PermissionError):
        (directory / "quarantine" / "file").touch()


@needs_root
def test_what_is_not_there_yet_is_its_parents_owners(directory: Path) -> None:
    assert owner_identity(directory / "none" / "deeper") == owner_identity(directory)


@needs_root
def test_a_link_of_roots_is_followed(directory: Path) -> None:
    link = directory.parent / "link"
    link.symlink_to(directory)
    assert owner_identity(link) == owner_identity(directory)


def test_what_is_not_there_has_no_owner(tmp_path: Path) -> None:
    assert owner_identity(tmp_path / "none") == {}
    with as_owner(tmp_path / "none"):
        assert not (tmp_path / "none").exists()
