# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a receiver makes of a mail: SPF (RFC 7208), DKIM (RFC 6376) and DMARC (RFC 7489), by look-ups handed in."""

from __future__ import annotations

import email.message
import email.parser
import email.policy
import email.utils
import ipaddress
import re
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import MailopsError, ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._dns import dkim as keys
from ansible_collections.mailops.odoo.plugins.module_utils._dns import dmarc as policies
from ansible_collections.mailops.odoo.plugins.module_utils._dns import values
from ansible_collections.mailops.odoo.plugins.module_utils._dns.alignment import aligned, organizational
from ansible_collections.mailops.odoo.plugins.module_utils._dns.spf import Resolve

try:
    import dkim as dkimpy
    import spf as pyspf

    IMPORT_ERROR: str | None = None
    Query: Any = pyspf.query
except ImportError:
    IMPORT_ERROR = traceback.format_exc()
    Query = object

SIGNATURE = "DKIM-Signature"
UNREADABLE = "the signature does not parse"
DOMAIN = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
# What the parser of signatures and keys raises at bytes that nobody expected.
NONSENSE = (AssertionError, IndexError, KeyError, TypeError, ValueError)


@dataclass(frozen=True)
class SpfResult:
    """`result` is one of RFC 7208, 2.6; `domain` the one that was checked, `mechanism` what matched, if anything did.

    `lookups` and `void_lookups` were needed for this sender; another may need more.
    """

    result: str
    explanation: str
    lookups: int
    void_lookups: int
    domain: str
    mechanism: str = ""


@dataclass(frozen=True)
class Signature:
    """One signature: `result` is `pass`, `fail`, `permerror`, `temperror` or `neutral` (it cannot be checked here).

    `domain`, `selector` and `reason` may be empty; `bits` is the size of the key, 0 if it is not known.
    """

    domain: str
    selector: str
    result: str
    reason: str = ""
    bits: int = 0


@dataclass(frozen=True)
class DmarcResult:
    """`result` is `pass`, `fail`, `none` (no policy), `permerror`, `temperror`, or `unknown` if too little was given.

    `policy` is what the domain of From asks for at `record`, the name of the record; both are empty if there is none.
    """

    result: str
    reason: str
    domain: str
    policy: str = ""
    record: str = ""
    spf_aligned: bool = False
    dkim_aligned: bool = False


class _Query(Query):  # type: ignore[misc]
    """pyspf's evaluation, with our look-ups."""

    def __init__(self, ip: str, mail_from: str, helo: str, resolve: Resolve) -> None:
        super().__init__(i=ip, s=mail_from, h=helo)
        self._resolve = resolve

    def dns(self, name: str, qtype: str, cnames: object = None, ignore_void: bool = False) -> list[Any]:
        """Return values as pyspf wants them, and count what has none, as it does itself."""
        try:
            found = [_value(qtype, value) for value in self._resolve(str(name), qtype)]
        except MailopsError as error:
            raise pyspf.TempError(error.message) from None
        if not found and not ignore_void:
            self.void_lookups += 1
            if self.void_lookups > pyspf.MAX_VOID_LOOKUPS:
                raise pyspf.PermError(f"more than {pyspf.MAX_VOID_LOOKUPS} look-ups that find nothing")
        return found


def spf(ip: str, mail_from: str, helo: str, resolve: Resolve) -> SpfResult:
    """Return what SPF says of a mail from an address of a host.

    `mail_from` is the envelope sender, empty for the null sender: then `helo` is checked. ValidationError if `ip` is no
    address, or there is no domain to check.
    """
    try:
        ipaddress.ip_address(ip)
        if "%" in ip:
            # The zone of a link-local address, which nobody else knows.
            raise ValueError
    except ValueError:
        raise ValidationError(f"ip {ip!r} is no IP address") from None
    domain = mail_from.rpartition("@")[2] if mail_from else helo
    if not domain:
        raise ValidationError("there is no domain to check", "Give mail_from, or helo for the null sender.")
    query = _Query(ip, mail_from, helo, resolve)
    result, _code, _explanation = query.check()
    mechanism = query.mechanism or ""
    if result in ("permerror", "temperror"):
        at = f" ({' '.join(query.mech)})" if query.mech else ""
        explanation = f"{domain}: {query.prob}{at}"
    elif result == "none":
        explanation = f"{domain} has no SPF record"
    else:
        explanation = f"{domain}: {ip} matches {mechanism}" if mechanism else f"{domain}: nothing matches {ip}"
    return SpfResult(result, explanation, query.lookups, query.void_lookups, domain.lower(), mechanism)


