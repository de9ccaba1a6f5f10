# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opening and sealing texts with the vault passwords that Ansible was given for this run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ansible import constants
from ansible.errors import AnsibleError
from ansible.parsing.vault import (
    AnsibleVaultFormatError,
    VaultLib,
    match_best_secret,
    match_encrypt_secret,
    parse_vaulttext_envelope,
)
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    AuthenticationError,
    ConflictError,
    NotFoundError,
    ValidationError,
)

# What stands for the vault id of a text whose header names none.
UNNAMED = "default"


class Seal(NamedTuple):
    """How a text is encrypted: the vault id in its header, and Ansible's VaultSecret that opens it."""

    vault_id: str
    secret: Any


class Vault:
    """The vault passwords of a run, as Ansible's list of (vault id, VaultSecret).

    Raises NotFoundError if there is none. Nothing here puts a plaintext or a password into an error.
    """

    def __init__(self, secrets: Sequence[tuple[str, Any]] | None) -> None:
        if not secrets:
            raise NotFoundError(
                "there is no vault password", "Configure vault_password_file, or give --vault-id or --ask-vault-pass."
            )
        self._secrets = list(secrets)

    @classmethod
    def of(cls, loader: Any) -> Vault:
        """Return the vault passwords that an action or lookup plugin's `_loader` decrypts vars files with."""
        return cls(loader._vault.secrets)  # nothing public hands them out (ansible-core 2.16 to 2.21)

    def seal_for(self, vault_id: str = "") -> Seal:
        """Return the seal for what is new: of this vault id, or else the one that ansible-vault would take.

        That is the one Ansible's setting vault_encrypt_identity names, else the first.
        Raises NotFoundError if no password was given for it.
        """
        wanted = vault_id or constants.DEFAULT_VAULT_ENCRYPT_IDENTITY
        if wanted and match_best_secret(self._secrets, [wanted]) is None:
            raise NotFoundError(
                f"no vault password was given for the vault id {wanted}, only for {self._given()}",
                f"Give it: --vault-id {wanted}@<file or prompt>.",
            )
        return Seal(*match_encrypt_secret(self._secrets, wanted))

    def seal(self, plaintext: str, seal: Seal) -> str:
        """Return the text encrypted, with a header as ansible-vault writes it."""
        sealed: bytes = VaultLib(self._secrets).encrypt(plaintext, seal.secret, seal.vault_id)
        return sealed.decode("ascii")

    def open(self, vaulttext: str, what: str, vault_id: str = "") -> tuple[str, Seal]:
        """Return the plaintext and how it was sealed; `what` is the text's name in errors.

        With a `vault_id` only a text under this id is opened, otherwise ConflictError.
        Raises AuthenticationError where no given password opens it, ValidationError where it is damaged.
        """
        found = self.vault_id_of(vaulttext, what)
        if vault_id and vault_id != found:
            raise ConflictError(
                f"{what} is encrypted under the vault id {found}, not {vault_id}",
                "Correct vault_id, or encrypt it anew with ansible-vault.",
            )
        try:
            plaintext, _used, secret = VaultLib(self._secrets).decrypt_and_get_vault_id(vaulttext.encode("utf-8"))
            return str(plaintext, "utf-8"), Seal(found, secret)
        except (AnsibleVaultFormatError, UnicodeDecodeError):
            raise _damaged(what) from None
        except AnsibleError:
            raise self._not_opened(what, found) from None

    def vault_id_of(self, vaulttext: str, what: str) -> str:
        """Return the vault id in the text's header, UNNAMED where it has none; ValidationError if it has no header."""
        try:
            return str(parse_vaulttext_envelope(vaulttext.encode("utf-8"), default_vault_id=UNNAMED)[3])
        except AnsibleVaultFormatError:
            raise _damaged(what) from None

    def _not_opened(self, what: str, found: str) -> AuthenticationError:
        if any(found == vault_id for vault_id, _secret in self._secrets):
            return AuthenticationError(
                f"{what} does not open with the vault password given for the vault id {found}",
                "Give the password that it was encrypted with.",
            )
        return AuthenticationError(
            f"{what} is encrypted under the vault id {found}, and no given vault password opens it "
            f"(given: {self._given()})",
            f"Give its password too: --vault-id {found}@<file or prompt>.",
        )

    def _given(self) -> str:
        return ", ".join(sorted({str(vault_id) for vault_id, _secret in self._secrets}))


def _damaged(what: str) -> ValidationError:
    return ValidationError(f"{what} is no intact text of ansible-vault", "Restore it from a backup.")
