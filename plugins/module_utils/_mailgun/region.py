# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mailgun's regions, which know nothing of each other."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Region:
    """Where a region's API and submission server are."""

    api: str
    smtp_host: str


REGIONS = {
    "us": Region("https://api.mailgun.net", "smtp.mailgun.org"),
    "eu": Region("https://api.eu.mailgun.net", "smtp.eu.mailgun.org"),
}
