# SPDX-License-Identifier: GPL-3.0-or-later
"""file_tree as Ansible runs it, here on this very machine, and what protects the directory."""

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from ansible_collections.mailops.odoo.plugins.modules import file_tree

ROOT = Path(__file__).resolve().parents[3]


def place(src: Path, dest: Path | str, **keywords: object) -> dict[str, object]:
    """A task; its result is kept whether it fails or not."""
    task = {"src": str(src), "dest": str(dest)}
    return {"mailops.odoo.file_tree": task, "ignore_errors": True, **keywords}


def shell(script: str) -> dict[str, object]:
    return {"ansible.builtin.shell": script, "changed_when": True}


def run(base: Path, tasks: list[dict[str, object]], pipelining: bool = True) -> list[dict[str, object]]:
    """The results of the tasks, run in one play on this machine."""
    named = [{"name": f"Step {i}", "register": f"r{i}", **task} for i, task in enumerate(tasks)]
    keep = {
        "name": "Keep the results",
        "ansible.builtin.copy": {
            "content": "[" + ", ".join(f"{{{{ r{i} | to_json }}}}" for i in range(len(tasks))) + "]",
            "dest": str(base / "results.json"),
        },
    }
    play = {"hosts": "localhost", "gather_facts": False, "tasks": [*named, keep]}
    (base / "play.json").write_text(json.dumps([play]))
    (base / "ansible.cfg").touch()
    environ = os.environ | {
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".ansible/collections"),
        "ANSIBLE_CONFIG": str(base / "ansible.cfg"),
        "ANSIBLE_LOCAL_TEMP": str(base / "local"),
        "ANSIBLE_REMOTE_TEMP": str(base / "remote"),
        "ANSIBLE_PIPELINING": str(pipelining),
    }
    playbook = [sys.executable, "-m", "ansible", "playbook", "-c", "local", "-i", "localhost,"]
    variable = ["-e", f"ansible_python_interpreter={sys.executable}"]
    command = [*playbook, *variable, str(base / "play.json")]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    # Nothing of what was sent stays.
    assert not list((base / "remote").iterdir())
    results = json.loads((base / "results.json").read_text())
    assert isinstance(results, list)
    return results


def changes(result: dict[str, object]) -> dict[str, str]:
    listed = result["changes"]
    assert isinstance(listed, list)
    assert result["changed"] is bool(listed)
    return {change["path"]: change["change"] for change in listed}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    files = {"a.py": "a", "sub/deep/b.txt": "b", "empty": ""}
    compiled = {"__pycache__/a.pyc": "compiled", "sub/b.pyc": "compiled"}
    for path, content in (files | compiled).items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(content)
    return source


NEW = dict.fromkeys((".", "a.py", "empty", "sub", "sub/deep", "sub/deep/b.txt"), "added")
DRIFT = {
    "a.py": "modified",
    "empty": "modified",
    "link": "removed",
    "stale": "removed",
    "sub": "modified",
    "sub/deep/b.txt": "added",
}
MAKE_DRIFT = """
set -e; umask 022; cd {dest}
mkdir __pycache__; echo > __pycache__/a.pyc
echo changed > a.py; chmod 600 empty; chmod 777 sub; echo > stale; ln -s a.py link; rm sub/deep/b.txt
"""


def test_from_nothing_to_every_kind_of_drift(tmp_path: Path, source: Path) -> None:
    dest = tmp_path / "parent" / "dest"
    results = run(
        tmp_path,
        [
            place(source, dest, check_mode=True, diff=True),
            shell(f"test ! -e {dest.parent}"),
            place(source, dest),
            place(source, dest, diff=True),
            shell(MAKE_DRIFT.format(dest=dest)),
            place(source, dest, check_mode=True, diff=True),
            shell(f"test -e {dest}/stale"),
            place(source, dest, diff=True),
            place(source, dest),
        ],
    )
    found = [changes(result) for result in results if "changes" in result]
    assert found == [NEW, NEW, {}, DRIFT, DRIFT, {}]
    difference = results[5]["diff"]
    assert isinstance(difference, dict)
    assert difference == results[7]["diff"]
    assert [line.split()[0] for line in difference["before"].splitlines()] == [
        *("a.py", "empty", "link", "stale", "sub")
    ]
    assert [line.split()[0] for line in difference["after"].splitlines()] == [
        *("a.py", "empty", "sub", "sub/deep/b.txt")
    ]
    assert (dest / "sub/deep/b.txt").read_text() == "b"
    assert not list(dest.rglob("*.pyc"))
    assert {path.stat().st_mode & 0o7777 for path in [dest, *dest.rglob("*")]} == {0o644, 0o755}
    assert [path.name for path in dest.parent.iterdir()] == ["dest"]


def test_without_pipelining(tmp_path: Path, source: Path) -> None:
    tasks = [place(source, tmp_path / "dest"), place(source, tmp_path / "dest")]
    assert [changes(result) for result in run(tmp_path, tasks, pipelining=False)] == [NEW, {}]


def test_what_is_refused(tmp_path: Path, source: Path) -> None:
    dest = tmp_path / "dest"
    (tmp_path / "pointer").symlink_to(source)
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "link").symlink_to("/etc/passwd")
    (tmp_path / "hollow").mkdir()
    results = run(
        tmp_path,
        [
            place(tmp_path / "none", dest),
            place(source / "a.py", dest),
            place(tmp_path / "hollow", dest),
            place(tmp_path / "linked", dest),
            place(source, "relative"),
            place(source, "/"),
            place(source, tmp_path / "pointer"),
        ],
    )
    expected = [
        "none",
        "is not a directory",
        "has no files",
        "neither a regular file",
        "absolute path",
        "absolute path",
        "not a directory",
    ]
    for result, message in zip(results, expected, strict=True):
        assert result["failed"]
        assert message in str(result["msg"])
    assert not dest.exists()


def archive(path: Path, **files: str) -> str:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name.replace("UP", "../"))
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content.encode()))
    return str(path)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a": "evil"}, "damaged"),
        ({"a": "good", "b": "more"}, "not announced"),
        ({"a": "good", "UPb": "more"}, "not announced"),
        ({}, "lacks"),
    ],
)
def test_an_archive_that_is_not_what_was_announced_changes_nothing(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    (tmp_path / "good").write_text("good")
    checksums = {"a": file_tree.sha256(str(tmp_path / "good"))}
    dest = tmp_path / "there" / "dest"
    dest.mkdir(parents=True)
    (dest / "a").write_text("old")
    with pytest.raises(ValueError, match=message):
        file_tree.replace(str(dest), archive(tmp_path / "x.tar.gz", **files), checksums)
    assert (dest / "a").read_text() == "old"
    assert [path.name for path in dest.parent.iterdir()] == ["dest"]


def test_what_the_parent_s_setgid_bit_would_give_the_tree_is_taken_away(source: Path, tmp_path: Path) -> None:
    """Or else the tree would differ, and be replaced, at every run."""
    parent = tmp_path / "parent"
    parent.mkdir()
    if os.geteuid() == 0:
        os.chown(parent, 0, 1)
    parent.chmod(0o2755)
    first, second = run(tmp_path, [place(source, parent / "tree")] * 2)
    assert first["changed"] is True
    assert changes(second) == {}
