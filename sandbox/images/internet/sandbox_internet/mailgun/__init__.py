# SPDX-License-Identifier: GPL-3.0-or-later
"""Mailgun's API for domains, SMTP credentials and DKIM keys; its state is a file that the SMTP servers read."""
