# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox's CA, certificates and secrets: made here, once, kept in .cache/sandbox (0600), never committed."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import pathlib
import secrets
import shutil
import subprocess
import sys

import apikeys
from host import CACHE, ROOT, run

VAULT_LINK = ROOT / "inventories" / "sandbox" / "group_vars" / "acme" / "vault.yml"
ACCOUNTS = {
    "vault_zoho_smtp_password": "no-reply@acme.example",
    "vault_zoho_notifications_smtp_password": "notifications@acme.example",
    "vault_inbox_password": "inbox@acme.example",
}
# API keys at Mailgun: account and scope.
MAILGUN_KEYS = {
    "vault_mailgun_api_key": ("acme", "full"),
    "vault_mailgun_read_key": ("acme", "read"),
    "vault_mailgun_sending_key": ("acme", "sending"),
    "vault_mailgun_other_api_key": ("other", "full"),
}
# Tokens of the account acme at DNS providers.
DNS_TOKENS = {"digitalocean": "vault_digitalocean_api_token", "cloudflare": "vault_cloudflare_api_token"}
# Whose zones these providers have.
DNS_ZONES = {"acme.example": "acme", "customer.example": "customer"}
OTHERS = ("vault_odoo_admin_password", "vault_mail_delivery_token")
TSIG_NAME = "mailops"


def ensure(namespace: str) -> None:
    """Make what is missing: the CA, the secrets, and the namespace's vault, which the sandbox's inventory reads then.

    Each namespace has its own: what is made at its providers, and exchanged there, is nobody else's.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    CACHE.chmod(0o700)
    if not (CACHE / "ca.pem").exists():
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650",
                 "-subj", "/CN=mailops sandbox CA", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
                 "-keyout", str(CACHE / "ca.key"), "-out", str(CACHE / "ca.pem"))  # fmt: skip
        (CACHE / "ca.key").chmod(0o600)
    known = values() if (CACHE / "secrets.json").exists() else {}
    generated = {name: secrets.token_urlsafe(18) for name in (*ACCOUNTS, *MAILGUN_KEYS, *DNS_TOKENS.values(), *OTHERS)}
    generated["vault_odoo_api_key"] = apikeys.made()
    generated["vault_dns_tsig_secret"] = base64.b64encode(secrets.token_bytes(32)).decode()
    if not generated.keys() <= known.keys():
        write_private(CACHE / "secrets.json", json.dumps(generated | known, indent=1))
        for old in CACHE.glob("vault-*.yml"):
            old.unlink()
    if not vault(namespace).exists():
        _encrypt_vault(vault(namespace))
    target = os.path.relpath(vault(namespace), VAULT_LINK.parent)
    if not VAULT_LINK.is_symlink() or os.readlink(VAULT_LINK) != target:
        VAULT_LINK.parent.mkdir(parents=True, exist_ok=True)
        VAULT_LINK.unlink(missing_ok=True)
        VAULT_LINK.symlink_to(target)


def vault(namespace: str) -> pathlib.Path:
    """Return the path of a namespace's vault."""
    return pathlib.Path(CACHE, f"vault-{namespace}.yml")


def values() -> dict[str, str]:
    """Return the generated secrets by their vault names."""
    loaded: dict[str, str] = json.loads((CACHE / "secrets.json").read_text())
    return loaded


def accounts() -> dict[str, str]:
    """Return login → password of the accounts that never change: for submission, and for IMAP and POP3."""
    generated = values()
    return {login: generated[name] for name, login in ACCOUNTS.items()}


def mailgun() -> dict[str, object]:
    """Return what the simulated Mailgun is told: its API keys."""
    generated = values()
    keys = [
        {"key": generated[name], "account": account, "scope": scope} for name, (account, scope) in MAILGUN_KEYS.items()
    ]
    return {"keys": keys}


def dns_api(provider: str) -> dict[str, object]:
    """Return what a simulated DNS provider is told: its tokens and zones."""
    tokens = [{"token": values()[DNS_TOKENS[provider]], "account": "acme"}]
    return {"tokens": tokens, "zones": [{"name": name, "account": account} for name, account in DNS_ZONES.items()]}


def tsig_key() -> str:
    """Return the key for dynamic updates, as BIND's configuration has it."""
    secret = values()["vault_dns_tsig_secret"]
    return f'key "{TSIG_NAME}" {{ algorithm hmac-sha256; secret "{secret}"; }};\n'


def fingerprint() -> str:
    """Return what tells this checkout's CA and secrets from another's."""
    digest = hashlib.sha256((CACHE / "ca.pem").read_bytes() + (CACHE / "secrets.json").read_bytes())
    return digest.hexdigest()[:12]


def certificate(folder: pathlib.Path, names: list[str], address: str) -> None:
    """Make tls.pem (leaf and CA) and tls.key in `folder` for these host names and this address, once."""
    wanted = ",".join([*(f"DNS:{name}" for name in names), f"IP:{address}"])
    stamp = folder / "names"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    folder.mkdir(parents=True, exist_ok=True)
    request, extensions, leaf = folder / "request.pem", folder / "extensions", folder / "leaf.pem"
    extensions.write_text(f"subjectAltName={wanted}\nextendedKeyUsage=serverAuth,clientAuth\n")
    _openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={names[0]}",
             "-keyout", str(folder / "tls.key"), "-out", str(request))  # fmt: skip
    _openssl("x509", "-req", "-in", str(request), "-CA", str(CACHE / "ca.pem"), "-CAkey", str(CACHE / "ca.key"),
             "-CAcreateserial", "-days", "825", "-extfile", str(extensions), "-out", str(leaf))  # fmt: skip
    (folder / "tls.key").chmod(0o600)
    (folder / "tls.pem").write_text(leaf.read_text() + (CACHE / "ca.pem").read_text())
    stamp.write_text(wanted)


def remove_all() -> None:
    """Remove everything this module made."""
    VAULT_LINK.unlink(missing_ok=True)
    shutil.rmtree(CACHE, ignore_errors=True)


def write_private(path: pathlib.Path, text: str) -> None:
    """Write a file that only its owner can read, from its first byte on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)


def _encrypt_vault(path: pathlib.Path) -> None:
    """Write a vault with the generated secrets, encrypted as an administrator's vault.yml is."""
    password_file = CACHE / "vault-password"
    if not password_file.exists():
        write_private(password_file, secrets.token_urlsafe(24) + "\n")
    text = "".join(f"{name}: {json.dumps(value)}\n" for name, value in sorted(values().items()))
    program = pathlib.Path(sys.executable).with_name("ansible-vault")
    # The checkout's ansible.cfg names another way to the same password; two are one too many for `encrypt`.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    subprocess.run(
        [str(program) if program.exists() else "ansible-vault", "encrypt", "--vault-password-file", str(password_file),
         "--output", str(path), "-"],
        input=text, text=True, check=True, cwd=CACHE, env=environment,
    )  # fmt: skip
    path.chmod(0o600)


def _openssl(*arguments: str) -> None:
    run("openssl", *arguments)
