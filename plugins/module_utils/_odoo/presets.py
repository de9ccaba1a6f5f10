# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail providers and hosting platforms as data: where to connect, what may be sent, and who says so.

docs/presets.md shows the same to administrators; a test keeps the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PURPOSES = ("transactional", "bulk", "notification")
TRANSACTIONAL = ("transactional", "notification")
# What a server of the policy may say beside Odoo's own fields.
SERVER_KEYS = ("purpose", "provider", "region", "intent", "spf")
# What becomes of Odoo's envelope sender at a provider: it stays, or one at the login's domain or at a domain of the
# provider takes its place.
KEPT, LOGIN, OWN = "kept", "login", "own"


@dataclass(frozen=True)
class Preset:
    """One provider.

    `regions` has region → host, the first being the default unless `region_needed`; a provider without regions has one
    host under the name "". `ports` has port → encryption, the first being the default. `senders` is what the provider
    lets a login send as, and so what the server's from_filter must hold: `login` (the login's address), `mailbox` (the
    addresses of the mailbox), `domain` (domains or addresses that are verified there), or nothing in particular.
    `sources` are the pages that say so; `limit` is why it is not for everything.

    `spf` has region → the terms by which a domain's SPF record lets the provider send; "" holds for every other region.
    A region that is not there is one of which that is not known; no terms are needed where `envelope` is OWN and the
    provider asks for none. `envelope` says which domain SPF is looked up at: KEPT, LOGIN (by whose domain the mail is
    signed as well) or OWN. `spf_source` is the page that says so.
    """

    title: str
    regions: Mapping[str, str]
    ports: Mapping[int, str]
    senders: str
    suitable_for: tuple[str, ...]
    sources: tuple[str, ...]
    remark: str = ""
    limit: str = ""
    region_needed: bool = False
    spf: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    envelope: str = KEPT
    spf_source: str = ""

    @property
    def known_regions(self) -> list[str]:
        """Return the names of the regions, sorted; none where there is one host only."""
        return sorted(name for name in self.regions if name)

    def host(self, region: str | None) -> str:
        """Return the host of a region, by default that of the first; empty if it is not known."""
        if region:
            return self.regions.get(region, "")
        return "" if self.region_needed else next(iter(self.regions.values()), "")

    def terms(self, region: str) -> tuple[str, ...] | None:
        """Return the SPF terms that let a region send, by default the first one; None if they are not known."""
        return self.spf.get(region or next(iter(self.regions), ""), self.spf.get(""))


@dataclass(frozen=True)
class Platform:
    """Where Odoo may run, and to which ports it lets nobody connect unless it is asked to."""

    title: str
    blocked: frozenset[int]
    source: str


_SUBMISSION = {587: "starttls", 465: "ssl"}
_ZOHO_SOURCES = (
    "https://www.zoho.com/mail/help/zoho-smtp.html",
    "https://github.com/thunderbird/autoconfig/tree/master/ispdb",
    "https://www.zoho.com/mail/help/usage-policy.html",
)
_ZOHO_LIMIT = "its usage policy excludes mass, marketing and automated mail"
# Where its customers in these regions have their records point to; of Canada none was found.
_ZOHO_SPF = {region: (f"include:zohomail.{region}",) for region in ("com", "eu", "in", "com.au", "jp")}
_ODOO = "https://github.com/odoo/documentation/tree/master/content/applications/general/email_communication"
# Those of which Amazon's own example says that they have an SMTP endpoint; several regions of SES have none.
_SES_REGIONS = (
    "ap-northeast-1", "ap-northeast-2", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1",
    "eu-central-1", "eu-north-1", "eu-south-1", "eu-west-1", "eu-west-2", "sa-east-1", "us-east-1", "us-east-2",
    "us-gov-east-1", "us-gov-west-1", "us-west-2",
)  # fmt: skip

