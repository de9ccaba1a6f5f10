# SPDX-License-Identifier: GPL-3.0-or-later
"""Both of the bridge's back ends before one Odoo 19 and one Odoo 14: what they must have in common."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from odoo_lmtp_bridge import replay
from odoo_lmtp_bridge.addon import AddonBackend
from odoo_lmtp_bridge.config import Config, Database
from odoo_lmtp_bridge.delivery import Deliverer
from odoo_lmtp_bridge.directory import Directory, Recipient
from odoo_lmtp_bridge.health import Health
from odoo_lmtp_bridge.lmtp import Envelope
from odoo_lmtp_bridge.odoo import Backend, current_list, open_backends
from odoo_lmtp_bridge.quarantine import Quarantine
from support.bridge import (
    ALL_LEADS,
    DOMAIN,
    MAILINGS,
    SETTINGS,
    alias,
    alias_domain,
    database,
    post,
    rpc_user,
)
from support.machines import Odoo

pytestmark = pytest.mark.integration

SALES, BROKEN = f"sales@{DOMAIN}", f"broken@{DOMAIN}"


@pytest.fixture(scope="module")
def ways(addon_odoo: Odoo) -> Iterator[dict[str, tuple[Database, tuple[str, ...]]]]:
    """Back end → its configuration and token; the database has two aliases."""
    alias_domain(addon_odoo)
    for name in ("sales", "broken"):
        alias(addon_odoo, name)
    login, key = rpc_user(addon_odoo, "bridge", SETTINGS, ALL_LEADS, MAILINGS)
    yield {
        "addon": (database(addon_odoo), (addon_odoo.mail_token,)),
        "rpc": (database(addon_odoo, "rpc", login), (key,)),
    }


def test_the_lists_are_the_same(addon_odoo: Odoo, ways: dict[str, tuple[Database, tuple[str, ...]]]) -> None:
    odoo = addon_odoo
    created = [alias(odoo, "Mixed.Case"), alias(odoo, "catchall2")]
    former = {"old@former.example": SALES, SALES: BROKEN, "gone@former.example": f"nobody@{DOMAIN}"}
    odoo.call("ir.config_parameter", "set_param", "mail_delivery.former_addresses", json.dumps(former))
    if odoo.name == "odoo14":
        odoo.call("ir.config_parameter", "set_param", "mail.default.from", "no-reply")
        # Odoo 14 makes such an alias itself, for a team without one.
        assert odoo.call("mail.alias", "search_count", [("alias_name", "=", "")])
    else:
        second = odoo.call(
            "mail.alias.domain", "create", {"name": "second.example", "default_from": "me@third.example"}
        )
        created += [
            alias(odoo, "local", alias_incoming_local=True),
            alias(odoo, "of-second", alias_domain_id=second),
            alias(odoo, "sales", alias_domain_id=second),
        ]
    lists = [asyncio.run(current_list(*ways[name])) for name in ("addon", "rpc")]
    assert lists[0].addresses == lists[1].addresses
    assert lists[0].former == lists[1].former == {"old@former.example": SALES}
    assert lists[0].left_out == lists[1].left_out
    expected = {SALES, BROKEN, f"mixed.case@{DOMAIN}", f"catchall@{DOMAIN}", f"bounce@{DOMAIN}"}
    if odoo.name == "odoo14":
        expected.add(f"no-reply@{DOMAIN}")
    else:
        expected |= {f"local@{DOMAIN}", "local@second.example", "of-second@second.example", "sales@second.example"}
        expected |= {"bounce@second.example", "catchall@second.example", "me@third.example"}
        expected |= {f"notifications@{DOMAIN}"}
    assert expected <= set(lists[1].addresses)
    odoo.call("mail.alias", "unlink", created)


@pytest.mark.parametrize("way", ["addon", "rpc"])
def test_what_odoo_fails_on_is_kept_and_arrives_once_when_that_is_mended(
    addon_odoo: Odoo, ways: dict[str, tuple[Database, tuple[str, ...]]], way: str, tmp_path: Path
) -> None:
    odoo = addon_odoo
    configured, tokens = ways[way]
    config = Config((configured,), state_directory=tmp_path)
    (tmp_path / "tokens").mkdir()
    (tmp_path / "tokens" / "prod").write_text("\n".join(tokens))
    subject = uuid.uuid4().hex
    content = (
        f"From: {subject}@customer.example\r\nTo: {SALES}, {BROKEN}\r\nSubject: {subject}\r\n"
        f"Message-Id: <{subject}@customer.example>\r\n\r\nHello.\r\n"
    ).encode()
    quarantine = Quarantine(config.quarantine_directory, config.quarantine_limit)
    aliases = odoo.call("mail.alias", "search", [("alias_name", "=", "broken")])

    def leads() -> int:
        return int(odoo.call("crm.lead", "search_count", [("name", "=", subject)]))

    async def attempts() -> list[list[int]]:
        """As Postfix comes again, for those alone who have not been served."""
        backends = open_backends(config, {"prod": tokens})
        health = Health(["prod"])
        deliverer = Deliverer(Directory(["prod"]), backends, 4, quarantine=quarantine, health=health)
        waiting, answers = [SALES, BROKEN], []
        while waiting:
            recipients = tuple(Recipient(address, "prod") for address in waiting)
            replies = await deliverer.deliver(Envelope("s@customer.example", recipients, content))
            answers.append([reply.code for reply in replies])
            waiting = [a for a, reply in zip(waiting, replies, strict=True) if reply.code != 250]
            assert len(answers) < 9
        await asyncio.gather(*(backend.close() for backend in backends.values()))
        assert not health.problems
        return answers

    odoo.call("mail.alias", "write", aliases, {"alias_defaults": "{'type': 'nonsense'}"})
    expected = [[250, 451], [451], [250]] if odoo.name == "odoo14" else [[250, 250]]
    assert asyncio.run(attempts()) == expected
    (entry,) = quarantine.entries()
    assert (entry.recipients, entry.reason) == ((BROKEN,), "application error ValueError")
    assert leads() == 1

    said: list[str] = []
    assert replay.run(config, tmp_path / "config.yml", [entry.id], said.append) == 75
    assert quarantine.messages == 1 and leads() == 1
    odoo.call("mail.alias", "write", aliases, {"alias_defaults": "{}"})
    kept = quarantine.read(entry.id)[1]
    assert replay.run(config, tmp_path / "config.yml", [], said.append, everything=True) == 0, said
    assert quarantine.messages == 0
    assert leads() == 2
    # A replay that was killed before it removed the message is repeated.
    quarantine.put(kept, "s@customer.example", [BROKEN], "prod", entry.message_id, entry.reason)
    assert replay.run(config, tmp_path / "config.yml", [], said.append, everything=True) == 0, said
    assert leads() == 2


def test_the_pending_token(addon_odoo: Odoo, ways: dict[str, tuple[Database, tuple[str, ...]]]) -> None:
    configured, (token,) = ways["addon"]

    async def scenario() -> None:
        backend: Backend = AddonBackend(configured, ("not-yet", token), 1)
        subject = uuid.uuid4().hex
        content = f"From: {subject}@c.example\r\nSubject: {subject}\r\n\r\n.\r\n".encode()
        (result,) = await post(backend, content, SALES)
        assert result.reply.code == 250
        assert addon_odoo.call("crm.lead", "search_count", [("name", "=", subject)]) == 1
        await backend.close()

    asyncio.run(scenario())
