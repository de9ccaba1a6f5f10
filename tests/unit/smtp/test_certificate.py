# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read from a certificate is what OpenSSL reads from it, and nothing but ValueError comes of others."""

from __future__ import annotations

import contextlib
import datetime
import socket
import ssl
from pathlib import Path

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._smtp import certificate
from hypothesis import given
from hypothesis import strategies as st
from support.certificates import Authority
from support.scripted_smtp import serving, smtp


@pytest.fixture(scope="module")
def der(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, dict[str, object]]:
    """A certificate, and what OpenSSL says of it."""
    authority = Authority(tmp_path_factory.mktemp("ca"))
    context = authority.server("mail.acme.example", "*.acme.example", "127.0.0.1", "::1")
    client = ssl.create_default_context(cafile=authority.ca_file)
    client.verify_flags &= ~ssl.VERIFY_X509_STRICT
    with (
        serving(smtp(context, from_the_start=True)) as server,
        socket.create_connection(("127.0.0.1", server.port), 5) as connection,
        client.wrap_socket(connection, server_hostname="::1") as tls,
    ):
        found = tls.getpeercert(binary_form=True)
        told = tls.getpeercert()
        assert found
        assert told
        return found, dict(told)


def test_it_says_what_openssl_says(der: tuple[bytes, dict[str, object]]) -> None:
    found, told = certificate.read(der[0]), der[1]
    assert found.subject == "O=Gr\xfc\xdfe from Acme, CN=server"
    assert found.issuer == "CN=Test CA"
    assert found.names == ("mail.acme.example", "*.acme.example", "127.0.0.1", "::1")
    assert told["issuer"] == ((("commonName", "Test CA"),),)
    assert [name for kind, name in told["subjectAltName"] if kind == "DNS"] == list(found.names[:2])  # type: ignore[attr-defined]
    assert found.not_after.timestamp() == ssl.cert_time_to_seconds(str(told["notAfter"]))
    assert found.days_left() == 30
    shown = found.shown()
    assert datetime.datetime.strptime(shown["not_after"], "%Y-%m-%dT%H:%M:%S%z") == found.not_after


def test_each_certificate_of_this_machine_is_read() -> None:
    """Real CAs write what tests do not think of: other alphabets' strings, dates after 2049, no common name."""
    trusted = ssl.create_default_context().get_ca_certs(binary_form=True)
    if not trusted:
        pytest.skip("this machine trusts no CA")
    context = ssl.create_default_context()
    expiry = sorted(ssl.cert_time_to_seconds(str(one["notAfter"])) for one in context.get_ca_certs())
    assert sorted(certificate.read(one).not_after.timestamp() for one in trusted) == expiry
    assert all(certificate.read(one).subject for one in trusted)


@given(st.data())
def test_what_is_damaged_is_refused_or_read(der: tuple[bytes, dict[str, object]], data: st.DataObject) -> None:
    whole = bytearray(der[0])
    for _change in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ValueError):
        assert certificate.read(bytes(whole[: data.draw(st.integers(0, len(whole)))])).subject.isprintable()


@pytest.mark.parametrize("other", [b"", b"\x30", b"\x30\x03abc", Path(__file__).read_bytes()])
def test_what_is_none_is_refused(other: bytes) -> None:
    with pytest.raises(ValueError, match="cannot be read as a certificate"):
        certificate.read(other)


def item(tag: int, *contents: bytes) -> bytes:
    """Return a short item of DER."""
    whole = b"".join(contents)
    return bytes([tag, len(whole)]) + whole


@pytest.mark.parametrize(
    "extensions",
    [
        item(0xA3),
        item(0xA3, item(0x30, item(0x30))),
        item(0xA3, item(0x30, item(0x30, item(0x06, bytes.fromhex("551d11")), item(0x04)))),
    ],
    ids=["none", "an empty one", "names without a list"],
)
def test_extensions_that_lack_what_they_must_have_are_refused(extensions: bytes) -> None:
    validity = item(0x30, item(0x17, b"200101000000Z"), item(0x17, b"300101000000Z"))
    name = item(0x30)
    before = (item(0x02, b"\x01"), item(0x30), name, validity, name, item(0x30))
    assert certificate.read(item(0x30, item(0x30, *before))).not_after.year == 2030
    with pytest.raises(ValueError, match="cannot be read as a certificate"):
        certificate.read(item(0x30, item(0x30, *before, extensions)))
