# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook puts keys and tokens for DNS that somebody wrote into the vault into force, if their zones take them."""

from __future__ import annotations

import base64
import contextlib
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
import secretfiles
from support.bind import KEYS, UPDATABLE, ZONE, bind
from support.dns_api import DnsApi
from support.machines import Internet
from support.rotation import Vaulted, result

pytestmark = pytest.mark.integration

NEW_KEY = "mailops-2"
NAMED = "{{{{ vault_{name}_name | default('mailops') }}}}"


def key() -> str:
    """Return the secret of a TSIG key."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


class Given:
    """One run over an inventory with a host for each thing that can be given, and what it left."""

    def __init__(self, folder: Any, server: Any, new: str, apis: dict[str, DnsApi]) -> None:
        there = secretfiles.values()["vault_dns_tsig_secret"]
        primary = {"zone": "acme.example", "backend": "rfc2136", "server": server.address, "port": server.port}
        zones: dict[str, dict[str, Any]] = {
            "renamed": {**primary, "key_name": NAMED.format(name="renamed")},
            # Its name in the policy does not follow the vault.
            "fixed": {**primary, "key_name": "mailops"},
            "unknown": {**primary, "key_name": "mailops"},
        }
        vault = {f"vault_{name}": there for name in zones}
        vault |= {"vault_renamed_next": new, "vault_renamed_next_name": NEW_KEY}
        vault |= {"vault_fixed_next": new, "vault_fixed_next_name": NEW_KEY}
        vault["vault_unknown_next"] = key()
        for provider, api in apis.items():
            for name, token in ((provider, api.read_token), (f"{provider}_foreign", api.foreign_token)):
                zones[name] = {"zone": "acme.example", "backend": provider, "api_url": api.url}
                vault |= {f"vault_{name}": api.token, f"vault_{name}_next": token}
        hosts = {}
        for name, zone in zones.items():
            secret = "key_secret" if zone["backend"] == "rfc2136" else "api_token"
            dns = {"zones": [{**zone, secret: f"{{{{ vault_{name} }}}}"}]}
            hosts[name] = {"mail_policy": {"version": 1, "odoo": {}, "dns": dns}}
        self.before = vault
        self.vault = Vaulted.made(folder, hosts, vault)
        self.done = self.vault.rotate()
        self.after = self.vault.values()
        self.log = server.log()
        self.writes = [call for api in apis.values() for call in api.writes()]


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory, internet: Internet) -> Iterator[Given]:
    new = key()
    keys = " ".join(f"key {name};" for name in (*KEYS, NEW_KEY))
    policy = UPDATABLE.replace(" ".join(f"key {name};" for name in KEYS), keys)
    zone = ZONE.format(zone="acme.example", file="acme.example.zone", policy=policy)
    configuration = f'key "{NEW_KEY}" {{ algorithm hmac-sha256; secret "{new}"; }};\n{zone}'
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(bind(internet, {"acme.example": ""}, configuration))
        folder = tmp_path_factory.mktemp("providers")
        apis = {provider: stack.enter_context(DnsApi(provider, folder)) for provider in ("digitalocean", "cloudflare")}
        yield Given(tmp_path_factory.mktemp("given"), server, new, apis)


def test_a_tsig_key_of_another_name_is_put_into_force_with_its_name(given: Given) -> None:
    said = result(given.done, "vault_renamed")
    assert said == "rotated Remove the former key, mailops, from the name server's configuration."
    assert given.after["vault_renamed"] == given.before["vault_renamed_next"]
    assert given.after["vault_renamed_name"] == NEW_KEY
    left = {name for name in given.after if name.startswith("vault_renamed")}
    assert left == {"vault_renamed", "vault_renamed_name", "vault_renamed_rotated"}


@pytest.mark.parametrize(
    ("name", "begins", "reason"),
    [
        ("fixed", "refused", 'the policy says key_name without the vault. Write there key_name: "{{ vault_fixed_name'),
        ("unknown", "failed", "mailops"),
        ("digitalocean_foreign", "failed", "acme.example"),
        ("cloudflare_foreign", "failed", "acme.example"),
    ],
)
def test_what_its_zone_does_not_take_is_not_in_force_and_stays_in_the_vault(
    given: Given, name: str, begins: str, reason: str
) -> None:
    said = result(given.done, f"vault_{name}")
    assert said.startswith(begins)
    assert reason in said
    for variable in (f"vault_{name}", f"vault_{name}_next"):
        assert given.after[variable] == given.before[variable]
    assert f"vault_{name}_rotation" not in given.after
    assert given.done.returncode != 0


@pytest.mark.parametrize("name", ["digitalocean", "cloudflare"])
def test_a_providers_token_is_proved_and_what_to_delete_is_told(given: Given, name: str) -> None:
    assert result(given.done, f"vault_{name}").startswith("rotated Delete the former token in ")
    assert given.after[f"vault_{name}"] == given.before[f"vault_{name}_next"]


def test_the_proof_changes_nothing(given: Given) -> None:
    assert given.writes == []
    assert "updating zone" not in given.log
    assert f"key {NEW_KEY}" in given.log


def test_no_value_shows(given: Given) -> None:
    values = {value for name, value in given.before.items() if "renamed" in name or "unknown" in name} - {NEW_KEY}
    assert len(values) == 3
    assert given.vault.tells(values) == []
