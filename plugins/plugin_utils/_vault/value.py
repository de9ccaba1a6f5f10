# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One secret in a file of variables that ansible-vault encrypted, as a whole or value by value.

`file` is a path; a symbolic link is followed and stays. `key` is the name of a variable at the file's top level.
All raise MailopsError before anything is written: AuthenticationError where no given vault password opens what is
there, ConflictError where it is under another vault id than `vault_id` or was changed meanwhile, NotFoundError where
there is no such folder or password, ValidationError for a file or value of another form. No error holds a value.
"""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ConflictError, ValidationError
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault import files
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault.document import Document, literal
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault.vault import Seal, Vault

HEADER = "$ANSIBLE_VAULT;"
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Outcome:
    """What was there before and what is now (None: no such variable), and whether that differs."""

    before: str | None = field(repr=False)
    after: str | None = field(repr=False)
    changed: bool


def read(file: str, key: str, vault: Vault, vault_id: str = "") -> str | None:
    """Return the value, "" where the variable is empty, None where there is no such variable or file."""
    _check_name(key)
    return _Opened(files.read(os.path.realpath(file)), key, vault, vault_id).value()


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
    """Give the variable the value that `wanted` makes of the one before; None removes it.

    Other callers of this function wait meanwhile, so that of two that would both make up a value one finds the other's.
    What is new is encrypted under `vault_id`; without it as the other values in the file are, or else as ansible-vault
    would. What is there keeps its vault id.
    """
    _check_name(key)
    path = os.path.realpath(file)
    with files.locked(path):
        held = files.read(path)
        opened = _Opened(held, key, vault, vault_id)
        before = opened.value()
        after = wanted(before)
        if _same(before, after):
            return Outcome(before, after, changed=False)
        if after is not None:
            _check_value(after, key)
        content = opened.changed(after)
        if not check:
            files.replace(held, content)
        return Outcome(before, after, changed=True)


class _Opened:
    """A file's variables in clear, of which one is looked at and changed.

    `_whole` is whether the file is encrypted as a whole, as a new one will be. Of the seals the one is the file's, the
    other the value's; None where there is none yet.
    """

    def __init__(self, held: files.Held, key: str, vault: Vault, vault_id: str) -> None:
        self._path, self._key, self._vault, self._vault_id = held.path, key, vault, vault_id
        self._file_seal: Seal | None = None
        self._value_seal: Seal | None = None
        text = _decoded(held) if held.content is not None else "---\n"
        self._whole = held.content is None or text.startswith(HEADER)
        if text.startswith(HEADER):
            text, self._file_seal = vault.open(text, held.path, vault_id)
        self._document = Document(text, held.path)
        self._entry = self._document.entry(key)

    def value(self) -> str | None:
        """Return the variable's value, "" where it is empty, None where it is not there."""
        entry = self._entry
        if entry is None:
            return None
        if entry.vaulted:
            what = f"{self._key} in {self._path}"
            value, self._value_seal = self._vault.open(entry.text or "", what, self._vault_id)
            return value
        if not self._whole and not entry.empty:
            raise ValidationError(
                f"{self._key} is not encrypted in {self._path}, which is not encrypted as a whole either",
                "Remove it there, or encrypt it with ansible-vault.",
            )
        return literal(entry, self._path)

    def changed(self, value: str | None) -> bytes:
        """Return the file's content in which the variable has this value, or is gone."""
        if value is None:
            text = self._document.without(self._key)
        elif self._whole and self._value_seal is None:
            text = self._document.with_text(self._key, value)
        else:
            seal = self._value_seal or self._seal_as_the_others()
            text = self._document.with_vault_text(self._key, self._vault.seal(value, seal))
        if self._whole:
            text = self._vault.seal(text, self._file_seal or self._vault.seal_for(self._vault_id))
        return text.encode("utf-8")

    def _seal_as_the_others(self) -> Seal:
        """Return the seal for a new value in a file that is not encrypted as a whole.

        Another value is opened for it, so that what is new does not get another password than what is there.
        """
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
