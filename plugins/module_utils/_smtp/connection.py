# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making a TCP connection by any of a host's addresses, and telling why none was made."""

from __future__ import annotations

import contextlib
import errno
import os
import queue
import selectors
import socket
import ssl
import threading
import time
from typing import Any, cast

from ansible_collections.mailops.odoo.plugins.module_utils._smtp.text import one_line

# As getaddrinfo gives it: family, type, protocol, canonical name, address.
Place = tuple[Any, ...]

# Clouds close these to new customers; DigitalOcean says so of all its droplets.
BLOCKED_PORTS = (25, 465, 587)
FIRST_BYTES = 512


class NoConnectionError(Exception):
    """No connection was made; the text says of each address why."""


def addresses(host: str, port: int, timeout: float) -> list[Place]:
    """Return the host's addresses in the system's order; NoConnectionError if there are none.

    The system's look-up knows no time-out: it is left behind when it takes longer than these seconds.
    """
    answer: queue.SimpleQueue[list[Place] | OSError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answer.put(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        except OSError as error:
            answer.put(error)

    threading.Thread(target=look_up, daemon=True).start()
    try:
        found = answer.get(timeout=timeout)
    except queue.Empty:
        raise NoConnectionError(f"looking up {host}: no answer within {timeout:g} s") from None
    if isinstance(found, socket.gaierror) and found.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", 0)):
        raise NoConnectionError(f"there is no host {host}")
    if isinstance(found, OSError):
        raise NoConnectionError(f"looking up {host}: {one_line(found.strerror or str(found))}")
    return list(dict.fromkeys(found))


def connect(places: list[Place], timeout: float) -> tuple[socket.socket, Place, str]:
    """Return a connection, where it goes, and a text that says what came of each address.

    All addresses are tried at once, so that one that is blocked holds nobody up; of those that answer first, the one
    that comes first in the list wins. `timeout` is in seconds. Raises NoConnectionError.
    """
    started = time.monotonic()
    told = dict.fromkeys(places, "")
    with selectors.DefaultSelector() as selector:
        for place in places:
            told[place] = _begin(place, selector)
        taken = _first_to_answer(selector, told, timeout)
        for key in list(selector.get_map().values()):
            if key is not taken:
                _socket(key).close()
    if taken is None:
        raise NoConnectionError("; ".join(f"{_shown(place)}: {why}" for place, why in told.items()))
    others = [f"{_shown(place)}: {why or 'no answer yet'}" for place, why in told.items() if place != taken.data]
    connected = f"connected to {_shown(taken.data)} in {(time.monotonic() - started) * 1000:.0f} ms"
    return _socket(taken), taken.data, "; ".join([connected, *others])


def connect_to(place: Place, timeout: float) -> socket.socket:
    """Return another connection to an address that `connect` returned; OSError if there is none."""
    connection = socket.socket(*place[:3])
    connection.settimeout(timeout)
    try:
        connection.connect(place[4])
    except OSError:
        connection.close()
        raise
    return connection


def spoken(place: Place, timeout: float) -> str:
    """Return what a server speaks that says nothing sensible: `tls`, `smtp`, `http`, or "" if that stays unknown.

    It is sent the beginning of a TLS handshake: TLS answers in kind, SMTP greets anyway, and HTTP complains.
    """
    beginning = ssl.MemoryBIO()
    tls = unverified().wrap_bio(ssl.MemoryBIO(), beginning)
    with contextlib.suppress(ssl.SSLWantReadError):
        tls.do_handshake()
    try:
        with connect_to(place, timeout) as connection:
            connection.sendall(beginning.read())
            return protocol(connection.recv(FIRST_BYTES))
    except OSError:
        return ""


def protocol(first: bytes) -> str:
    """Return what the first bytes of a server are: `tls`, `smtp`, `http` or nothing."""
    # A TLS record begins with its type, here an alert or a handshake, and the version 3 (RFC 8446, 5.1).
    if first[:2] in (b"\x15\x03", b"\x16\x03"):
        return "tls"
    if first[:4] in (b"220 ", b"220-", b"554 ", b"421 "):
        return "smtp"
    return "http" if first.lstrip().lower().startswith((b"http/", b"<html", b"<!doctype")) else ""


def unverified() -> ssl.SSLContext:
    """Return a context that takes any certificate, to look at it; nothing secret goes over such a connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _begin(place: Place, selector: selectors.BaseSelector) -> str:
    """Begin a connection and hand it to the selector; return why it failed at once, or nothing."""
    try:
        connection = socket.socket(*place[:3])
    except OSError as error:
        return _why(error.errno)
    connection.setblocking(False)
    code = connection.connect_ex(place[4])
    if code not in (0, errno.EINPROGRESS):
        connection.close()
        return _why(code)
    selector.register(connection, selectors.EVENT_WRITE, place)
    return ""


def _first_to_answer(
    selector: selectors.BaseSelector, told: dict[Place, str], timeout: float
) -> selectors.SelectorKey | None:
    """Wait for a connection and return its key; note in `told` what came of those that failed before."""
    until, order = time.monotonic() + timeout, list(told)
    while selector.get_map():
        ready = selector.select(max(0.0, until - time.monotonic()))
        if not ready:
            break
        for key, _events in sorted(ready, key=lambda one: order.index(one[0].data)):
            code = _socket(key).getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if code == 0:
                return key
            told[key.data] = _why(code)
            selector.unregister(key.fileobj)
            _socket(key).close()
    for place, why in told.items():
        told[place] = why or _silence(place, timeout)
    return None


def _socket(key: selectors.SelectorKey) -> socket.socket:
    return cast("socket.socket", key.fileobj)


def _silence(place: Place, timeout: float) -> str:
    hint = " DigitalOcean blocks 25, 465 and 587" if place[4][1] in BLOCKED_PORTS else ""
    return f"no answer within {timeout:g} s: blocked?{hint}"


def _why(code: int | None) -> str:
    """Return what an error of connect(2) means."""
    if code == errno.ECONNREFUSED:
        return "refused: nothing listens there, or a firewall says so"
    if code in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
        return f"no way there ({os.strerror(code)})"
    return os.strerror(code or errno.EIO)


def _shown(place: Place) -> str:
    host, port = place[4][:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
