# SPDX-License-Identifier: GPL-3.0-or-later
"""The header: what is read in it, and that nothing else of a message changes."""

import email
import email.policy
import hashlib
import re
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from odoo_lmtp_bridge.message import (
    named_recipients,
    printable,
    read_header,
    with_message_id,
    with_trace,
    without_recipients,
)

TRACE = b"Return-Path: <a@b.c>\r\nDelivered-To: x@y\r\n"


def test_fields() -> None:
    header = read_header(
        b"Received: a\r\n b\r\nMESSAGE-ID:\r\n <1@x>\r\nReferences: <root@x>\r\n <2@x>\r\n"
        b"Delivered-To: Sales@Acme.Example, <b@x>\r\nDelivered-To: c@x\r\n\r\nMessage-Id: <no@x>\r\n"
    )
    assert (header.message_id, header.key, header.thread) == ("<1@x>", "<1@x>", "<root@x>")
    assert header.received == (b" a\r\n b",)
    assert header.delivered_to == {"sales@acme.example": 1, "b@x": 1, "c@x": 1}


BY_US = "Received: from a (a [1.2.3.4] (by other))\r\n\tby MX.acme.example (Postfix) with ESMTPS id 4;\r\n\tFri, 6\r\n"
BY_ANOTHER = "Received: by mail.other.example (Postfix, by mx.acme.example) id 5; Fri, 6\r\n"
OURS = "Delivered-To: Sales@acme.example\r\n"


@pytest.mark.parametrize(
    ("trace", "expected"),
    [
        (BY_US + OURS + BY_US, True),
        (BY_US + BY_ANOTHER + OURS + BY_ANOTHER + BY_US, True),
        # Forwarded from a mailbox of the same address, or fetched from it.
        (BY_US + OURS + BY_ANOTHER, False),
        (OURS + BY_ANOTHER, False),
        # The same, behind a content filter that hands mail back to this Postfix.
        (BY_US + BY_ANOTHER + BY_US + OURS + BY_ANOTHER, False),
        (OURS + BY_US, False),
        # Through here twice, but never delivered to the address.
        (BY_US + BY_ANOTHER + BY_US, False),
        (BY_US + "Delivered-To: other@acme.example\r\n" + BY_US, False),
        (BY_ANOTHER + OURS + BY_ANOTHER, False),
        (OURS + "Received: \xff((by mx.acme.example\r\n" * 3, False),
    ],
)
def test_a_loop_is_what_passed_this_gateway_before(trace: str, expected: bool) -> None:
    header = read_header((trace + "Subject: s\r\n\r\n").encode("latin-1"))
    assert header.is_loop("sales@acme.example", "mx.Acme.example") is expected
    assert not header.is_loop("sales@acme.example", "")


def test_a_message_without_id_is_known_by_its_bytes() -> None:
    content = b"Subject: x\r\n\r\nbody"
    header = read_header(content)
    assert header.message_id == ""
    assert header.key == header.thread == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("broken", [b"", b"<>", b"< >", b"none", b"<a b@x>"])
def test_a_broken_message_id_names_no_message(broken: bytes) -> None:
    contents = [b"Message-Id: " + broken + b"\r\n\r\n" + body for body in (b"one", b"two")]
    first, second = map(read_header, contents)
    assert first.message_id == second.message_id == broken.decode()
    assert first.key != second.key


def test_another_message_id() -> None:
    content = b"A: 1\r\nmessage-ID:\r\n <1@x>\r\nB: 2\r\nMessage-Id: <2@x>\r\n\r\nMessage-Id: <3@x>\r\n"
    assert with_message_id(content, "<4@x>") == b"Message-Id: <4@x>\r\nA: 1\r\nB: 2\r\n\r\nMessage-Id: <3@x>\r\n"
    assert with_message_id(b" no header", "<4@x>") == b"Message-Id: <4@x>\r\n\r\n no header"
    assert with_message_id(b"A: 1\rMessage-Id: 1\r\n\nb", "<4@x>") == b"Message-Id: <4@x>\r\nA: 1\r\n\nb"


