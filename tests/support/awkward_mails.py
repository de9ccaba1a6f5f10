# SPDX-License-Identifier: GPL-3.0-or-later
"""Mails of the kinds that break mail software, made here byte by byte: Python's own writers would mend them.

Each is a function that returns the bytes after the common header (From, To, Subject, Message-Id, Date) or, where the
header is what is awkward, the whole message.
"""

from __future__ import annotations

import base64
import functools
import random
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

RECORD = "record"
"""It becomes a record."""
NOTHING = "nothing"
"""It is accepted, and no record is due: a report about other mail."""
KEPT = "kept"
"""Odoo 19 fails at it, so the bridge keeps it for the administrator."""


@dataclass(frozen=True)
class Mail:
    """One awkward mail. `fate` is what becomes of it in Odoo 19; `address` its author, who wrote no other."""

    name: str
    address: str
    sender: str
    content: bytes
    fate: str


@dataclass(frozen=True)
class Identity:
    """What makes one mail differ from all others."""

    name: str
    address: str

    def header(self, **changed: str | None) -> bytes:
        """The usual fields; `changed` has others (``Message_Id``), None for none."""
        fields = {
            "From": f"Jo <{self.address}>",
            "To": "sales@acme.example",
            "Subject": f"Awkward: {self.name}",
            "Message-Id": f"<{self.address}>",
            "Date": "Mon, 06 Jan 2025 10:00:00 +0100",
            **{name.replace("_", "-"): value for name, value in changed.items()},
        }
        return "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None).encode()


_KINDS: list[tuple[str, Callable[[Identity], bytes], str, bool]] = []


def _kind(name: str, fate: str = RECORD, null_sender: bool = False) -> Callable[[Callable[[Identity], bytes]], None]:
    def register(make: Callable[[Identity], bytes]) -> None:
        _KINDS.append((name, make, fate, null_sender))

    return register


def names() -> list[str]:
    """The names of all mails."""
    return [name for name, _make, _fate, _null in _KINDS]


def awkward_mails(run: str) -> Iterator[Mail]:
    """Make them one by one; `run` (letters and digits) tells this run's authors and Message-Ids from another's."""
    for number, name in enumerate(names()):
        yield awkward_mail(name, f"{run}n{number}")


def awkward_mail(name: str, run: str) -> Mail:
    """Make the one of that name."""
    _name, make, fate, null_sender = next(kind for kind in _KINDS if kind[0] == name)
    host = "j\u00f6rg" if name == "an author in UTF-8" else "jo"
    address = f"{host}{run}@customer.example"
    content = make(Identity(name, address))
    return Mail(name, address, "" if null_sender else address, content, fate)


def _text(charset: str, body: bytes, encoding: str = "8bit") -> bytes:
    head = (
        f"MIME-Version: 1.0\r\nContent-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: {encoding}\r\n"
    )
    return head.encode() + b"\r\n" + body


