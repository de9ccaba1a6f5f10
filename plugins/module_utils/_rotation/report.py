# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run has to rotate, and what became of it: rows of data, and a table for a terminal. Pure; no values.

A row is a secret: name, kind, file, strategy, hosts; phase, rotated, age (days, None where nobody knows), due, next_due
(RFC 3339, "" where nobody knows); chosen (whether this run rotates it), result, detail, remains (steps).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import ValidationError
from ansible_collections.mailops.odoo.plugins.module_utils._odoo import tables
from ansible_collections.mailops.odoo.plugins.module_utils._rotation.due import Due, days, due
from ansible_collections.mailops.odoo.plugins.module_utils._rotation.secret import GIVEN, KINDS, ODOO_API_KEY
from ansible_collections.mailops.odoo.plugins.module_utils._rotation.state import IDLE

VERSION = 1
# What became of a secret, what is wrong first. Planned is what a dry run would rotate; kept is what is not due.
FAILED, REFUSED, DUE, PLANNED, ROTATED, KEPT = RESULTS = ("failed", "refused", "due", "planned", "rotated", "kept")
SAID = ("name", "kind", "file", "strategy", "hosts")
WIDTH = 150


def rows(
    secrets: Sequence[Mapping[str, Any]],
    looks: Mapping[str, Mapping[str, Any]],
    now: datetime,
    older_than: Any,
    names: Collection[str] = (),
    kinds: Collection[str] = KINDS,
) -> list[dict[str, Any]]:
    """Return a row for each secret (`Secret.shown`), with what this run is to do.

    `looks` has by name what secret_rotation said of each, or `msg` where it failed. Chosen are those of the `names`, or
    where there are none what is older than `older_than` (an age) or its own max_age, and what has begun; of these
    `kinds` alone. Raises ValidationError for a name that no secret has, a kind that there is not, and for no age.
    """
    unknown = sorted(set(names) - {str(one["name"]) for one in secrets})
    if unknown:
        raise ValidationError(
            f"{', '.join(unknown)}: no such secret", f"There are {', '.join(str(one['name']) for one in secrets)}."
        )
    wrong = sorted(set(kinds) - set(KINDS))
    if wrong:
        raise ValidationError(f"{', '.join(wrong)}: no such kind", f"There are {', '.join(KINDS)}.")
    limit = days(older_than)
    return [
        _row(one, looks.get(str(one["name"]), {}), now, limit, one["name"] in names if names else None, kinds)
        for one in secrets
    ]


def _row(
    secret: Mapping[str, Any],
    look: Mapping[str, Any],
    now: datetime,
    limit: float,
    named: bool | None,
    kinds: Collection[str],
) -> dict[str, Any]:
    """Return the row of a secret; `named` is whether the run names it, None where it names none."""
    said = {key: secret[key] for key in SAID}
    phase, rotated = str(look.get("phase", "")), str(look.get("rotated", ""))
    trouble = str(secret["problem"] or look.get("msg", "") or ("" if phase else "it was not looked at"))
    age = Due(True, "", None)
    if not trouble:
        try:
            age = due(
                rotated, limit if secret["max_age"] is None else secret["max_age"], now, f"{said['name']}_rotated"
            )
        except ValidationError as error:
            trouble = error.text()
    wanted = secret["kind"] in kinds and (named if named is not None else age.due or phase not in ("", IDLE))
    maker = _maker(secret) if phase == IDLE else ""
    result, detail = (DUE if age.due else KEPT), ""
    if wanted and trouble:
        result, detail = REFUSED, trouble
    elif maker and (wanted or age.due):
        result = DUE
        detail = f"{maker}, and write it into {said['file']} as {secret['variables']['next']}."
    elif trouble:
        detail = trouble
    return {
        **said,
        "phase": phase,
        "rotated": rotated,
        "age": age.age,
        "due": age.due,
        "next_due": age.at,
        "chosen": bool(wanted and not trouble and not maker),
        "result": result,
        "detail": detail,
        "remains": list(look.get("steps", ())),
    }


def _maker(secret: Mapping[str, Any]) -> str:
    """Return who is to make a new value by hand, "" where a run has it made."""
    if secret["kind"] == GIVEN:
        return "Have the provider make a new one"
    if secret["kind"] == ODOO_API_KEY and not secret["about"].get("password"):
        return "Set odoo_password in odoo_connection, from the vault; or make a key in Odoo, in its user's preferences"
    return ""


def report(done: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the report of a run: the rows with what became of them, what is wrong first, and their counts.

    Raises ValidationError for a result that there is not.
    """
    for row in done:
        if row["result"] not in RESULTS:
            raise ValidationError(f"{row['name']} has the result {row['result']!r}, none of {', '.join(RESULTS)}")
    counts = Counter(str(row["result"]) for row in done)
    return {
        "version": VERSION,
        "result": FAILED if counts[FAILED] or counts[REFUSED] else DUE if counts[DUE] else "done",
        "counts": {"total": len(done), **{result: counts[result] for result in RESULTS}},
        "secrets": sorted((dict(row) for row in done), key=lambda row: RESULTS.index(row["result"])),
    }


def text(told: Mapping[str, Any]) -> list[str]:
    """Return a report as lines: a table, what is wrong first, then the counts."""
    if not told["secrets"]:
        return ["There is no secret to rotate: no setting of the inventory is a variable of the vault."]
    body = [
        [row["result"], f"{row['name']}\n  {row['kind']}", row["rotated"] or "not known", _next(row), _found(row)]
        for row in told["secrets"]
    ]
    lines = tables.table(["Result", "Secret", "Rotated", "Due", "What there is to say"], body, WIDTH)
    counts = ", ".join(f"{told['counts'][result]} {result}" for result in RESULTS if told["counts"][result])
    total = told["counts"]["total"]
    return [*lines, "", f"{total} secret{'' if total == 1 else 's'}: {counts}."]


def _next(row: Mapping[str, Any]) -> str:
    return "now" if row["due"] else str(row["next_due"])


def _found(row: Mapping[str, Any]) -> str:
    steps = [f"{number}. {step}" for number, step in enumerate(row["remains"], 1)]
    show = steps if row["result"] in (PLANNED, FAILED) else []
    return "\n".join([*([row["detail"]] if row["detail"] else []), *show])
