# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rotation does, step by step, as sentences for a dry run and for a report. Pure."""

from __future__ import annotations

from ansible_collections.mailops.odoo.plugins.module_utils._rotation import state
from ansible_collections.mailops.odoo.plugins.module_utils._rotation.secret import (
    BRIDGE_TOKEN,
    GIVEN,
    IN_PLACE,
    MAILGUN_LOGIN,
    ODOO_API_KEY,
    PAIR,
    Secret,
)

# Each with the phase in which it is done.
STEPS = {
    (MAILGUN_LOGIN, PAIR): (
        (state.IDLE, "a new password is written into {file} as {next}"),
        (state.PENDING, "Mailgun gets the login {new} with it"),
        (state.PENDING, "{new} is proved by logging in at Mailgun's SMTP server"),
        (state.PENDING, "Odoo is switched to {new}, in one write: {servers}"),
        (state.PENDING, "Odoo tests its connection"),
        (state.PENDING, "{new} and its password become the current ones in {file}"),
        (state.SWITCHED, "Mailgun's login {old} is removed"),
    ),
    (MAILGUN_LOGIN, IN_PLACE): (
        (state.IDLE, "a new password is written into {file} as {next}"),
        (state.PENDING, "Odoo's mail queue is held"),
        (state.PENDING, "Mailgun gets the new password for {old}"),
        (state.PENDING, "{old} is proved by logging in at Mailgun's SMTP server"),
        (state.PENDING, "Odoo is switched to the new password, in one write: {servers}"),
        (state.PENDING, "Odoo tests its connection"),
        (state.PENDING, "the new password becomes the current one in {file}"),
        (state.SWITCHED, "Odoo's mail queue is released, with what was refused meanwhile"),
        (state.SWITCHED, "what was refused after that waits in it again"),
    ),
    (BRIDGE_TOKEN, PAIR): (
        (state.IDLE, "a new token is written into {file} as {next}"),
        (state.PENDING, "Odoo takes it too, then the bridge has it too"),
        (state.PENDING, "it is proved by a call with it"),
        (state.PENDING, "it becomes the current one in {file}; the old one is kept as {previous}"),
        (state.SWITCHED, "Odoo uses the new one, and takes the old one too"),
        (state.SWITCHED, "the bridge has the new one alone, then Odoo takes the new one alone"),
    ),
    (ODOO_API_KEY, PAIR): (
        (state.IDLE, "Odoo makes a key named {new}, which is written into {file} as {next}"),
        (state.PENDING, "it is proved by a call with it"),
        (state.PENDING, "it becomes the current one in {file}"),
        (state.SWITCHED, "Odoo's key {old} is removed"),
    ),
    (GIVEN, PAIR): (
        (state.PENDING, "{next}, which was written into {file} by hand, is proved by a call with it"),
        (state.PENDING, "it becomes the current one in {file}"),
        (state.SWITCHED, "what is to be removed at the provider is told: the old one, {old}"),
    ),
}
ORDER = (state.IDLE, state.OFFERED, state.BEGUN, state.PENDING, state.SWITCHED)
END = "what {rotation} says is removed from {file}"


def remaining(secret: Secret, held: state.Held) -> list[str]:
    """Return what a rotation of this secret has to do yet, in order; for an idle one all of it.

    Raises what `state.phase` raises.
    """
    at, names = state.phase(secret, held), secret.variables
    switched = at == state.SWITCHED
    words = {
        "file": secret.file,
        "next": names.next,
        "previous": names.previous,
        "rotation": names.rotation,
        "old": (held.get(names.former) if switched else state.active(secret, held)) or "whose name is not known",
        "new": state.active(secret, held) if switched else state.next_active(secret, held) or "of a name not known",
        "servers": ", ".join(secret.about.get("servers", ())) or "no server",
    }
    # What is offered is there already; what has begun lacks its value yet.
    done = {state.OFFERED: state.PENDING, state.BEGUN: state.IDLE}.get(at, at)
    steps = [text for when, text in STEPS[secret.kind, secret.strategy] if ORDER.index(when) >= ORDER.index(done)]
    return [text.format(**words) for text in (*steps, END)]
