# SPDX-License-Identifier: GPL-3.0-or-later
"""Cloudflare's API for zones and DNS records, as far as this project uses it."""

PORT = 8445
CONTROL = ("127.0.0.1", 8027)
