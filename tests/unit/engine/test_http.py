# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a failed call may have been carried out: a call of which that is not certain is never repeated."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    CertificateError,
    ProtocolError,
    TemporaryError,
    UnreachableError,
    ValidationError,
)
from ansible_collections.mailops.odoo.plugins.module_utils._core.http import Http


@contextmanager
def answering(answer: bytes, received: list[bytes] | None = None) -> Iterator[str]:
    """Yield the address of a server that reads one request (into `received`), sends these bytes and closes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _address = listener.accept()
            with connection:
                request = connection.recv(65536)
                if received is not None:
                    received.append(request)
                connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        thread.join(5)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
    ],
    ids=["none", "cut short", "cut chunk"],
)
def test_a_broken_answer_leaves_it_open(answer: bytes) -> None:
    with answering(answer) as address, pytest.raises(TemporaryError) as caught:
        Http(f"http://{address}").post_json("/x", {})
    assert not caught.value.definite


def test_tls_that_breaks_is_no_verdict_on_the_certificate() -> None:
    with answering(b"") as address, pytest.raises(TemporaryError) as caught:
        Http(f"https://{address}").post_json("/x", {})
    assert not caught.value.definite


def test_a_page_instead_of_json_is_shown_and_leaves_it_open() -> None:
    page = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 20\r\n\r\n<h1>Bad Gateway</h1>"
    with (
        answering(page) as address,
        pytest.raises(ProtocolError, match="HTTP 502 and not JSON: '<h1>Bad Gat") as caught,
    ):
        Http(f"http://{address}").post_json("/x", {})
    assert not caught.value.definite


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(UnreachableError) as caught:
        Http(f"http://127.0.0.1:{port}").post_json("/x", {})
    assert caught.value.definite


@pytest.mark.parametrize(
    "url",
    [
        "odoo.example.com",
        "ftp://odoo.example.com",
        "https://",
        "https://[odoo.example.com",
        "https://odoo.example.com:https",
        "https://odoo.example.com:99999",
        "https://odoo..example.com",
        f"https://{64 * 'x'}.example.com",
        "https://u:canary@odoo.example.com",
        "https://:canary@odoo.example.com",
        "https://u:canary/canary@odoo.example.com",
    ],
)
def test_an_unusable_url(url: str) -> None:
    with pytest.raises(ValidationError, match="is no usable URL") as caught:
        Http(url)
    assert "canary" not in caught.value.text()


@pytest.mark.parametrize("timeout", [0, -1])
def test_a_timeout_that_is_none(timeout: float) -> None:
    with pytest.raises(ValidationError, match=f"time-out is {timeout} s"):
        Http("https://odoo.example.com", timeout=timeout)


def test_a_ca_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(CertificateError, match="ca.pem") as caught:
        Http("https://odoo.example.com", str(tmp_path / "ca.pem"))
    assert "Check odoo_ca_file" in caught.value.text()


def test_a_login_in_netrc_does_not_take_the_place_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("default login somebody password canary\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    received: list[bytes] = []
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", received) as address:
        Http(f"http://{address}").post_json("/x", {}, {"Authorization": "bearer key"})
    assert b"Authorization: bearer key" in received[0]
