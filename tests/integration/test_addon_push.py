# SPDX-License-Identifier: GPL-3.0-or-later
"""What an Odoo with workers tells the bridges, over real HTTP, when addresses change."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import socket
import time

import pytest
from support.machines import Odoo
from support.waiting import until
from support.webhook import Webhook, address_towards

pytestmark = pytest.mark.integration

NAMES = (f"box-{number}" for number in itertools.count())


def told(odoo: Odoo, *urls: str) -> None:
    """Name the bridges to be told."""
    odoo.call("ir.config_parameter", "set_param", "mail_delivery.bridges", " ".join(urls))


def aliases(odoo: Odoo, *names: str) -> list[int]:
    """Create aliases in one transaction."""
    (lead,) = odoo.call("ir.model", "search", [("model", "=", "crm.lead")])
    created = [{"alias_name": name, "alias_model_id": lead} for name in names]
    found: list[int] = odoo.call("mail.alias", "create", created)
    return found


def test_a_committed_change_is_pushed_within_a_second(addon_odoo: Odoo) -> None:
    with Webhook(addon_odoo.ip) as bridge:
        told(addon_odoo, bridge.url)
        (alias,) = aliases(addon_odoo, next(NAMES))
        for change in ("create", "write", "unlink"):
            if change == "write":
                addon_odoo.call("mail.alias", "write", [alias], {"alias_name": next(NAMES)})
            elif change == "unlink":
                addon_odoo.call("mail.alias", "unlink", [alias])
            committed = time.monotonic()
            push = until(lambda: bridge.pushes and bridge.pushes.pop(), f"the push after {change}")
            assert push.at - committed < 1
            assert push.path == "/webhook"
            assert json.loads(push.body) == {"database": addon_odoo.database}
            assert push.headers["content-type"] == "application/json"
            assert abs(int(push.headers["x-mail-timestamp"]) - time.time()) < 60
            signed = push.headers["x-mail-timestamp"].encode() + b"." + push.body
            signature = hmac.new(addon_odoo.mail_token.encode(), signed, hashlib.sha256).hexdigest()
            assert push.headers["x-mail-signature"] == signature
            assert addon_odoo.mail_token not in f"{push.headers} {push.body!r}"
            assert "authorization" not in push.headers


def test_what_owns_an_alias_and_what_it_is_made_of(addon_odoo: Odoo) -> None:
    with Webhook(addon_odoo.ip) as bridge:
        told(addon_odoo, bridge.url)
        former = (
            "ir.config_parameter",
            "set_param",
            "mail_delivery.former_addresses",
            '{"a@x.example": "b@x.example"}',
        )
        if addon_odoo.name == "odoo14":
            domain = ("ir.config_parameter", "set_param", "mail.catchall.domain", "push.example")
        else:
            domain = ("mail.alias.domain", "create", {"name": "push.example"})
        team = ("crm.team", "create", {"name": "Team", "alias_name": next(NAMES)})
        for call in (domain, team, former):
            addon_odoo.call(*call)
            until(lambda: bridge.pushes and bridge.pushes.pop(), f"the push after {call}")


def test_a_change_that_is_rolled_back_is_not_pushed(addon_odoo: Odoo) -> None:
    with Webhook(addon_odoo.ip) as bridge:
        (alias,) = aliases(addon_odoo, next(NAMES))
        told(addon_odoo, bridge.url)
        # It fails after the name was written.
        with pytest.raises(AssertionError, match="(?i)dictionary"):
            addon_odoo.call("mail.alias", "write", [alias], {"alias_name": next(NAMES), "alias_defaults": "nonsense"})
        addon_odoo.call("mail.alias", "search_count", [])
        aliases(addon_odoo, next(NAMES))
        until(lambda: bridge.pushes, "the push of what was committed")
        assert len(bridge.pushes) == 1


def test_many_changes_of_one_transaction_are_one_push(addon_odoo: Odoo) -> None:
    with Webhook(addon_odoo.ip) as bridge:
        told(addon_odoo, bridge.url)
        aliases(addon_odoo, *(next(NAMES) for _number in range(20)))
        until(lambda: bridge.pushes, "the push")
        addon_odoo.call("mail.alias", "search_count", [])
        aliases(addon_odoo, next(NAMES))
        until(lambda: len(bridge.pushes) > 1, "the push of the next transaction")
        assert len(bridge.pushes) == 2


def test_what_changes_during_a_push_is_one_push_more(addon_odoo: Odoo) -> None:
    with Webhook(addon_odoo.ip) as bridge:
        bridge.open.clear()
        told(addon_odoo, bridge.url)
        for _number in range(10):
            aliases(addon_odoo, next(NAMES))
        until(lambda: bridge.pushes, "the first push")
        last = time.monotonic()
        bridge.open.set()
        until(lambda: bridge.pushes[-1].at > last, "the push of what changed meanwhile")
        # Each of the two workers speaks for itself.
        assert len(bridge.pushes) <= 4


def test_a_bridge_that_fails_is_told_again(addon_odoo: Odoo) -> None:
    with Webhook(addon_odoo.ip, 503, 403) as bridge:
        told(addon_odoo, bridge.url)
        aliases(addon_odoo, next(NAMES))
        until(lambda: len(bridge.pushes) == 3, "the third attempt")
        assert addon_odoo.call("mail.delivery.error", "search_count", [("bridge", "=", bridge.url)]) == 0


def test_an_unreachable_bridge_delays_nothing_and_is_shown(addon_odoo: Odoo) -> None:
    # One takes connections and never says anything; of the other nobody listens at the port.
    with socket.create_server((address_towards(addon_odoo.ip), 0)) as silent, Webhook(addon_odoo.ip) as bridge:
        host, port = silent.getsockname()
        with socket.create_server((host, 0)) as closed:
            refused = f"http://{host}:{closed.getsockname()[1]}/webhook"
        told(addon_odoo, f"http://{host}:{port}/webhook", refused, bridge.url)
        begun = time.monotonic()
        aliases(addon_odoo, next(NAMES))
        committed = time.monotonic()
        assert committed - begun < 2
        push = until(lambda: bridge.pushes and bridge.pushes[0], "the push to the bridge that is well")
        assert push.at - committed < 1
        (error,) = until(
            lambda: addon_odoo.call("mail.delivery.error", "search_read", [("bridge", "=", refused)], ["text"]),
            "the error on the settings page",
        )
        assert error["text"].startswith("push: no answer (Connect")
    log = addon_odoo.run("cat", f"/tmp/{addon_odoo.database}.log", check=True).stdout
    assert f"{refused} was not told of changed addresses" in log
    assert addon_odoo.mail_token not in log
    assert "Traceback" not in log.partition(refused)[2]
