# SPDX-License-Identifier: GPL-3.0-or-later
"""What the simulated providers' APIs have in common: replies, faults on demand, a log of calls, a port for control."""
