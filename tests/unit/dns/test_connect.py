# SPDX-License-Identifier: GPL-3.0-or-later
"""What dns_record_set and dns_record_sets refuse before they ask any server, and answers that are worth nothing."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dns.message
import dns.rcode
import pytest
from support.modules import run_module

SECRET = "Y2FuYXJ5LXNlY3JldA=="
CONNECTION = {"backend": "rfc2136", "server": "127.0.0.1", "port": 1, "key_name": "mailops", "key_secret": SECRET}
RECORD_SET = {"name": "x.acme.example", "type": "TXT", "values": ["x"]}


def failed(**options: Any) -> str:
    """Return why dns_record_set fails; an option that is None is left out."""
    given = {**CONNECTION, **RECORD_SET, **options}
    result = run_module("dns_record_set", {name: value for name, value in given.items() if value is not None})
    assert result.get("failed"), result
    assert result.get("changed", False) is False
    assert SECRET not in str({**result, "invocation": None})
    message: str = result["msg"]
    return message


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"server": None}, "backend rfc2136 needs server. "),
        ({"server": "ns1..acme.example"}, "ns1..acme.example port 1 cannot be reached: "),
        ({"server": " ", "key_name": None}, "backend rfc2136 needs server, key_name. "),
        ({"key_secret": None}, "backend rfc2136 needs key_secret. "),
        ({"key_secret": f"{SECRET}!"}, "key_secret is not base64. "),
        ({"key_name": "a..b"}, "key_name 'a..b' is no name: "),
        ({"timeout": 0}, "timeout is 0 s. "),
        ({"zone": ".."}, "zone: '..' is no name. "),
        ({"zone": "other.example"}, "x.acme.example is not in the zone other.example. Names are given in full"),
        ({"name": "a..b"}, "record set a..b TXT: 'a..b' is no name"),
        ({"name": "two words"}, "record set two words TXT: 'two words' is no name"),
        ({"type": "A"}, "x.acme.example A: 'x' is no value of a A record"),
        ({"type": "NS"}, "value of type must be one of: A, AAAA, CAA, CNAME, MX, PTR, SRV, TLSA, TXT, got: NS"),
        ({"ttl": 0}, "record set x.acme.example TXT: ttl is 0. It must be from 1 to 2147483647 seconds."),
        ({"ttl": 2**31}, "record set x.acme.example TXT: ttl is 2147483648. "),
        ({"values": None}, "record set x.acme.example TXT: values is empty. "),
        ({"values": []}, "record set x.acme.example TXT: values is empty. "),
        ({"values": [], "state": "exact"}, "record set x.acme.example TXT: values is empty. "),
        # An empty variable must not remove everything.
        ({"values": [], "state": "absent"}, "record set x.acme.example TXT: values is empty. To remove the whole"),
        ({"values": [" "]}, "a value is empty"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_asked(options: dict[str, Any], told: str) -> None:
    assert told in failed(**options)


@pytest.mark.parametrize("backend", ["digitalocean", "cloudflare"])
def test_an_api_needs_a_token(backend: str) -> None:
    assert f"backend {backend} needs api_token. " in failed(backend=backend)


@contextmanager
def serving(answer: Callable[[bytes], bytes]) -> Iterator[int]:
    """Yield the port of a server over TCP that sends to a message what `answer` returns, and closes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        client, _address = listener.accept()
        with client, client.makefile("rb") as stream:
            (length,) = struct.unpack("!H", stream.read(2))
            client.sendall(answer(stream.read(length)))

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1]
    thread.join()
    listener.close()


def framed(wire: bytes) -> bytes:
    return struct.pack("!H", len(wire)) + wire


def unsigned(code: dns.rcode.Rcode) -> Callable[[bytes], bytes]:
    def answer(wire: bytes) -> bytes:
        told = dns.message.make_response(dns.message.from_wire(wire, keyring=False))
        told.set_rcode(code)
        return framed(told.to_wire())

    return answer


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (unsigned(dns.rcode.NOERROR), "NOERROR"),
        (unsigned(dns.rcode.NXDOMAIN), "NXDOMAIN"),
        (unsigned(dns.rcode.REFUSED), "REFUSED"),
        (unsigned(dns.rcode.NOTIMP), "NOTIMP"),
        (lambda wire: framed(wire[:2]), "sends what is no answer"),
        (lambda wire: framed(b"\xff\xff" + wire[2:]), "sends what is no answer"),
        (lambda wire: framed(wire[:14]), "gives no usable answer"),
        (lambda wire: framed(wire)[:20], "it was closed before the answer was there"),
        (lambda wire: b"", "it was closed before the answer was there"),
        # What was asked, sent back: its signature is that of a question.
        (framed, "does not sign its answer with the key"),
    ],
)
def test_an_answer_that_is_not_signed_or_none_is_not_believed(answer: Callable[[bytes], bytes], told: str) -> None:
    with serving(answer) as port:
        message = failed(port=port)
    assert told in message
    assert "Nothing was written." in message


def test_a_server_that_says_nothing_is_not_waited_for_long() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        message = failed(port=silent.getsockname()[1], timeout=0.2)
    assert "no answer within 0.2 s" in message


def test_a_server_that_drips_bytes_is_not_waited_for_long() -> None:
    """Each byte comes in time, and the answer never."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            client, _address = listener.accept()
            with client, contextlib.suppress(OSError):
                client.sendall(struct.pack("!H", 60_000))
                while not ended.wait(0.05):
                    client.sendall(b"x")

        thread = threading.Thread(target=drip)
        thread.start()
        begun = time.monotonic()
        message = failed(port=listener.getsockname()[1], timeout=0.3)
        took = time.monotonic() - begun
        ended.set()
        thread.join()
    assert "no answer within 0.3 s" in message
    assert took < 5