def verify(message: bytes, resolve: Resolve) -> list[Signature]:
    """Return what each DKIM signature of a message is worth, in their order; its lines may end in LF or CRLF."""
    count = len(_headers(message).get_all(SIGNATURE, []))
    return [_verified(message, number, resolve) for number in range(count)]


def dmarc(domain: str, spf_result: SpfResult | None, signatures: Sequence[Signature], resolve: Resolve) -> DmarcResult:
    """Return whether a mail from a domain (that of From) passes DMARC; without `spf_result` SPF was not looked at."""
    try:
        organization = organizational(domain)
        own = values.shown(values.name(domain))
        if not DOMAIN.fullmatch(own):
            raise ValueError
    except ValueError:
        raise ValidationError(f"header_from {domain!r} is no domain") from None
    try:
        at, text, instead = dmarc_record(own, organization, resolve)
        found = policies.received(text) if text else {}
    except MailopsError as error:
        return DmarcResult("temperror", error.message, own)
    except ValueError as error:
        return DmarcResult("permerror", str(error), own)
    # Those of the organisation may ask for something else below it.
    policy = found.get("sp", found.get("p", "")) if at != f"_dmarc.{own}" else found.get("p", "")
    strict_spf, strict_dkim = (found.get(tag, "r").lower() == "s" for tag in ("aspf", "adkim"))
    by_spf = spf_result is not None and aligned(own, spf_result.domain, strict_spf)
    by_dkim = [one for one in signatures if aligned(own, one.domain, strict_dkim)]
    result, reason = _judged(spf_result if by_spf else None, by_dkim)
    if result == "fail" and spf_result is None:
        result, reason = "unknown", f"{reason}; SPF was not looked at"
    if not text:
        result, reason = "none", f"{own} has no DMARC record{instead}"
    return DmarcResult(
        result,
        reason,
        own,
        policy.lower(),
        at if text else "",
        by_spf and spf_result is not None and spf_result.result == "pass",
        any(one.result == "pass" for one in by_dkim),
    )


def dmarc_record(own: str, organization: str, resolve: Resolve) -> tuple[str, str, str]:
    """Return the name and the text of the record that counts for a domain; without one, what is there instead.

    ValueError if a name has several.
    """
    instead = ""
    for domain in dict.fromkeys((own, organization)):
        at = f"_dmarc.{domain}"
        there = resolve(at, "TXT")
        records = [value for value in there if policies.is_dmarc(value)]
        if len(records) > 1:
            raise ValueError(f"{at} has {len(records)} DMARC records, so none counts (RFC 7489, section 6.6.3)")
        if records:
            return at, records[0], ""
        for value in filter(policies.looks_like, there):
            instead += f"; what {at} has, {value!r}, receivers do not take for one"
    return "", "", instead


def from_domain(message: bytes) -> str:
    """Return the domain of the one address in From; ValidationError if there is not one."""
    headers = _headers(message)
    addresses = [address for _name, address in email.utils.getaddresses(headers.get_all("From", []))]
    domains = {address.rpartition("@")[2].lower() for address in addresses}
    if len(domains) != 1 or not all("@" in address for address in addresses):
        raise ValidationError(
            f"From has {', '.join(addresses) or 'no address'}", "DMARC needs addresses of one domain; name header_from."
        )
    return domains.pop()


def return_path(message: bytes) -> str | None:
    """Return the envelope sender that the last server noted, empty for the null sender; None if none did."""
    noted = _headers(message).get("Return-Path")
    return None if noted is None else str(noted).strip().removeprefix("<").removesuffix(">")


