# SPDX-License-Identifier: GPL-3.0-or-later
"""DKIM keys: what receivers can use, and what says the same."""

from __future__ import annotations

import base64

import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._dns import dkim
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from support.signing import KeyPair, short_key


def encoded(bits: int) -> str:
    """Return the public half of a new RSA key as a record has it."""
    return KeyPair(bits).record.partition("p=")[2]


KEY, OTHER = encoded(1024), encoded(2048)
PKCS1 = base64.b64encode(
    rsa.generate_private_key(65537, 1024).public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
).decode()
ED25519 = base64.b64encode(ed25519.Ed25519PrivateKey.generate().public_key().public_bytes_raw()).decode()


@pytest.mark.parametrize(
    ("text", "key_type", "bits"),
    [
        (f"v=DKIM1; k=rsa; p={KEY}", "rsa", 1024),
        (f"p={OTHER}", "rsa", 2048),
        (f"v=DKIM1;t=s:y;s=email;h=sha256;n=a note;x=y;p={KEY[:70]} {KEY[70:]};", "rsa", 1024),
        (f"v=DKIM1; p={PKCS1}", "rsa", 1024),
        (f"v=DKIM1; p={encoded(4096)}", "rsa", 4096),
        (f"v=DKIM1; k=ed25519; p={ED25519}", "ed25519", 256),
        ("v=DKIM1; p=", "rsa", 0),
    ],
    ids=range(7),  # the keys are others in each process
)
def test_keys(text: str, key_type: str, bits: int) -> None:
    key = dkim.parse(text)
    assert (key.type, key.bits) == (key_type, bits)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"k=rsa; v=DKIM1; p={KEY}", "v=DKIM1 must be its first tag"),
        (f"v=DKIM2; p={KEY}", "v=DKIM1 must be its first tag"),
        ("v=DKIM1; k=rsa", "no tag p"),
        (f"v=DKIM1; k=dsa; p={KEY}", "k=dsa is no key type"),
        (f"v=DKIM1; p={KEY[:-5]}", "no base64"),
        (f"v=DKIM1; p={KEY[:100]}", "does not parse as an RSA public key"),
        ("v=DKIM1; p=AAAA", "does not parse as an RSA public key"),
        (f"v=DKIM1; p={KEY[:50]}\u2026", "no base64"),
        (f"v=DKIM1; k=ed25519; p={KEY}", "has 32 bytes, this one 162"),
        (f"v=DKIM1; p={KEY}; p={OTHER}", "p is there twice"),
        (f"\u201cv=DKIM1; p={KEY}\u201d", "typographic"),
        (f'"v=DKIM1; p={KEY}"', "is no tag=value"),
        (KEY, "is no tag=value"),
    ],
    ids=range(13),
)
def test_no_keys(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        dkim.parse(text)


def test_a_short_key() -> None:
    with pytest.raises(ValueError, match="its RSA key has 512 bits; receivers want 1024"):
        dkim.parse(short_key())


@given(st.binary(max_size=200), st.sampled_from(["rsa", "ed25519"]))
def test_bytes_that_are_no_key_are_told(key: bytes, key_type: str) -> None:
    try:
        found = dkim.parse(f"v=DKIM1; k={key_type}; p={base64.b64encode(key).decode()}")
    except ValueError as error:
        assert "RFC" in str(error)
    else:
        assert found.bits == 0 or found.bits >= dkim.LEAST_BITS or key_type == "ed25519"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (f"v=DKIM1; k=rsa; p={KEY}", f"p={KEY}", True),
        (f"v=DKIM1; k=rsa; t=s:y; p={KEY}", f"v=DKIM1;p={KEY[:9]} {KEY[9:]};n=note;t=y:s;k=rsa;s=*;", True),
        (f"p={KEY}", f"p={OTHER}", False),
        (f"p={KEY}; t=y", f"p={KEY}", False),
        (f"p={KEY}; h=sha256", f"p={KEY}", False),
        (f"p={KEY}; s=tlsrpt", f"p={KEY}", False),
        (f"p={KEY}", "p=", False),
    ],
)
def test_meaning(one: str, other: str, same: bool) -> None:
    assert (dkim.meaning(one) == dkim.meaning(other)) is same


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (f"v=DKIM1; p={KEY}", True),
        (f"k=rsa; p={KEY}", True),
        ("\u201cv=DKIM1; p=", True),
        ("p=", True),
        ("v=DKIM1", True),
        ("v=spf1 p=x", False),
        ("v=DMARC1; p=none", False),
        ("google-site-verification=p=x", False),
    ],
)
def test_what_is_meant_as_a_key(text: str, meant: bool) -> None:
    assert dkim.is_dkim(text) is meant
