# SPDX-License-Identifier: GPL-3.0-or-later
"""What the bridge has to reach, and the table that says whether it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Figures = Mapping[str, float]

MIB = 1 << 20
MB = 10**6


@dataclass(frozen=True)
class Target:
    """One line: what is measured, what is wanted, the figure as text, and whether it will do."""

    what: str
    wanted: str
    needs: tuple[str, ...]
    shown: Callable[[Figures], str]
    met: Callable[[Figures], bool]


def _at_least(what: str, name: str, least: float, unit: str = "") -> Target:
    return Target(
        what, f"≥ {least:g}{unit}", (name,), lambda f: f"{f[name]:.2f}{unit}", lambda figures: figures[name] >= least
    )


def _at_most(what: str, name: str, most: float, unit: str) -> Target:
    return Target(
        what, f"≤ {most:g}{unit}", (name,), lambda f: f"{f[name]:.2f}{unit}", lambda figures: figures[name] <= most
    )


def _megabytes(what: str, name: str, most: float) -> Target:
    """`name` is a figure in MiB."""
    return Target(
        what,
        f"≤ {most:g} MB",
        (name,),
        lambda figures: f"{figures[name] * MIB / MB:.1f} MB",
        lambda figures: figures[name] * MIB / MB <= most,
    )


# 42 MB, 130 bytes for each address, and 2.2 times the byte budget of 64 MiB.
_IDLE, _ADDRESS, _PEAK = 42, 130, 2.2 * 64 * MIB / MB

TARGETS = [
    _at_most("CPU of the bridge for a mail of 4 KiB that it forwards", "CPU per mail, ms", 1.0, " ms"),
    Target(
        "the same, as a share of odoo-mailgate.py's",
        "less",
        ("CPU per mail, ms", "CPU per mail of mailgate, ms"),
        lambda f: f"1/{f['CPU per mail of mailgate, ms'] / f['CPU per mail, ms']:.0f}",
        lambda f: f["CPU per mail, ms"] < f["CPU per mail of mailgate, ms"],
    ),
    _at_most("latency that it adds to a post, p50", "added latency, ms", 1.5, " ms"),
    _at_least("mails a second into Odoo 19, of direct calls of message_process", "into Odoo, of direct calls", 0.95),
    _at_least("a hot thread among other mail, of unserialised delivery", "hot thread, of unserialised", 1.35),
    _at_most("serialization errors that surface in that", "put off, serialised", 0, ""),
    _megabytes("memory with 1,000 addresses", "memory, 1,000 addresses, MiB", _IDLE),
    _megabytes("memory with 100,000 addresses", "memory, 100,000 addresses, MiB", _IDLE + 99_000 * _ADDRESS / MB),
    _megabytes("most memory, byte budget 64 MiB, ten mails of 20 MiB at once", "peak memory, MiB", _IDLE + _PEAK),
    _at_most("alias made in Odoo → accepted at RCPT, by webhook", "alias to RCPT, s", 1.0, " s"),
    _at_most("alias made in Odoo → in Postfix's map", "alias to map, s", 1.0, " s"),
    _at_most("maps of 100,000 keys written", "maps of 100,000 keys, s", 0.4, " s"),
    _at_most("lookups that miss meanwhile", "missed", 0, ""),
    _at_least("taken and forgotten, 4 KiB, of smtp-sink: asyncio's loop", "asyncio 4", 0.45),
    _at_least("taken and forgotten, 4 KiB, of smtp-sink: uvloop", "uvloop 4", 0.9),
    _at_least("taken and forgotten, 100 KiB, of smtp-sink: asyncio's loop", "asyncio 100", 1.5),
    _at_least("taken and forgotten, 100 KiB, of smtp-sink: uvloop", "uvloop 100", 1.5),
    _at_least("taken and forgotten behind Postfix, of smtp-sink there", "discard through Postfix, of smtp-sink", 0.8),
    Target(
        "forwarded to an HTTP server behind Postfix, of smtp-sink there",
        "(none)",
        ("bridge through Postfix, of smtp-sink",),
        lambda f: f"{f['bridge through Postfix, of smtp-sink']:.2f}",
        lambda f: True,
    ),
]


def table(figures: Figures) -> str:
    """The lines of those targets whose figures are there, as a Markdown table."""
    lines = ["| | wanted | measured | |", "|---|---|---|---|"]
    for target in TARGETS:
        if all(name in figures for name in target.needs):
            verdict = "" if target.met(figures) else "missed"
            lines.append(f"| {target.what} | {target.wanted} | {target.shown(figures)} | {verdict} |")
    return "\n".join(lines)
