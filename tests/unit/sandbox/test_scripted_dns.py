# SPDX-License-Identifier: GPL-3.0-or-later
"""The name servers that tests script themselves."""

from __future__ import annotations

from support.scripted_dns import answering


def test_a_port_is_free_when_its_server_has_ended() -> None:
    handlers = {"127.9.53.13": lambda question: None}
    with answering(handlers) as port:
        pass
    for _again in range(20):
        with answering(handlers, port=port) as same:
            assert same == port
