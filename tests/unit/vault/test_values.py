# SPDX-License-Identifier: GPL-3.0-or-later
"""Several secrets in one write: all or none, and only if what is expected is there."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest
from ansible.parsing.vault import VaultSecret
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ConflictError, ValidationError
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault.value import read, read_all, update_all
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault.vault import Vault

VAULT = Vault([("dev", VaultSecret(b"dev password"))])
PLAIN = "---\n# The passwords\nvault_a: 'old-a'  # of A\n\nvault_b: \"old-b\"\nvault_c: keep\n"


def sealed(text: str) -> str:
    return VAULT.seal(text, VAULT.seal_for())


def inline(name: str, text: str) -> str:
    return f"{name}: !vault |\n" + "".join(f"          {line}\n" for line in sealed(text).splitlines())


@pytest.fixture(params=["whole", "inline"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a file with vault_a, vault_b and vault_c, encrypted as a whole or value by value."""
    found = tmp_path / "vault.yml"
    if request.param == "whole":
        found.write_text(sealed(PLAIN))
    else:
        parts = (inline("vault_a", "old-a"), inline("vault_b", "old-b"), inline("vault_c", "keep"))
        found.write_text("name: in clear\n" + "# a comment\n".join(parts))
    return found


def test_all_change_in_one_write(path: Path) -> None:
    before = path.stat().st_ino
    with path.open() as held:  # so that its inode is not given to another file
        outcomes = update_all(
            str(path),
            {
                "vault_a": "new-a",
                "vault_b": None,
                "vault_d": lambda old: old or "made",
                "vault_c": "keep",
                "vault_e": None,
            },
            {"vault_a": "old-a", "vault_b": "old-b", "vault_d": None},
            VAULT,
        )
        assert path.stat().st_ino != before and held.read()
    assert {key: outcome.changed for key, outcome in outcomes.items()} == {
        "vault_a": True,
        "vault_b": True,
        "vault_d": True,
        "vault_c": False,
        "vault_e": False,
    }
    assert (outcomes["vault_b"].before, outcomes["vault_d"].after) == ("old-b", "made")
    names = ("vault_a", "vault_b", "vault_c", "vault_d", "vault_e")
    assert list(read_all(str(path), names, VAULT).values()) == ["new-a", None, "keep", "made", None]
    assert "old-a" not in repr(outcomes) and "made" not in repr(outcomes)


def test_what_is_not_named_stays(path: Path) -> None:
    text = path.read_text()
    update_all(str(path), {"vault_a": "new-a", "vault_d": "new-d"}, {}, VAULT)
    if text.startswith("$"):
        after = VAULT.open(path.read_text(), "it")[0]
        assert after == PLAIN.replace("old-a", "new-a") + "vault_d: new-d\n"
    else:
        kept = text[text.index("# a comment\nvault_b") :]
        assert path.read_text().startswith("name: in clear\nvault_a: !vault |\n") and kept in path.read_text()


@pytest.mark.parametrize(
    ("expected", "names"),
    [
        ({"vault_a": "other"}, "vault_a in .* is not"),
        ({"vault_a": None}, "vault_a in .* is not"),
        ({"vault_a": "old-a", "vault_d": "there"}, "vault_d in .* is not"),
        ({"vault_c": "old", "vault_b": "old-b", "vault_a": "x"}, "vault_a, vault_c in .* are not"),
    ],
)
@pytest.mark.parametrize("check", [False, True])
def test_nothing_is_written_where_something_else_is_there(
    path: Path, expected: dict[str, str | None], names: str, check: bool
) -> None:
    before, status = path.read_bytes(), path.stat()
    asked: list[str | None] = []

    def wanted(old: str | None) -> str:
        asked.append(old)
        return "new"

    with pytest.raises(ConflictError, match=f"{names} what this run knows of") as error:
        update_all(str(path), {"vault_d": wanted}, expected, VAULT, check=check)
    assert (path.read_bytes(), path.stat().st_ino, asked) == (before, status.st_ino, [])
    assert "old-a" not in error.value.text() and "keep" not in error.value.text()