def _multipart(kind: str, *parts: bytes, boundary: str = "=_b") -> bytes:
    """A multipart's fields and body; each part is fields, blank line and body without a last line end."""
    body = b"".join(b"--" + boundary.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    head = f'MIME-Version: 1.0\r\nContent-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'
    return head.encode() + body + f"--{boundary}--\r\n".encode()


_PLAIN = b"Content-Type: text/plain; charset=utf-8\r\n\r\nDo you sell chairs?"


def _base64(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


# Characters

_IN_CHARSETS = {
    "iso-8859-1": "Gr\u00fc\u00dfe aus K\u00f6ln",
    "windows-1252": "\u201equoted\u201c \u2013 100 \u20ac",
    "koi8-r": "\u041f\u0440\u0438\u0432\u0435\u0442, \u0441\u0442\u0443\u043b\u044c\u044f",
    # Its second bytes are also ASCII's, the backslash among them.
    "shift_jis": "\u8868\u793a \u7aef\u6570 \u30bd\u30d5\u30c8",
    "gb18030": "\u6905\u5b50 \U0001f4ba",
    "iso-2022-jp": "\u6905\u5b50",
    "utf-8": "chaise \U0001fa91 \u0627\u0644\u0633\u0644\u0627\u0645",
}
for _charset, _words in _IN_CHARSETS.items():

    @_kind(f"8-bit text in {_charset}")
    def _charset_body(mail: Identity, charset: str = _charset, words: str = _words) -> bytes:
        return mail.header() + _text(charset, words.encode(charset) + b"\r\n")


@_kind("raw UTF-16, with NULs and bare line feeds")
def _utf16(mail: Identity) -> bytes:
    return mail.header() + _text("utf-16", "chairs\n\u010a\u0a0d\r\ntables".encode("utf-16") + b"\r\n")


@_kind("bytes that are not of the charset named")
def _wrong_charset(mail: Identity) -> bytes:
    return mail.header() + _text("utf-8", b"Gr\xfc\xdfe\xff\xfe\r\n")


@_kind("8-bit text without a charset")
def _no_charset(mail: Identity) -> bytes:
    return mail.header() + b"\r\nGr\xfc\xdfe\r\n"


@_kind("a charset that nobody knows", KEPT)
def _unknown_charset(mail: Identity) -> bytes:
    return mail.header() + _text("x-martian", b"caf\xe9\r\n")


@_kind("all bytes there are in a body")
def _all_bytes(mail: Identity) -> bytes:
    return mail.header() + _text("iso-8859-1", bytes(range(256)) + b"\r\n")


@_kind("NUL in the text")
def _nul_body(mail: Identity) -> bytes:
    return mail.header() + b"\r\nbefore\0after\r\n"


@_kind("NUL in the subject", KEPT)
def _nul_header(mail: Identity) -> bytes:
    return mail.header(Subject="before\0after") + b"\r\ntext\r\n"


@_kind("8-bit bytes in header fields")
def _raw_header(mail: Identity) -> bytes:
    return mail.header(Subject=None) + b"Subject: Gr\xfc\xdfe\r\nX-Raw: \xff\xfe\x80\r\n\r\ntext\r\n"


# Lines


@_kind("bare CR and bare LF in the text")
def _bare(mail: Identity) -> bytes:
    return mail.header() + b"\r\none\rtwo\nthree\n\rfour\r\r\nfive\r\n"


@_kind("LF alone as every line end")
def _lf_only(mail: Identity) -> bytes:
    return (mail.header() + b"\r\none\r\n.two\r\n").replace(b"\r\n", b"\n")


@_kind("what would be a second mail if bare LF or CR ended one")
def _smuggled(mail: Identity) -> bytes:
    other = b"MAIL FROM:<smuggler@customer.example>\r\nRCPT TO:<sales@acme.example>\r\nDATA\r\n"
    ends = (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r")
    return mail.header() + b"\r\n" + b"".join(b"text" + end + other for end in ends) + b"end\r\n"


@_kind("a line of 1 MB")
def _long_line(mail: Identity) -> bytes:
    return mail.header() + b"\r\n" + b"chairs and tables " * 58_000 + b"\r\n"


@_kind("a line of 1 MB without a blank")
def _long_word(mail: Identity) -> bytes:
    return mail.header() + b"\r\n" + b"x" * 1_000_000 + b"\r\n"


@_kind("a subject of 100 KB in one line")
def _long_subject(mail: Identity) -> bytes:
    return mail.header(Subject="chairs " * 14_000) + b"\r\ntext\r\n"


@_kind("dots at every place of a line")
def _dots(mail: Identity) -> bytes:
    return mail.header() + b"\r\n.\r\n..\r\n...\r\n.a\r\n..a\r\n \r\n.\r\n.\r\n\r\n.\r\n"


@_kind("a body of nothing but a dot")
def _one_dot(mail: Identity) -> bytes:
    return mail.header() + b"\r\n.\r\n"


@_kind("an empty body")
def _empty(mail: Identity) -> bytes:
    return mail.header() + b"\r\n"


@_kind("no body and no blank line")
def _no_body(mail: Identity) -> bytes:
    return mail.header()


# Header


@_kind("no Message-Id")
def _no_id(mail: Identity) -> bytes:
    return mail.header(Message_Id=None) + b"\r\ntext\r\n"


@_kind("an empty Message-Id")
def _empty_id(mail: Identity) -> bytes:
    return mail.header(Message_Id="") + b"\r\ntext\r\n"


@_kind("two Message-Ids")
def _two_ids(mail: Identity) -> bytes:
    return mail.header() + f"Message-Id: <second.{mail.address}>\r\n\r\ntext\r\n".encode()


@_kind("a Message-Id without brackets, with 8-bit bytes")
def _odd_id(mail: Identity) -> bytes:
    return mail.header(Message_Id=None) + f"Message-Id: {mail.address} gr".encode() + b"\xfc\xdfe\r\n\r\ntext\r\n"


@_kind("a folded Message-Id of 1,500 bytes")
def _long_id(mail: Identity) -> bytes:
    return mail.header(Message_Id=f"\r\n <{'i' * 1500}.{mail.address}>") + b"\r\ntext\r\n"


@_kind("2,000 header fields")
def _many_fields(mail: Identity) -> bytes:
    fields = "".join(f"X-Field-{number}: value {number}\r\n" for number in range(2000))
    return mail.header() + fields.encode() + b"\r\ntext\r\n"


@_kind("200 Received fields")
def _many_hops(mail: Identity) -> bytes:
    hops = "".join(f"Received: from h{n} by h{n + 1}; Mon, 06 Jan 2025 10:00:00 +0100\r\n" for n in range(200))
    return hops.encode() + mail.header() + b"\r\ntext\r\n"


@_kind("500 addresses in To")
def _many_addresses(mail: Identity) -> bytes:
    others = ",\r\n ".join(f"Person {number} <p{number}@customer.example>" for number in range(500))
    return mail.header(To=f"sales@acme.example,\r\n {others}") + b"\r\ntext\r\n"


@_kind("no To")
def _no_to(mail: Identity) -> bytes:
    return mail.header(To=None) + b"\r\ntext\r\n"


@_kind("no Date, and one that is none")
def _no_date(mail: Identity) -> bytes:
    return mail.header(Date="the day before yesterday") + b"\r\ntext\r\n"


@_kind("encoded words of every odd kind")
def _rfc2047(mail: Identity) -> bytes:
    words = (
        "=?utf-8?q?split_=C3?= =?utf-8?q?=BC?= =?utf-8?b?Z2Fy?= =?x-martian?q?=E9?= =?utf-8?b?!!!?= =?utf-8?q?open\r\n"
        " =?iso-8859-1*de?q?=FC?=text=?utf-8?q?glued?= =?utf-8?q??= =?utf-8?z?kind?= =?us-ascii?q?=FF?="
    )
    return mail.header(Subject=words, From=f"=?koi8-r?b?8NLJ18XU?= <{mail.address}>") + b"\r\ntext\r\n"


@_kind("file names by RFC 2231, and by nobody's rule")
def _rfc2231(mail: Identity) -> bytes:
    disposition = (
        b"filename*0*=utf-8'de'%C3%BCber; filename*1=-und-; filename*2*=%C3%BCber.txt",
        b"filename*=iso-8859-1''na%EFve.txt; filename=naive.txt",
        b'filename="=?utf-8?q?caf=C3=A9=2Etxt?="',
        b'filename="gr\xfc\xdfe.txt"',
        b"filename*=x-martian''%FF.txt",
        b'filename="../../etc/passwd"',
    )
    parts = [
        b"Content-Type: application/octet-stream\r\nContent-Disposition: attachment; " + name + b"\r\n\r\nx"
        for name in disposition
    ]
    return mail.header() + _multipart("mixed", _PLAIN, *parts)


@_kind("an author in UTF-8")
def _smtputf8(mail: Identity) -> bytes:
    return mail.header(Subject="Gr\u00fc\u00dfe von J\u00f6rg") + b"\r\ntext\r\n"


@_kind("comments, groups and quoting in addresses")
def _odd_addresses(mail: Identity) -> bytes:
    author = f'"Jo, \\"the\\" (Boss)" (a (nested) comment) <{mail.address}>'
    return mail.header(From=author, To="Team: sales@acme.example, (none);, undisclosed:;") + b"\r\ntext\r\n"


# Structure


@_kind("multiparts 50 deep")
def _deep(mail: Identity) -> bytes:
    inner = _PLAIN
    for depth in range(50):
        inner = _multipart("mixed", inner, boundary=f"=_{depth}_")
    return mail.header() + inner


@_kind("a multipart without an end")
def _no_end(mail: Identity) -> bytes:
    return mail.header() + _multipart("mixed", _PLAIN, _PLAIN).removesuffix(b"--=_b--\r\n")


@_kind("a multipart without a boundary")
def _no_boundary(mail: Identity) -> bytes:
    return mail.header() + b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed\r\n\r\n--x\r\n\r\ntext\r\n--x--\r\n"


@_kind("a content type that is none", KEPT)
def _no_type(mail: Identity) -> bytes:
    return mail.header() + b"MIME-Version: 1.0\r\nContent-Type: nonsense; =;;charset\r\n\r\ntext\r\n"


@_kind("base64 that is none")
def _bad_base64(mail: Identity) -> bytes:
    return mail.header() + _text("utf-8", b"###=not base64=\r\nQQ\r\n=\r\n", "base64")


@_kind("quoted-printable that is none")
def _bad_quoted(mail: Identity) -> bytes:
    return mail.header() + _text("utf-8", b"=C3=\r\n=BC =ZZ =\r\n = =3", "quoted-printable") + b"\r\n"


@_kind("nothing but an attachment")
def _only_attachment(mail: Identity) -> bytes:
    head = (
        b"MIME-Version: 1.0\r\nContent-Type: application/pdf; name=a.pdf\r\n"
        b"Content-Disposition: attachment; filename=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    )
    return mail.header() + head + _base64(b"%PDF-1.4 \xff\xfe")


@_kind("a mail in a mail, with 8-bit bytes")
def _forwarded(mail: Identity) -> bytes:
    inner = b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n\r\nFrom: a@customer.example\r\n"
    inner += b"Message-Id: <inner@customer.example>\r\nDelivered-To: inner@customer.example\r\n\r\nGr\xfc\xdfe"
    return mail.header() + _multipart("mixed", _PLAIN, inner)


@_kind("8-bit bytes in an attachment without an encoding")
def _binary_attachment(mail: Identity) -> bytes:
    data = bytes(byte for byte in range(256) if byte not in b"\r\n\0")
    part = b"Content-Type: application/octet-stream; name=b.bin\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + data
    return mail.header() + _multipart("mixed", _PLAIN, part)


@_kind("45 MB")
def _large(mail: Identity) -> bytes:
    data = random.Random(7).randbytes(1 << 20)
    encoded = _base64(data * 32)[: 45_000_000 // 78 * 78]
    part = (
        b"Content-Type: application/zip; name=a.zip\r\nContent-Disposition: attachment; filename=a.zip\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return mail.header() + _multipart("mixed", _PLAIN, part + encoded)


@_kind("HTML that is none")
def _html(mail: Identity) -> bytes:
    html = b"<html><body><table><td>chairs<script>alert(1)</script><p><b></i><![CDATA[ ]]>&nosuch;" + b"<div>" * 300
    head = b"MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    return mail.header() + head + html + b"\r\n"


# Signed and encrypted


@functools.cache
def _certificate() -> tuple[bytes, bytes]:
    """A key and its self-signed certificate, in PEM."""
    with tempfile.TemporaryDirectory() as directory:
        key, certificate = Path(directory, "key"), Path(directory, "certificate")
        new = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=jo", "-days", "2"]
        subprocess.run([*new, "-keyout", key, "-out", certificate], check=True, capture_output=True)
        return key.read_bytes(), certificate.read_bytes()


def _smime(*arguments: str, content: bytes) -> bytes:
    """What ``openssl smime`` makes of `content`, with CRLF."""
    with tempfile.TemporaryDirectory() as directory:
        for name, data in zip(("key", "certificate"), _certificate(), strict=True):
            Path(directory, name).write_bytes(data)
        command = ["openssl", "smime", *arguments]
        done = subprocess.run(command, cwd=directory, input=content, check=True, capture_output=True)
        return re.sub(rb"(?<!\r)\n", b"\r\n", done.stdout)


def smime_verifies(message: bytes) -> bool:
    """Tell whether the S/MIME signature in the message is still right."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "certificate").write_bytes(_certificate()[1])
        command = ["openssl", "smime", "-verify", "-CAfile", "certificate", "-purpose", "any"]
        return subprocess.run(command, cwd=directory, input=message, capture_output=True, check=False).returncode == 0


SIGNED = "signed by S/MIME"


# Trailing blanks, a dot and 8-bit bytes: what well-meant repairs would touch.
@_kind(SIGNED)
def _signed(mail: Identity) -> bytes:
    text = _text("iso-8859-1", b"Gr\xfc\xdfe \t\r\n.dot\r\nFrom here\r\n\r\n\r\n")
    sign = ("-sign", "-signer", "certificate", "-inkey", "key", "-binary", "-crlfeol")
    return mail.header() + _smime(*sign, content=text)


@_kind("signed by S/MIME, opaque")
def _opaque(mail: Identity) -> bytes:
    sign = ("-sign", "-nodetach", "-signer", "certificate", "-inkey", "key", "-binary")
    return mail.header() + _smime(*sign, content=_PLAIN)


@_kind("encrypted by S/MIME")
def _encrypted(mail: Identity) -> bytes:
    return mail.header() + _smime("-encrypt", "-aes256", "-binary", "certificate", content=_PLAIN)


def _armoured(what: str) -> bytes:
    data = base64.b64encode(random.Random(what).randbytes(300))
    lines = b"\r\n".join(data[start : start + 64] for start in range(0, len(data), 64))
    return f"-----BEGIN PGP {what}-----\r\n\r\n".encode() + lines + f"\r\n=abcd\r\n-----END PGP {what}-----".encode()


@_kind("signed by PGP/MIME")
def _pgp_signed(mail: Identity) -> bytes:
    text = _text("iso-8859-1", b"Gr\xfc\xdfe \t\r\n.\r\n")
    signature = b"Content-Type: application/pgp-signature; name=signature.asc\r\n\r\n" + _armoured("SIGNATURE")
    kind = "signed; micalg=pgp-sha512; protocol=application/pgp-signature"
    return mail.header() + _multipart(kind, text, signature)


@_kind("encrypted by PGP/MIME")
def _pgp_encrypted(mail: Identity) -> bytes:
    version = b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1"
    data = b"Content-Type: application/octet-stream; name=encrypted.asc\r\n\r\n" + _armoured("MESSAGE")
    return mail.header() + _multipart("encrypted; protocol=application/pgp-encrypted", version, data)


# Reports and invitations


@_kind("a report of non-delivery", NOTHING, null_sender=True)
def _dsn(mail: Identity) -> bytes:
    status = (
        b"Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.customer.example\r\n\r\n"
        b"Final-Recipient: rfc822; nobody@customer.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    )
    original = (
        b"Content-Type: message/rfc822\r\n\r\nMessage-Id: <unknown@acme.example>\r\nSubject: offer\r\n\r\nGr\xfc\xdfe"
    )
    head = mail.header(From=f"MAILER-DAEMON <{mail.address}>", To="sales@acme.example")
    return head + _multipart("report; report-type=delivery-status", _PLAIN, status, original)


@_kind("a receipt", NOTHING, null_sender=True)
def _mdn(mail: Identity) -> bytes:
    notification = (
        b"Content-Type: message/disposition-notification\r\n\r\nFinal-Recipient: rfc822; jo@customer.example\r\n"
        b"Original-Message-ID: <unknown@acme.example>\r\nDisposition: manual-action/MDN-sent-manually; displayed\r\n"
    )
    return mail.header() + _multipart("report; report-type=disposition-notification", _PLAIN, notification)


@_kind("an answer that a machine wrote", null_sender=True)
def _vacation(mail: Identity) -> bytes:
    return mail.header() + b"Auto-Submitted: auto-replied\r\nPrecedence: bulk\r\n\r\nI am away.\r\n"


@_kind("an invitation")
def _invitation(mail: Identity) -> bytes:
    calendar = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1@customer.example\r\n"
        f"DTSTAMP:20250106T100000Z\r\nDTSTART:20250107T100000Z\r\nORGANIZER:mailto:{mail.address}\r\n"
        "ATTENDEE;RSVP=TRUE:mailto:sales@acme.example\r\nSUMMARY:St\u00fchle\r\nEND:VEVENT\r\nEND:VCALENDAR"
    ).encode()
    part = (
        b"Content-Type: text/calendar; method=REQUEST; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        + calendar
    )
    return mail.header() + _multipart("alternative", _PLAIN, part)