def _headers(message: bytes) -> email.message.Message:
    return email.parser.BytesHeaderParser(policy=email.policy.compat32).parsebytes(message)


def _value(record_type: str, value: str) -> Any:
    if record_type == "TXT":
        return (value.encode(),)
    if record_type == "MX":
        preference, host = value.split()
        return int(preference), host
    return value


class _Keys:
    """Fetches a signature's key, and remembers what there was."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._name = ""
        self._found: list[str] = []

    def __call__(self, name: bytes, timeout: float = 0) -> bytes | None:
        self._name = name.decode("utf-8", "replace").rstrip(".")
        self._found = [value for value in self._resolve(self._name, "TXT") if keys.is_dkim(value)]
        return self._found[0].encode() if len(self._found) == 1 else None

    def trouble(self) -> str:
        """Return what is the matter with the key, empty if nothing is or none was asked for."""
        if not self._name:
            return ""
        if len(self._found) != 1:
            return f"{self._name} has {len(self._found) or 'no'} keys"
        try:
            key = keys.parse(self._found[0])
        except ValueError as error:
            return f"{self._name}: {error}"
        return "" if key.bits else f"{self._name}: the key was revoked"


def _verified(message: bytes, number: int, resolve: Resolve) -> Signature:
    """Return what the signature with a number is worth."""
    fetch = _Keys(resolve)
    fields: dict[bytes, bytes] = {}
    bits = 0
    try:
        signed = dkimpy.DKIM(message, minkey=keys.LEAST_BITS)
        try:
            result, reason = _checked(signed, number, fetch)
        finally:
            fields, bits = signed.signature_fields, signed.keysize
    except MailopsError as error:
        result, reason = "temperror", error.message
    except dkimpy.NaClNotFoundError:
        result, reason = "neutral", "checking ed25519 needs PyNaCl, which is not there"
    except dkimpy.DKIMException as error:
        if str(error).startswith("body hash mismatch"):
            result, reason = "fail", "the body is not what was signed"
        else:
            result, reason = "permerror", fetch.trouble() or _plain(error) or UNREADABLE
    except NONSENSE:
        result, reason = "permerror", fetch.trouble() or UNREADABLE
    domain, selector = (fields.get(tag, b"").decode("utf-8", "replace") for tag in (b"d", b"s"))
    return Signature(domain, selector, result, reason, bits)


def _checked(signed: Any, number: int, fetch: _Keys) -> tuple[str, str]:
    """Return result and reason. Besides dkimpy's errors what is in NONSENSE may come of a message."""
    if not signed.verify_headerprep(number):
        return "permerror", UNREADABLE
    if b"from" not in signed.include_headers:
        return "permerror", "it does not sign From (RFC 6376, section 5.4)"
    if signed.verify(number, dnsfunc=fetch):
        return "pass", ""
    trouble = fetch.trouble()
    if trouble:
        return "permerror", trouble
    return "fail", "the signed headers are not what was signed, or the key is another one"


def _plain(error: Exception) -> str:
    """Return the text of an error, without the marks of Python's bytes."""
    return re.sub(r"\bb'([^']*)'", r"\1", str(error))


def _judged(spf_result: SpfResult | None, signatures: Sequence[Signature]) -> tuple[str, str]:
    """Return what those that are aligned amount to."""
    for one in signatures:
        if one.result == "pass":
            return "pass", f"DKIM passes for {one.domain}, which is aligned"
    if spf_result and spf_result.result == "pass":
        return "pass", f"SPF passes for {spf_result.domain}, which is aligned"
    told = [f"DKIM of {one.domain}: {one.result}" for one in signatures]
    told += [f"SPF of {spf_result.domain}: {spf_result.result}"] if spf_result else []
    doubtful = [*(one.result for one in signatures), spf_result.result if spf_result else ""]
    if "temperror" in doubtful:
        return "temperror", "; ".join(told)
    return "fail", "; ".join(told) or "neither DKIM nor SPF is of an aligned domain"
