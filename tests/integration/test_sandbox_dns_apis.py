# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox's DigitalOcean and Cloudflare in their container, changed by our modules."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import secretfiles
from sandbox_internet import cloudflare, digitalocean
from support.machines import Internet
from support.modules import run_module

pytestmark = pytest.mark.integration

PORTS = {"cloudflare": cloudflare.PORT, "digitalocean": digitalocean.PORT}


@pytest.mark.parametrize("provider", sorted(PORTS))
def test_a_record_set(internet: Internet, provider: str) -> None:
    record: dict[str, Any] = {
        "backend": provider,
        "zone": "acme.example",
        "api_url": f"https://{internet.ip}:{PORTS[provider]}",
        "api_token": secretfiles.values()[secretfiles.DNS_TOKENS[provider]],
        "ca_file": internet.ca_file,
        "name": f"t{uuid.uuid4().hex[:8]}.acme.example",
        "type": "TXT",
    }
    made = run_module("dns_record_set", {**record, "values": ["v=spf1 -all"]})
    assert (made["changed"], made["records"][0]["values"]) == (True, ["v=spf1 -all"])
    assert not run_module("dns_record_set", {**record, "values": ["v=spf1 -all"]})["changed"]
    assert "POST" in internet.run(f"sandbox-{provider}", "calls", check=True).stdout
    assert run_module("dns_record_set", {**record, "state": "absent"})["records"][0]["values"] == []