ADDRESSED = (
    b'From: a@x\r\nTo: "Sales, at" <Sales@x>,\r\n other@y\r\nCC: third@z\r\nResent-To: sales@other\r\n'
    b"Delivered-To: sales@x\r\nX-To: sales@x\r\n\r\nTo: sales@x\r\n"
)


def test_the_recipients_that_a_header_names() -> None:
    assert named_recipients(ADDRESSED) == {"sales@x", "other@y", "third@z", "sales@other"}
    assert without_recipients(ADDRESSED, {"none"}) is ADDRESSED
    hidden = without_recipients(ADDRESSED, {"sales"})
    assert named_recipients(hidden) == {"third@z"}
    assert hidden == ADDRESSED.replace(b'\r\nTo: "', b'\r\nX-Original-To: "').replace(
        b"Resent-To:", b"X-Original-Resent-To:"
    )


def test_a_long_line_does_not_hold_up_everything() -> None:
    """All of this runs in the event loop, which the watchdog gives a minute."""
    started = time.process_time()
    assert named_recipients(b"To: " + b"x" * 100_000 + b" a@x@y,b@x\r\n") == {"a@x", "b@x"}
    addresses = [f"a{n}@x" for n in range(50)]
    nested = b"(" * 1000 + b")" * 1000
    trace = b"Received: %s\r\n" % nested * 50 + b"Delivered-To: " + ", ".join(addresses).encode() + b"\r\n"
    header = read_header(trace)
    assert not any(header.is_loop(address, "gw.x") for address in addresses)
    assert time.process_time() - started < 5


def test_a_first_message_and_its_replies_are_one_thread() -> None:
    first = read_header(b"Message-Id: <1@x>\r\n\r\n")
    reply = read_header(b"Message-Id: <2@x>\r\nReferences: <1@x> <9@x>\r\n\r\n")
    assert first.thread == reply.thread
    assert first.key != reply.key


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"Delivered-To: old\r\nSubject: s\r\n\r\nb", b"Subject: s\r\n\r\nb"),
        (b"A: 1\r\ndelivered-TO: old,\r\n\tolder\r\nB: 2\r\n\r\nb", b"A: 1\r\nB: 2\r\n\r\nb"),
        (b"A: 1\r\n\r\nDelivered-To: in the body\r\n", b"A: 1\r\n\r\nDelivered-To: in the body\r\n"),
        (b"A: 1\r\nDelivered-To: old", b"A: 1\r\n"),
        (b"A: 1\rDelivered-To: hidden\r\n\r\n", b"A: 1\r\r\n"),
        (b"A: 1\nDelivered-To: hidden\nB: 2\n\nb", b"A: 1\nB: 2\n\nb"),
        (b"\r\nDelivered-To: body\r\n", b"\r\nDelivered-To: body\r\n"),
        (b"no header\r\nDelivered-To: body\r\n", b"no header\r\nDelivered-To: body\r\n"),
        (b"X-Delivered-To: a\r\nDelivered-To-X: b\r\n\r\n", b"X-Delivered-To: a\r\nDelivered-To-X: b\r\n\r\n"),
        (b"", b""),
        (b"S: \xe9\0\r\n\r\n\xff\0\xe9" + b"y" * 2000, b"S: \xe9\0\r\n\r\n\xff\0\xe9" + b"y" * 2000),
    ],
)
def test_only_delivered_to_fields_go(before: bytes, after: bytes) -> None:
    message = with_trace(before, "a@b.c", ["x@y"])
    assert bytes(message) == TRACE + after
    assert len(message) == len(TRACE + after)


def test_trace() -> None:
    assert bytes(with_trace(b"", "", ["a@x", "b@x"])) == b"Return-Path: <>\r\nDelivered-To: a@x, b@x\r\n"
    assert with_trace(b"", "jos\u00e9@x", ["a@x"]).trace.startswith("Return-Path: <jos\u00e9@x>\r\n".encode())


