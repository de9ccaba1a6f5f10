# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets in a file of variables that ansible-vault encrypted, as a whole or value by value.

`file` is a path; a symbolic link is followed and stays. `key` is the name of a variable at the file's top level.
Several variables are changed in one write: all of them, or none.
All raise MailopsError before anything is written: AuthenticationError where no given vault password opens what is
there, ConflictError where it is under another vault id than `vault_id` or was changed meanwhile, NotFoundError where
there is no such folder or password, ValidationError for a file or value of another form. No error holds a value.
"""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ConflictError, ValidationError
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault import files
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault.document import Document, literal
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault.vault import Seal, Vault

HEADER = "$ANSIBLE_VAULT;"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

# What a variable shall be: this (None: not there), or what this makes of the value before.
Wanted = str | None | Callable[[str | None], str | None]


@dataclass(frozen=True)
class Outcome:
    """What was there before and what is now (None: no such variable), and whether that differs."""

    before: str | None = field(repr=False)
    after: str | None = field(repr=False)
    changed: bool


def read(file: str, key: str, vault: Vault, vault_id: str = "") -> str | None:
    """Return the value, "" where the variable is empty, None where there is no such variable or file."""
    return read_all(file, [key], vault, vault_id)[key]


def read_all(file: str, keys: Collection[str], vault: Vault, vault_id: str = "") -> dict[str, str | None]:
    """Return the variables' values as `read` does, all as they were at one moment."""
    for key in keys:
        _check_name(key)
    opened = _Opened(files.read(os.path.realpath(file)), vault, vault_id)
    return {key: opened.value(key) for key in keys}


def write(file: str, key: str, value: str, vault: Vault, vault_id: str = "", *, check: bool = False) -> Outcome:
    """Give the variable this value; the file is made if there is none. With `check` nothing is written."""
    return update(file, key, lambda before: value, vault, vault_id, check=check)


def remove(file: str, key: str, vault: Vault, vault_id: str = "", *, check: bool = False) -> Outcome:
    """Remove the variable, if it is there. With `check` nothing is written."""
    return update(file, key, lambda before: None, vault, vault_id, check=check)


def update(
    file: str,
    key: str,
    wanted: Callable[[str | None], str | None],
    vault: Vault,
    vault_id: str = "",
    *,
    check: bool = False,
) -> Outcome:
    """Give one variable the value that `wanted` makes of the one before; as `update_all` does."""
    return update_all(file, {key: wanted}, {}, vault, vault_id, check=check)[key]


def update_all(
    file: str,
    changes: Mapping[str, Wanted],
    expected: Mapping[str, str | None],
    vault: Vault,
    vault_id: str = "",
    *,
    check: bool = False,
) -> dict[str, Outcome]:
    """Change several variables in one write, and only if what is `expected` is there; return what became of each.

    None as a value means that the variable is not there, None in `changes` removes it. An `expected` None holds for an
    empty variable too. Raises ConflictError where something else is there than expected; nothing is written then.

    Other callers of this function wait meanwhile, so that of two that would both make up a value one finds the other's.
    What is new is encrypted under `vault_id`; without it as those are that are named with it and are there, or else as
    the other values in the file are, or else as ansible-vault would. What is there keeps its vault id.
    """
    for key in (*changes, *expected):
        _check_name(key)
    path = os.path.realpath(file)
    with files.locked(path):
        held = files.read(path)
        opened = _Opened(held, vault, vault_id)
        _check_expected(opened, expected, path)
        outcomes: dict[str, Outcome] = {}
        for key, wanted in changes.items():
            before = opened.value(key)
            after = wanted(before) if callable(wanted) else wanted
            outcomes[key] = Outcome(before, after, changed=not _same(before, after))
            if outcomes[key].changed:
                if after is not None:
                    _check_value(after, key)
                opened.change(key, after)
        if any(outcome.changed for outcome in outcomes.values()):
            # Made in check mode too: what it cannot be encrypted with shows.
            content = opened.content()
            if not check:
                files.replace(held, content)
        return outcomes


