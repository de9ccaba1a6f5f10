# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing mails as a provider does."""

from __future__ import annotations

import base64

import dkim
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


class KeyPair:
    """A new RSA key; `record` is its public half as DNS has it."""

    def __init__(self, bits: int = 1024) -> None:
        self._key = rsa.generate_private_key(65537, bits)
        public = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.record = f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"

    def pem(self) -> bytes:
        """Return the private half."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def short_key() -> str:
    """Return a record with an RSA key of 512 bits, which cryptography makes no more."""
    modulus = ((1 << 511) + 1).to_bytes(65, "big")
    pair = bytes([0x02, len(modulus)]) + modulus + b"\x02\x03\x01\x00\x01"
    return f"v=DKIM1; p={base64.b64encode(bytes([0x30, len(pair)]) + pair).decode()}"


def signed(message: bytes, key: KeyPair, domain: str, selector: str) -> bytes:
    """Return a message with a signature of its headers and body; its lines end in CRLF."""
    wire = message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    signature: bytes = dkim.sign(wire, selector.encode(), domain.encode(), key.pem())
    return signature + wire
