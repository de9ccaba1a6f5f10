# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox's internet: mail servers, an outside sender, and a command that shows the mail."""