class _Opened:
    """A file's variables in clear, looked at and changed one by one.

    `_whole` is whether the file is encrypted as a whole, as a new one will be. Of the seals the one is the file's, the
    others are the values' that were looked at; None where there is none yet.
    """

    def __init__(self, held: files.Held, vault: Vault, vault_id: str) -> None:
        self._path, self._vault, self._vault_id = held.path, vault, vault_id
        self._file_seal: Seal | None = None
        self._seals: dict[str, Seal] = {}
        self._new_seal: Seal | None = None
        text = _decoded(held) if held.content is not None else "---\n"
        self._whole = held.content is None or text.startswith(HEADER)
        if text.startswith(HEADER):
            text, self._file_seal = vault.open(text, held.path, vault_id)
        self._document = Document(text, held.path)

    def value(self, key: str) -> str | None:
        """Return a variable's value, "" where it is empty, None where it is not there."""
        entry = self._document.entry(key)
        if entry is None:
            return None
        if entry.vaulted:
            what = f"{key} in {self._path}"
            value, self._seals[key] = self._vault.open(entry.text or "", what, self._vault_id)
            return value
        if not self._whole and not entry.empty:
            raise ValidationError(
                f"{key} is not encrypted in {self._path}, which is not encrypted as a whole either",
                "Remove it there, or encrypt it with ansible-vault.",
            )
        return literal(entry, self._path)

    def change(self, key: str, value: str | None) -> None:
        """Give a variable this value, or remove it; `value` must have been asked for it before."""
        if value is None:
            text = self._document.without(key)
        elif self._whole and key not in self._seals:
            text = self._document.with_text(key, value)
        else:
            seal = self._seals.get(key) or self._seal_as_the_others()
            text = self._document.with_vault_text(key, self._vault.seal(value, seal))
        self._document = Document(text, self._path)

    def content(self) -> bytes:
        """Return the file's content with all changes."""
        text = self._document.text
        if self._whole:
            text = self._vault.seal(text, self._file_seal or self._vault.seal_for(self._vault_id))
        return text.encode("utf-8")

    def _seal_as_the_others(self) -> Seal:
        """Return the seal for a new value in a file that is not encrypted as a whole."""
        if self._new_seal is None:
            self._new_seal = self._seal_of_others()
        return self._new_seal

    def _seal_of_others(self) -> Seal:
        """Another value is opened for it, so that what is new does not get another password than what is there."""
        if not self._vault_id and len({seal.vault_id for seal in self._seals.values()}) == 1:
            return next(iter(self._seals.values()))
        others = [(self._vault.vault_id_of(text, self._path), text) for text in self._document.vault_texts]
        if self._vault_id:
            others = [(vault_id, text) for vault_id, text in others if vault_id == self._vault_id]
        ids = sorted({vault_id for vault_id, _text in others})
        if len(ids) > 1:
            raise ConflictError(
                f"the values in {self._path} are under several vault ids ({', '.join(ids)})", "Say which in vault_id."
            )
        if not others:
            return self._vault.seal_for(self._vault_id)
        return self._vault.open(others[-1][1], f"another value in {self._path}")[1]


def _decoded(held: files.Held) -> str:
    try:
        return (held.content or b"").decode("utf-8")
    except UnicodeDecodeError:
        raise ValidationError(f"{held.path} is not in UTF-8", "Correct the file's path.") from None


def _same(one: str | None, other: str | None) -> bool:
    if one is None or other is None:
        return one is other
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def _check_expected(opened: _Opened, expected: Mapping[str, str | None], path: str) -> None:
    # All are compared, so that the time says nothing of the first that differs.
    other = [key for key, value in expected.items() if not _same(opened.value(key) or "", value or "")]
    if other:
        raise ConflictError(
            f"{', '.join(sorted(other))} in {path} {'is' if len(other) == 1 else 'are'} not what this run knows of",
            "Somebody changed the file meanwhile; run again.",
        )


def _check_name(key: str) -> None:
    if not NAME.fullmatch(key):
        raise ValidationError(f"key {key} is not the name of a variable", "Use letters, digits and underscores.")


def _check_value(value: str, key: str) -> None:
    if not value:
        raise ValidationError(f"the value for {key} is empty", "Use state absent to remove the variable.")
    if value.startswith(HEADER):
        raise ValidationError(f"the value for {key} is encrypted already", "Give it in clear.")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise ValidationError(f"the value for {key} has characters that UTF-8 cannot hold", "Correct it.") from None
