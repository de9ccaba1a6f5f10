# SPDX-License-Identifier: GPL-3.0-or-later
"""DigitalOcean's API for domains and their records, as far as this project uses it."""

PORT = 8444
CONTROL = ("127.0.0.1", 8026)
