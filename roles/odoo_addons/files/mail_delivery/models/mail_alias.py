# SPDX-License-Identifier: LGPL-3.0-or-later
import json
import logging
import re

from odoo import api, models

_logger = logging.getLogger(__name__)

# Odoo's own rule for a local part (RFC 5322 dot-atom), and a host name. A name outside of it
# would break the map that is built from this list.
ADDRESS = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]+@[a-z0-9.-]+")

PARAMETERS = {
    "name": "mail.catchall.domain",
    "catchall_alias": "mail.catchall.alias",
    "bounce_alias": "mail.bounce.alias",
    "default_from": "mail.default.from",
}
# JSON: an address that mail was sent from before to the one that it is now, both lower-case.
FORMER_ADDRESSES = "mail_delivery.former_addresses"


class MailAlias(models.Model):
    _inherit = "mail.alias"

    @api.model
    def _mail_delivery_addresses(self, only=None):
        """Return the addresses this database accepts mail for, as {address: kind}.

        Addresses are lower-case; a kind is alias, catchall, bounce or default_from. With
        ``only``, a list of lower-case addresses, aliases of other local parts are left out.
        """
        domains = self._mail_delivery_domains()
        found = []
        for domain in domains:
            default_from = domain["default_from"] or ""
            if default_from and "@" not in default_from:
                default_from = f"{default_from}@{domain['name']}"
            found.append((default_from, "default_from"))
        found += [
            (address, "alias")
            for address in self._mail_delivery_alias_addresses([domain["name"] for domain in domains], only)
        ]
        for kind in ("catchall", "bounce"):
            found += [
                (f"{domain[kind + '_alias']}@{domain['name']}", kind) for domain in domains if domain[kind + "_alias"]
            ]

        # One address may have several kinds: the last, by which Odoo treats it, stands.
        addresses = {}
        for address, kind in found:
            address = address.strip().lower()
            if ADDRESS.fullmatch(address):
                addresses[address] = kind
            elif address:
                _logger.warning("%s %r is no address that can receive mail", kind, address)
        return addresses

    @api.model
    def _mail_delivery_former_addresses(self, addresses):
        """Return {former address: the one of ``addresses`` that its mail is for now}.

        What was renamed is still written to by those who answer mail that was sent before. An
        address that is in use again takes its mail itself.
        """
        parameter = self.env["ir.config_parameter"].search([("key", "=", FORMER_ADDRESSES)], limit=1)
        try:
            former = dict(json.loads(parameter.value or "{}"))
        except (ValueError, TypeError):
            _logger.warning("%s is no JSON object: former addresses take no mail", FORMER_ADDRESSES)
            return {}
        return {
            old: new
            for old, new in former.items()
            if isinstance(new, str) and new in addresses and old not in addresses and ADDRESS.fullmatch(old)
        }

    @api.model
    def _mail_delivery_domains(self):
        """Return the alias domains as dictionaries with the keys of PARAMETERS.

        Odoo 17 has records for them, earlier versions the system parameters of one domain.
        """
        if "mail.alias.domain" in self.env:
            return self.env["mail.alias.domain"].search_read([], list(PARAMETERS), order="id")
        rows = self.env["ir.config_parameter"].search_read([("key", "in", list(PARAMETERS.values()))], ["key", "value"])
        values = {row["key"]: row["value"] for row in rows}
        domain = {field: values.get(key) for field, key in PARAMETERS.items()}
        return [domain] if domain["name"] else []

    @api.model
    def _mail_delivery_alias_addresses(self, domains, only):
        """Return the addresses of the aliases; ``domains`` are the names of alias domains."""
        # Odoo 14 has aliases whose name is an empty text: they are not in use.
        condition = [("alias_name", "not in", (False, ""))]
        if only is not None:
            condition.append(("alias_name", "in", [a.partition("@")[0] for a in only]))
        fields = ["alias_name", "alias_full_name", "alias_incoming_local"]
        addresses = []
        for alias in self.search_read(condition, [field for field in fields if field in self._fields], order="id"):
            # Before Odoo 17 has the field, every alias matches by its local part.
            if alias.get("alias_incoming_local", True):
                addresses += [f"{alias['alias_name']}@{domain}" for domain in domains]
            elif "@" in (alias["alias_full_name"] or ""):
                addresses.append(alias["alias_full_name"])
        return addresses