TEXT = st.sampled_from(
    [
        b"Delivered-To: a@b",
        b"delivered-to:",
        b"Subject: s",
        b"From ",
        b" fold",
        b"\t",
        b"",
        b":",
        b"text",
        b"\xe9: \xe9",
    ]
)
EOL = st.sampled_from([b"\r\n", b"\n", b"\r"])


@settings(max_examples=200)
@given(st.lists(st.tuples(TEXT, EOL), max_size=12).map(lambda lines: b"".join(a + b for a, b in lines)))
@example(b"A: 1\r\n\r\nDelivered-To: b\r\n")
@example(b"Subject: s\rDelivered-To: a@b\r\n\nDelivered-To: a@b\r\n")
@example(b" fold\r\nDelivered-To: a@b\r\n")
@example(b"Delivered-To: a@b\r\n fold\r\n\r\n")
def test_python_sees_our_delivered_to_and_no_other(content: bytes) -> None:
    """Odoo reads mail with Python's email package: it must not see more fields than we do."""
    parsed = email.message_from_bytes(bytes(with_trace(content, "a@b.c", ["x@y"])), policy=email.policy.SMTP)
    assert parsed.get_all("Delivered-To") == ["x@y"]
    assert parsed.get_all("Return-Path") == ["<a@b.c>"]


def without_own(content: bytes) -> bytes:
    """The content without its Delivered-To fields, found line by line as Odoo's parser finds them."""
    lines = re.findall(rb"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z", content)
    kept, inside = [], False
    for number, line in enumerate(lines):
        if number == 0 or line[:1] not in (b" ", b"\t"):
            if not re.match(rb"[!-9;-~]*:|From ", line):
                return b"".join(kept + lines[number:])
            inside = line.lower().startswith(b"delivered-to:")
        kept += [] if inside else [line]
    return b"".join(kept)


@settings(max_examples=400)
@given(
    st.lists(st.tuples(st.one_of(TEXT, st.binary(max_size=12)), EOL), max_size=12).map(
        lambda lines: b"".join(a + b for a, b in lines)
    ),
    st.binary(max_size=30),
)
@example(b"Subject: s\rDelivered-To: hidden\r\rDelivered-To: body\r\n", b"")
@example(b"Delivered-To: a\r b\n\tc\r\n", b"\r\n.\r\n")
@example(b"Delivered-To: a\r", b"\nDelivered-To: b\r\n")
@example(b"Subject: s\rDelivered-To: a@b\r\n\n", b"")
def test_every_other_byte_is_as_it_came(header: bytes, body: bytes) -> None:
    """What is taken out are its own Delivered-To lines; what may be put in is one end of line that keeps two apart."""
    content = header + body
    traced = bytes(with_trace(content, "a@b.c", ["x@y"]))
    assert traced.startswith(TRACE)
    rest, kept = traced.removeprefix(TRACE), without_own(content)
    if rest != kept:
        if content[:1] in (b" ", b"\t"):
            assert rest == b"\r\n" + content
        else:
            added = [found.end() - 1 for found in re.finditer(rb"\r\n", rest)]
            assert kept in [rest[:at] + rest[at + 1 :] for at in added]


@settings(max_examples=200)
@given(st.binary(max_size=60), st.lists(st.sampled_from([b"S: x\r\n", b"Delivered-To: a\r\n b\r\n", b"T: \0\xff\r\n"])))
def test_python_sees_the_same_mail_otherwise(body: bytes, fields: list[bytes]) -> None:
    """Compare what Odoo's parser makes of a mail before and after."""
    content = b"".join(fields) + b"\r\n" + body
    before = email.message_from_bytes(content, policy=email.policy.SMTP)
    after = email.message_from_bytes(bytes(with_trace(content, "a@b.c", ["x@y"])), policy=email.policy.SMTP)
    assert after.get_payload() == before.get_payload()
    assert after.items()[2:] == [field for field in before.items() if field[0] != "Delivered-To"]


def test_printable_is_one_bounded_ascii_line() -> None:
    assert printable("a\r\n\tb \u00e9\x00\x7f", 100) == "a b ???"
    assert len(printable("x" * 1000, 50)) == 50
