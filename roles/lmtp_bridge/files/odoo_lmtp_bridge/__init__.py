# SPDX-License-Identifier: GPL-3.0-or-later
"""LMTP server between Postfix and Odoo: Postfix's queue stays the only queue."""

__version__ = "0.1.0"
