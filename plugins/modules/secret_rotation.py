#!/usr/bin/python

# Copyright (c) 2026, the mailops.odoo authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: secret_rotation
short_description: Keep in the vault how far the rotation of a secret is
version_added: 0.1.0
description:
  - Says how far the rotation of a secret is, and carries out the next move of it in the vaulted file that holds the
    secret. Between the moves the caller does what they are about, at the provider and in Odoo.
  - For a secret in the variable C(K) the file has C(K_next), the pending value; C(K_rotation), who rotates it since when
    and how far; C(K_previous), a token that both sides still accept; C(K_rotated), when it was rotated; and where the
    secret belongs to a login or a key with a name C(K_login), C(K_next_login) and C(K_former_login), or C(K_name),
    C(K_next_name) and C(K_former_name). When a rotation is over C(K), C(K_rotated) and the first of these names are left.
  - A move is one write, and only if the file still has in all these variables what was read. So any controller can carry
    on with what another has begun, and of two that begin at once one fails.
  - It works on the controller. Variables that Ansible has loaded already keep their value for the rest of the run.
author:
  - The mailops.odoo authors (@mailops)
options:
  secret:
    description:
      - The secret, as the filter P(mailops.odoo.mail_secrets#filter) returns it. Used are C(name), its variable; C(kind);
        C(file), of which a relative path starts in the inventory's folder; C(strategy); C(base), the login or the name
        of the key that the policy says; and of C(about) the servers.
      - C(kind) is V(mailgun_login), V(bridge_token), V(odoo_api_key) or V(given). C(strategy) is V(pair), where two names
        alternate, or V(in_place).
    type: dict
    required: true
  move:
    description:
      - V(look) writes nothing.
      - V(begin) begins a rotation, or carries on with one that has begun. The pending value is the one that the file
        has as C(K_next), which somebody wrote there; otherwise one is made up, of 32 letters and digits. The key of an
        Odoo user is made by Odoo and a secret of the kind V(given) by its provider, so for the one the phase is V(begun)
        then, and without C(K_next) the other is refused.
      - V(made) keeps the key that Odoo made, O(value), as the pending one; in the place of one that Odoo refuses, too.
      - V(switch) makes the pending value the current one.
      - V(finish) ends the rotation, when nothing is left to put away.
      - V(undo) ends it before V(switch), when nothing has the pending value any more. One that somebody wrote stays.
    type: str
    choices: [look, begin, made, switch, finish, undo]
    default: look
  value:
    description: The value for the move V(made).
    type: str
  take_over:
    description:
      - Carries on with what a run on another host has begun within the last hour. Whether that still runs cannot be seen
        from here; without this the task fails.
      - A run on this host that still lives is never taken over, and one that does not always is.
    type: bool
    default: false
  known:
    description:
      - What the caller knows to be in the file, by the variables' names; empty for one that is not there. If one of them
        is something else, as somebody has changed the file meanwhile, the task fails.
    type: dict
    default: {}
  vault_id:
    description: The vault id for what is new, as O(mailops.odoo.vault_value#module:vault_id).
    type: str
    default: ""
notes:
  - Values are returned with C(no_log) alone. Without it what is returned can be shown, errors too.
  - In check mode nothing is written, and what is returned is how it is.
extends_documentation_fragment:
  - mailops.odoo.attributes
seealso:
  - module: mailops.odoo.vault_values
  - plugin: mailops.odoo.mail_secrets
    plugin_type: filter
"""

EXAMPLES = r"""
- name: How far is the rotation of the token?
  mailops.odoo.secret_rotation:
    secret: {name: vault_mail_delivery_token, kind: bridge_token, file: group_vars/acme/vault.yml}
  register: token

- name: What is there to do?
  ansible.builtin.debug:
    msg: "{{ token.steps }}"

- name: A new token is in the vault, beside the one in force
  mailops.odoo.secret_rotation:
    secret: {name: vault_mail_delivery_token, kind: bridge_token, file: group_vars/acme/vault.yml}
    move: begin
  no_log: true
  register: begun

- name: The new token is the current one, now that Odoo and the bridge have it
  mailops.odoo.secret_rotation:
    secret: {name: vault_mail_delivery_token, kind: bridge_token, file: group_vars/acme/vault.yml}
    move: switch
  when: begun.phase == 'pending'

- name: Nobody takes the old token any more
  mailops.odoo.secret_rotation:
    secret: {name: vault_mail_delivery_token, kind: bridge_token, file: group_vars/acme/vault.yml}
    move: finish
"""

RETURN = r"""
phase:
  description:
    - How far it is. V(idle), nothing has begun; V(offered), somebody wrote a pending value; V(begun), the pending value is
      to be made yet; V(pending), it is there and everybody still uses or takes the current one; V(switched), it is the
      current one and something is left to put away.
  returned: success
  type: str
active:
  description: The login or the name of the key that the current value is for; empty for a token.
  returned: success
  type: str
next_active:
  description: That of the pending value, or of the next one; empty where nobody knows it.
  returned: success
  type: str
former:
  description: The login or key that is to be removed at the provider; empty if there is none.
  returned: success
  type: str
by_hand:
  description: Whether somebody wrote the pending value into the file.
  returned: success
  type: bool
rotated:
  description: When it was rotated, as RFC 3339 writes it; empty if nobody knows.
  returned: success
  type: str
by:
  description: Who rotates it, as a run, a host, a process id, the time and how far; empty if nobody does.
  returned: success
  type: str
in_force:
  description: What is in force, as a sentence for the report of a failure.
  returned: success
  type: str
steps:
  description: What a rotation has to do yet, in order.
  returned: success
  type: list
  elements: str
current:
  description: The current value.
  returned: with C(no_log)
  type: str
next:
  description: The pending value; empty if there is none.
  returned: with C(no_log)
  type: str
previous:
  description: The token that both sides still accept; empty if there is none.
  returned: with C(no_log)
  type: str
diff:
  description: The names of the variables that changed, their values hidden.
  returned: changed
  type: dict
"""
