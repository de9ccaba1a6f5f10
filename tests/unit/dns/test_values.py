# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and values are compared by what they mean."""

from __future__ import annotations

import dns.name
import dns.rdata
import pytest
from ansible_collections.mailops.odoo.plugins.module_utils._dns import values
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Acme.EXAMPLE.", "acme.example"),
        ("_dmarc.b\xfccher.example", "_dmarc.xn--bcher-kva.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        ("*.acme.example", "*.acme.example"),
        ("stra\xdfe.example", "xn--strae-oqa.example"),
    ],
)
def test_names(text: str, shown: str) -> None:
    assert values.shown(values.name(text)) == shown


def test_names_beyond_ascii_are_what_registries_take(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the older IDNA a name with \xdf is another one, of somebody else perhaps."""
    monkeypatch.setattr(dns.name, "IDNA_DEFAULT", dns.name.IDNA_2003)
    assert values.shown(values.name("stra\xdfe.example")) == "xn--strae-oqa.example"
    assert values.wanted("MX", "10 stra\xdfe.example") == "10 xn--strae-oqa.example"


@pytest.mark.parametrize(
    "text", ["", ".", "@", "a b.example", "a\n.example", "a..example", ".example", "x" * 64 + ".example"]
)
def test_no_names(text: str) -> None:
    with pytest.raises(ValueError, match="is no name"):
        values.name(text)


@pytest.mark.parametrize(
    ("record_type", "text", "canonical"),
    [
        ("TXT", "v=spf1 -all", "v=spf1 -all"),
        ("TXT", '"v=spf1 " "-all"', "v=spf1 -all"),
        ("TXT", r'"a \"b\" \\"', r'a "b" ' + "\\"),
        ("TXT", 'say "a"', 'say "a"'),
        ("MX", "10 MXA.mailgun.org", "10 mxa.mailgun.org"),
        ("MX", "010 mxa.mailgun.org.", "10 mxa.mailgun.org"),
        ("MX", "0 .", "0 ."),
        ("CNAME", "Mailgun.ORG.", "mailgun.org"),
        ("CNAME", "b\xfccher.example", "xn--bcher-kva.example"),
        ("SRV", "0 1 587 MX.acme.example", "0 1 587 mx.acme.example"),
        ("AAAA", "2001:DB8:0::1", "2001:db8::1"),
        ("CAA", "0 issue letsencrypt.org", '0 issue "letsencrypt.org"'),
    ],
)
def test_wanted_values(record_type: str, text: str, canonical: str) -> None:
    assert values.wanted(record_type, text) == canonical


@pytest.mark.parametrize(
    ("record_type", "text", "told"),
    [
        ("TXT", "", "a value is empty"),
        ("TXT", " ", "a value is empty"),
        ("TXT", '"open', "is no value of a TXT record"),
        # With a block of YAML comes the end of a line.
        ("TXT", "v=spf1 -all\n", "has a line break or another control character"),
        ("TXT", "a\tb", "has a line break or another control character"),
        ("TXT", "\ud800", "is no value of a TXT record"),
        # It would be the root, and an MX to that says that the domain takes no mail (RFC 7505).
        ("MX", "10 @", "@ is no name"),
        ("CNAME", "@", "@ is no name"),
        ("SRV", "0 1 587 @", "@ is no name"),
        ("MX", "mx.acme.example", "is no value of a MX record"),
        ("A", "1.2.3", "is no value of a A record"),
        # Of several lines a zone file's reader takes the first.
        ("A", "192.0.2.1\n192.0.2.2\n", "has a line break"),
        ("MX", "10 mx.acme.example\n20 mx2.acme.example", "has a line break"),
        ("TXT", '"v=DKIM1; k=rsa; "\n"p=MIIB"', "has a line break"),
        ("CNAME", "a b", "is no value of a CNAME record"),
    ],
)
def test_no_values(record_type: str, text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        values.wanted(record_type, text)


@given(st.text(min_size=1).filter(str.strip), st.integers(1, 255))
def test_a_txt_means_the_same_in_any_parts(text: str, size: int) -> None:
    data = text.encode("utf-8", "replace")
    parts = " ".join(
        '"' + "".join(f"\\{byte:03}" for byte in data[at : at + size]) + '"' for at in range(0, len(data), size)
    )
    assert values.found(dns.rdata.from_text("IN", "TXT", parts)) == data.decode()
    assert values.wanted("TXT", parts) == data.decode()


SPF, OTHER_SPF, OWNER, KEY, OTHER_KEY = "v=spf1 mx -all", "V=SPF1 a", "google-site-verification=x", "k=rsa; p=A", "p=B"


@pytest.mark.parametrize(
    ("name", "record_type", "wished", "there", "status"),
    [
        ("acme.example", "TXT", [SPF], [SPF], "present"),
        ("acme.example", "TXT", [SPF], [SPF, OWNER], "present"),
        ("acme.example", "TXT", [SPF], [SPF, OTHER_SPF], "extra"),
        ("acme.example", "TXT", [SPF], [OTHER_SPF, OWNER], "different"),
        ("acme.example", "TXT", [SPF], [OWNER], "missing"),
        ("acme.example", "TXT", [OWNER], [OWNER, SPF], "present"),
        ("acme.example", "TXT", [SPF, OWNER], [SPF], "different"),
        ("s1._domainkey.acme.example", "TXT", [KEY], [OTHER_KEY], "different"),
        ("s1._domainkey.acme.example", "TXT", [KEY], [KEY, OTHER_KEY], "extra"),
        ("acme.example", "MX", ["10 a"], ["10 a", "20 b"], "extra"),
        ("acme.example", "MX", ["10 a", "20 b"], ["10 a"], "different"),
        ("acme.example", "MX", ["10 a"], ["20 a"], "different"),
    ],
)
def test_comparing(name: str, record_type: str, wished: list[str], there: list[str], status: str) -> None:
    told, detail = values.compare(values.name(name), record_type, wished, there)
    assert told == status
    assert (detail == "") == (status == "present")