def test_a_bad_value_among_good_ones_writes_none(path: Path) -> None:
    before = path.read_bytes()
    for bad, message in (("", "empty"), ("$ANSIBLE_VAULT;1.1", "encrypted already"), ("\udc80", "UTF-8")):
        with pytest.raises(ValidationError, match=f"the value for vault_b .*{message}"):
            update_all(str(path), {"vault_a": "new-a", "vault_b": bad, "vault_c": "new-c"}, {}, VAULT)
    for changes, expected in (({"a b": "x"}, {}), ({"vault_a": "x"}, {"a b": None})):
        with pytest.raises(ValidationError, match="key a b is not the name of a variable"):
            update_all(str(path), changes, expected, VAULT)
    assert path.read_bytes() == before


def test_check_mode_writes_nothing(path: Path) -> None:
    before = path.read_bytes()
    outcomes = update_all(str(path), {"vault_a": "new", "vault_b": None}, {"vault_a": "old-a"}, VAULT, check=True)
    assert all(outcome.changed for outcome in outcomes.values()) and path.read_bytes() == before


def test_an_empty_variable_is_as_one_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "vault.yml"
    path.write_text(sealed("vault_a:\nvault_b: ''\n"))
    update_all(str(path), {"vault_a": "new"}, {"vault_a": None, "vault_b": "", "vault_c": ""}, VAULT)
    assert read(str(path), "vault_a", VAULT) == "new"


def _swap(path: str, number: int, barrier: object, results: object) -> None:
    barrier.wait()  # type: ignore[attr-defined]
    try:
        update_all(path, {"vault_a": f"of-{number}", "vault_d": f"of-{number}"}, {"vault_a": "old-a"}, VAULT)
        results.put(number)  # type: ignore[attr-defined]
    except ConflictError:
        results.put(None)  # type: ignore[attr-defined]


def test_of_several_at_once_one_writes_and_the_others_are_told(path: Path) -> None:
    fork = multiprocessing.get_context("fork")
    barrier, results = fork.Barrier(5), fork.Queue()
    workers = [fork.Process(target=_swap, args=(str(path), number, barrier, results)) for number in range(5)]
    for worker in workers:
        worker.start()
    found = [results.get(timeout=60) for worker in workers]
    for worker in workers:
        worker.join()
    (winner,) = (number for number in found if number is not None)
    assert read_all(str(path), ("vault_a", "vault_d"), VAULT) == dict.fromkeys(("vault_a", "vault_d"), f"of-{winner}")


def test_what_is_new_is_sealed_as_the_values_that_it_belongs_to(tmp_path: Path) -> None:
    """Of several vault ids in a file."""
    both = Vault([("dev", VaultSecret(b"dev password")), ("prod", VaultSecret(b"prod password"))])
    file = tmp_path / "vault.yml"

    def value(name: str, vault_id: str) -> str:
        text = both.seal(name, both.seal_for(vault_id))
        return f"{name}: !vault |\n" + "".join(f"          {line}\n" for line in text.splitlines())

    file.write_text(value("vault_a", "dev") + value("vault_b", "prod"))
    changes = {"vault_b_next": "new", "vault_b_rotation": "begun"}
    update_all(str(file), changes, {"vault_b": "vault_b", "vault_b_next": None}, both)
    assert file.read_text().count(";prod\n") == 3
    update_all(str(file), {"vault_b": "new", "vault_b_rotated": "now"}, {}, both)
    assert file.read_text().count(";prod\n") == 4
    with pytest.raises(ConflictError, match="several vault ids"):
        update_all(str(file), {"vault_c": "new"}, {}, both)
    with pytest.raises(ConflictError, match="several vault ids"):
        update_all(str(file), {"vault_c": "new"}, {"vault_a": "vault_a", "vault_b": "new"}, both)