PRESETS: dict[str, Preset] = {
    "brevo": Preset(
        "Brevo",
        {"": "smtp-relay.brevo.com"},
        {587: "starttls", 2525: "starttls", 465: "ssl"},
        "domain",
        PURPOSES,
        (
            "https://developers.brevo.com/docs/smtp-integration",
            "https://help.brevo.com/hc/en-us/articles/209462765-What-is-Brevo-SMTP",
        ),
        "The password is an SMTP key, not an API key.",
        spf={"": ()},
        envelope=OWN,
        spf_source="https://developers.brevo.com/docs/domain-authentication-and-verification",
    ),
    "gmail": Preset(
        "Gmail",
        {"": "smtp.gmail.com"},
        _SUBMISSION,
        "login",
        TRANSACTIONAL,
        ("https://developers.google.com/workspace/gmail/imap/imap-smtp", f"{_ODOO}/google_oauth.rst"),
        "Wants an app password or OAuth (smtp_authentication: gmail).",
        "at most 500 mails a day, 2,000 with Workspace",
        spf={"": ("include:_spf.google.com",)},
        spf_source="https://support.google.com/a/answer/10684623",
    ),
    "google-relay": Preset(
        "Google Workspace SMTP relay",
        {"": "smtp-relay.gmail.com"},
        {587: "starttls"},
        "domain",
        TRANSACTIONAL,
        ("https://support.google.com/a/answer/2956491",),
        "Has to be allowed in the Admin console.",
        "at most 10,000 mails a day and user",
        spf={"": ("include:_spf.google.com",)},
        spf_source="https://support.google.com/a/answer/10684623",
    ),
    "mailgun": Preset(
        "Mailgun",
        {"us": "smtp.mailgun.org", "eu": "smtp.eu.mailgun.org"},
        {587: "starttls", 2525: "starttls", 465: "ssl", 25: "starttls"},
        "domain",
        PURPOSES,
        (
            "https://documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/send-smtp.md",
            "https://cloud.google.com/compute/docs/tutorials/sending-mail/using-mailgun",
        ),
        "Logins belong to a domain and its region.",
        spf={"": ("include:mailgun.org",)},
        envelope=LOGIN,
        spf_source="https://documentation.mailgun.com/docs/mailgun/user-manual/domains/domains-verify.md",
    ),
    "mailjet": Preset(
        "Mailjet",
        {"": "in-v3.mailjet.com"},
        {587: "starttls", 2525: "starttls", 465: "ssl", 25: "starttls"},
        "domain",
        PURPOSES,
        (
            "https://www.mailjet.com/blog/email-best-practices/which-smtp-port-mailjet/",
            "https://docs.cloud.google.com/compute/docs/tutorials/sending-mail/using-mailjet",
        ),
        "The user is the API key, the password the secret key.",
        spf={"": ("include:spf.mailjet.com",)},
        envelope=OWN,
        spf_source="https://documentation.mailjet.com/hc/en-us/articles/"
        "360042412734-Authenticating-Domains-with-SPF-DKIM",
    ),
    "microsoft365": Preset(
        "Microsoft 365",
        {"": "smtp.office365.com"},
        {587: "starttls"},
        "login",
        TRANSACTIONAL,
        (
            "https://learn.microsoft.com/exchange/mail-flow-best-practices/"
            "how-to-set-up-a-multifunction-device-or-application-to-send-email-using-microsoft-365-or-office-365",
            f"{_ODOO}/azure_oauth.rst",
        ),
        "Wants OAuth (smtp_authentication: outlook).",
        "at most 30 mails a minute and 10,000 recipients a day",
        spf={"": ("include:spf.protection.outlook.com",)},
        spf_source="https://learn.microsoft.com/defender-office-365/email-authentication-spf-configure",
    ),
    "postmark": Preset(
        "Postmark, transactional",
        {"": "smtp.postmarkapp.com"},
        {587: "starttls", 2525: "starttls", 25: "starttls"},
        "domain",
        TRANSACTIONAL,
        (
            "https://postmarkapp.com/developer/user-guide/send-email-with-smtp",
            "https://postmarkapp.com/developer/user-guide/managing-your-account/managing-sender-signatures",
        ),
        limit="bulk mail has a host of its own, postmark-broadcast",
        spf={"": ()},
        envelope=OWN,
        spf_source="https://postmarkapp.com/blog/why-we-no-longer-ask-for-spf-records",
    ),
    "postmark-broadcast": Preset(
        "Postmark, broadcast",
        {"": "smtp-broadcasts.postmarkapp.com"},
        {587: "starttls", 2525: "starttls", 25: "starttls"},
        "domain",
        ("bulk",),
        ("https://postmarkapp.com/developer/user-guide/send-email-with-smtp",),
        limit="other mail has a host of its own, postmark",
        spf={"": ()},
        envelope=OWN,
        spf_source="https://postmarkapp.com/blog/why-we-no-longer-ask-for-spf-records",
    ),
    "relay": Preset(
        "A mail server of your own",
        {},
        {25: "none", 587: "starttls", 465: "ssl"},
        "",
        PURPOSES,
        ("https://www.rfc-editor.org/rfc/rfc5321", "https://www.rfc-editor.org/rfc/rfc8314"),
        "smtp_host says where it is. 25 without encryption is for one on the same machine or network.",
    ),
    "sendgrid": Preset(
        "SendGrid",
        {"": "smtp.sendgrid.net"},
        {587: "starttls", 2525: "starttls", 465: "ssl", 25: "starttls"},
        "domain",
        PURPOSES,
        (
            "https://www.twilio.com/docs/sendgrid/for-developers/sending-email/integrating-with-the-smtp-api",
            "https://www.twilio.com/docs/sendgrid/api-reference/senders",
        ),
        "The user is the word apikey, the password an API key.",
        spf={"": ()},
        envelope=OWN,
        spf_source="https://support.sendgrid.com/hc/en-us/articles/"
        "21415314709147-Email-Authentication-SendGrid-s-Automated-Security-Explained",
    ),
    "ses": Preset(
        "Amazon SES",
        {region: f"email-smtp.{region}.amazonaws.com" for region in _SES_REGIONS},
        {587: "starttls", 2587: "starttls", 465: "ssl", 2465: "ssl", 25: "starttls"},
        "domain",
        PURPOSES,
        (
            "https://docs.aws.amazon.com/ses/latest/dg/smtp-connect.html",
            "https://docs.aws.amazon.com/ses/latest/dg/ses_example_ses_Scenario_GenerateSmtpCredentials_section.html",
            "https://docs.aws.amazon.com/ses/latest/dg/verify-addresses-and-domains.html",
        ),
        "The envelope sender must be verified too. SMTP logins are no AWS access keys, and each is for one region.",
        region_needed=True,
        spf={"": ()},
        envelope=OWN,
        spf_source="https://docs.aws.amazon.com/ses/latest/dg/mail-from.html",
    ),
    "zoho": Preset(
        "Zoho Mail, personal or free",
        {
            "com": "smtp.zoho.com",
            "eu": "smtp.zoho.eu",
            "in": "smtp.zoho.in",
            "com.au": "smtp.zoho.com.au",
            "jp": "smtp.zoho.jp",
            "ca": "smtp.zohocloud.ca",
        },
        {465: "ssl", 587: "starttls"},
        "mailbox",
        TRANSACTIONAL,
        _ZOHO_SOURCES,
        "The region is the account's data centre.",
        _ZOHO_LIMIT,
        spf=_ZOHO_SPF,
        spf_source="https://www.zoho.com/mail/help/adminconsole/spf-configuration.html",
    ),
    "zoho-pro": Preset(
        "Zoho Mail, paid organisation",
        {
            "com": "smtppro.zoho.com",
            "eu": "smtppro.zoho.eu",
            "in": "smtppro.zoho.in",
            "com.au": "smtppro.zoho.com.au",
            "jp": "smtppro.zoho.jp",
        },
        {465: "ssl", 587: "starttls"},
        "mailbox",
        TRANSACTIONAL,
        (*_ZOHO_SOURCES, "https://postigo.net/smtp/zoho"),
        "As zoho, with an address at a domain of your own.",
        _ZOHO_LIMIT,
        spf=_ZOHO_SPF,
        spf_source="https://www.zoho.com/mail/help/adminconsole/spf-configuration.html",
    ),
}

PLATFORMS: dict[str, Platform] = {
    "aws": Platform(
        "Amazon EC2", frozenset({25}), "https://docs.aws.amazon.com/ses/latest/dg/smtp-connect.html"
    ),
    "digitalocean": Platform(
        "DigitalOcean",
        frozenset({25, 465, 587}),
        "https://docs.digitalocean.com/products/droplets/details/limits/",
    ),
    "google-cloud": Platform(
        "Google Cloud", frozenset({25}), "https://cloud.google.com/compute/docs/tutorials/sending-mail"
    ),
}  # fmt: skip


def by_host(host: str) -> str:
    """Return the name of the preset that a host belongs to; empty if it is none's."""
    return _BY_HOST.get(host.strip().lower(), "")


def open_ports(preset: Preset, platform: str) -> list[int]:
    """Return the provider's ports that the platform lets through, the best first."""
    blocked = PLATFORMS[platform].blocked if platform in PLATFORMS else frozenset()
    return [port for port in preset.ports if port not in blocked]


def filled(server: Mapping[str, Any], platform: str = "") -> dict[str, Any]:
    """Return a server of the policy as Odoo is to have it: without the keys that are only the policy's.

    Host, port and encryption come from its preset where they are not given; the port is one that the platform lets
    through. A provider or region that is not known fills in nothing.
    """
    odoo = {name: value for name, value in server.items() if name not in SERVER_KEYS}
    provider = server.get("provider")
    preset = PRESETS.get(provider) if isinstance(provider, str) else None
    # A server that takes all from odoo.conf has no host.
    if preset is None or odoo.get("smtp_authentication") == "cli":
        return odoo
    region = server.get("region")
    host = preset.host(region if isinstance(region, str) else None)
    if host:
        odoo.setdefault("smtp_host", host)
    candidates = open_ports(preset, platform) or list(preset.ports)
    if "smtp_port" not in odoo:
        fitting = [port for port in candidates if preset.ports[port] == odoo.get("encryption", preset.ports[port])]
        if fitting:
            odoo["smtp_port"] = fitting[0]
    encryption = preset.ports.get(odoo["smtp_port"]) if isinstance(odoo.get("smtp_port"), int) else None
    if encryption:
        odoo.setdefault("encryption", encryption)
    return odoo


def of(server: Mapping[str, Any]) -> Preset | None:
    """Return the preset of a server of the policy: the one that it names, or else the one whose host it has."""
    provider = server.get("provider")
    name = (
        provider if isinstance(provider, str) and provider in PRESETS else by_host(str(server.get("smtp_host") or ""))
    )
    return PRESETS.get(name)


def spf(server: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the SPF terms that let a server of the policy send: its own, or its provider's; None if not known."""
    said = server.get("spf")
    if isinstance(said, list):
        return tuple(str(term) for term in said)
    preset, region, host = of(server), str(server.get("region") or ""), str(server.get("smtp_host") or "").lower()
    if preset is None:
        return None
    if region or not host:
        return preset.terms(region)
    # A provider's hosts in one region are at one domain, those that are not in the preset too.
    beside = [name for name, at in preset.regions.items() if at.partition(".")[2] == host.partition(".")[2]]
    return preset.terms(beside[0]) if beside else preset.spf.get("")


_BY_HOST = {host: name for name, preset in PRESETS.items() for host in preset.regions.values()}
# What Odoo itself fills in for smtp_authentication: outlook.
_BY_HOST.update({"smtp.outlook.com": "microsoft365", "smtp-mail.outlook.com": "microsoft365"})
