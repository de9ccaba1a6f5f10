# SPDX-License-Identifier: GPL-3.0-or-later
"""vault_value and the lookup vault_encrypt as an administrator runs them, with ansible-playbook and ansible-vault."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.vault_site import VAULT, Site, examples


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def secret(key: str = "vault_a", *, no_log: bool = True, keywords: dict[str, Any] | None = None, **options: Any) -> Any:
    """Return a task."""
    task = {"mailops.odoo.vault_value": {"file": VAULT, "key": key, **options}, **(keywords or {})}
    return {**task, "no_log": True} if no_log else task


def test_a_secret_s_life(site: Site) -> None:
    """Made up, found again, in check mode, changed, made up anew, removed."""
    check = {"check_mode": True}
    results = site.results(
        [
            secret(generate={}, keywords=check),
            secret(generate={}),
            secret(generate={}),
            secret(generate={"length": 20, "alphabet": ["digits"]}, regenerate=True, keywords=check),
            secret(),
            secret(generate={"length": 20, "alphabet": ["digits"]}, regenerate=True),
            secret(value="it's {{ '{{' }} \"given\": #1", no_log=False, keywords=check),
            secret(value="it's {{ '{{' }} \"given\": #1", no_log=False),
            secret(value="it's {{ '{{' }} \"given\": #1", no_log=False),
            secret(),
            secret(state="absent", no_log=False, keywords=check),
            secret(state="absent", no_log=False),
            secret(state="absent", no_log=False),
            secret("vault_b", value="{{ 12345678 }}", no_log=False),
        ]
    )
    assert not [result for result in results if result.get("failed")]
    changed = [True, True, False, True, False, True, True, True, False, False, True, True, False, True]
    assert [result["changed"] for result in results] == changed
    made, anew = results[1]["value"], results[5]["value"]
    given = 'it\'s {{ "given": #1'
    values = {1: made, 2: made, 3: made, 4: made, 5: anew, 9: given}
    assert {n: result["value"] for n, result in enumerate(results) if "value" in result} == values
    assert len(made) == 32 and made.isalnum() and len(anew) == 20 and anew.isdigit()
    generated = {n: result["generated"] for n, result in enumerate(results) if "generated" in result}
    assert generated == {0: True, 1: True, 2: False, 3: True, 4: False, 5: True, 9: False}
    assert site.view(site.vault) == '---\nvault_b: "12345678"\n'
    assert stat.S_IMODE(site.vault.stat().st_mode) == 0o600


def test_the_difference_names_the_variable_only(site: Site) -> None:
    site.encrypt(site.vault, "vault_a: old\nvault_b: other\n")
    path = {"before_header": str(site.vault), "after_header": str(site.vault)}
    results = site.results(
        [
            secret(value="new", no_log=False),
            secret("vault_c", value="new", no_log=False),
            secret("vault_b", state="absent", no_log=False),
            secret(value="new", no_log=False),
        ],
        "--diff",
    )
    assert [result.get("diff") for result in results] == [
        {**path, "before": "vault_a: (hidden)\n", "after": "vault_a: (hidden, changed)\n"},
        {**path, "before": "", "after": "vault_c: (hidden)\n"},
        {**path, "before": "vault_b: (hidden)\n", "after": ""},
        None,
    ]
    assert not [result for result in results if "value" in result or "new" in str(result)]
    log = (site.folder / "log" / "ansible.log").read_text()
    assert "-vault_a: (hidden)" in log and "+vault_a: (hidden, changed)" in log


def test_with_ansible_vault_and_ansible(site: Site) -> None:
    """What ansible-vault encrypted is changed, what is written opens with it, and Ansible reads it as variables."""
    text = "---\n# passwords\nvault_b: 'old'  # of B\n\nvault_a: \"keep\"\n"
    site.vault.write_text(text)
    prod = ("--vault-id", f"prod@{site.folder / 'prod'}")
    site.ansible_vault("encrypt", *prod, str(site.vault))
    mixed = site.inventory / "group_vars" / "acme" / "mixed.yml"
    kept = "name: of the company # stays\n" + site.ansible_vault("encrypt_string", *prod, "--name", "vault_c", "keep")
    mixed.write_text(kept + site.ansible_vault("encrypt_string", *prod, "--name", "vault_d", "old") + "last: one\n")
    template = "a {{ '{{ 1 + 1 }}' }}"
    names = ("vault_a", "vault_b", "vault_c", "vault_d", "vault_e")
    results = site.results(
        [
            secret("vault_b", value=template, no_log=False),
            secret("vault_d", value=template, no_log=False, file="group_vars/acme/mixed.yml"),
            secret("vault_e", value="new", no_log=False, file=str(mixed), vault_id="prod"),
        ],
        vault_ids=("dev", "prod"),
    )
    assert [result["changed"] for result in results] == [True] * 3
    assert site.ansible_vault("view", *prod, str(site.vault)) == text.replace("'old'", '!unsafe "a {{ 1 + 1 }}"')
    assert site.vault.read_text().startswith("$ANSIBLE_VAULT;1.2;AES256;prod\n")
    assert mixed.read_text().startswith(kept) and "\nlast: one\nvault_e: !vault |\n" in mixed.read_text()
    assert mixed.read_text().count("AES256;prod\n") == 3
    show = {"ansible.builtin.set_fact": {name: f"{{{{ {name} }}}}" for name in names}, "no_log": True}
    facts = site.results([show], vault_ids=("dev", "prod"))[0]["ansible_facts"]
    assert [facts[name] for name in names] == ["keep", "a {{ 1 + 1 }}", "keep", "a {{ 1 + 1 }}", "new"]


def test_hosts_that_share_a_file_get_one_secret(site: Site) -> None:
    done = site.run([secret(generate={})], "--forks", "3", hosts="acme")
    assert done.returncode == 0, done.stdout + done.stderr
    results = [site.left_by(host)[0] for host in ("one", "two", "three")]
    assert len({result["value"] for result in results}) == 1
    assert sum(result["changed"] for result in results) == 1


REFUSED = [
    (secret(no_log=False), "the value would be printed. Set no_log: true on the task."),
    (secret(generate={}, no_log=False), "the value would be printed"),
    (secret("vault_none"), "vault_none is not in "),
    (secret(file="group_vars/acme/none.yml"), "vault_a is not in "),
    (secret(value="x", file="none/vault.yml"), "inventory/none does not exist"),
    (secret(value=""), "value is empty"),
    (secret(value=None), "value is not a text"),
    (secret(value=["hunter2"]), "value is not a text"),
    (secret(value={"hunter2": 1}), "value is not a text"),
    (secret(value=True), "value is not a text"),
    (secret(value=1.5), "value is not a text"),
    (secret(value="hunter2", generate={}), "mutually exclusive"),
    (secret(value="hunter2", state="absent"), "state absent takes neither value nor generate"),
    (secret(generate={}, state="absent"), "state absent takes neither value nor generate"),
    (secret(value="hunter2", regenerate=True), "regenerate is for generate"),
    (secret(generate={"length": 4}), "can be guessed: 4 of 62 characters"),
    (secret(generate={"alphabet": ["letters"]}), "letters is neither one of"),
    (secret(generate={"size": 4}), "generate.size"),
    (secret(vaule="hunter2"), "vaule"),
    (secret("vault-a", value="hunter2"), "key vault-a is not the name of a variable"),
    (secret(value="hunter2", vault_id="prod"), "vault.yml is encrypted under the vault id dev, not prod"),
    (secret(value="hunter2", vault_id="stage", file="group_vars/new.yml"), "for the vault id stage, only for dev"),
    (secret(value="$ANSIBLE_VAULT;1.1;AES256"), "is encrypted already"),
]


def test_what_is_refused(site: Site) -> None:
    site.encrypt(site.vault, "vault_a: old\n")
    before = site.vault.read_bytes()
    results = site.results([task for task, _message in REFUSED])
    for result, (task, message) in zip(results, REFUSED, strict=True):
        assert result["failed"] and message in result["msg"], (task, result)
        assert "hunter2" not in result["msg"]
    assert site.vault.read_bytes() == before
    assert [entry.name for entry in site.vault.parent.iterdir()] == ["vault.yml"]


def test_a_wrong_password_and_another_vault_id(site: Site) -> None:
    """The file is no group's, or else Ansible itself would stop at it."""
    path = site.inventory / "secrets.yml"
    site.encrypt(path, "vault_a: old\n")
    before = path.read_bytes()
    task = secret(file="secrets.yml", value="new")
    (result,) = site.results([task], vault_ids=("prod",))
    assert "is encrypted under the vault id dev, and no given vault password opens it (given: prod)" in result["msg"]
    (site.folder / "dev").write_text("another password\n")
    (result,) = site.results([task])
    assert "secrets.yml does not open with the vault password given for the vault id dev" in result["msg"]
    (result,) = site.results([task], vault_ids=())
    assert "there is no vault password" in result["msg"]
    assert result["msg"].endswith("Nothing was written.")
    assert path.read_bytes() == before


def test_without_an_inventory_s_folder_a_path_must_be_whole(site: Site) -> None:
    play = {"hosts": "localhost", "gather_facts": False, "tasks": [secret(value="new", no_log=False)]}
    done = site.play(play, "-i", "localhost,")
    assert done.returncode == 2
    assert "is relative, and this inventory is in no folder. Give the whole path." in done.stdout


def test_the_examples_run(site: Site) -> None:
    play = {
        "hosts": "one",
        "gather_facts": False,
        "vars": {"zoho_smtp_password": "from Zoho"},
        "tasks": examples("vault_value"),
    }
    done = site.play(play, "-i", str(site.inventory))
    assert done.returncode == 0, done.stdout + done.stderr
    variables = yaml.safe_load(site.view(site.vault))
    assert variables["vault_zoho_smtp_password"] == "from Zoho"
    assert set(variables) == {"vault_mailgun_smtp_password", "vault_zoho_smtp_password"}


def test_no_secret_shows_anywhere(site: Site) -> None:
    """Old, given and made up: not in the output at its most talkative, the log, arguments, or any file in clear."""
    canaries = {name: f"canary-{name}-canary" for name in ("old", "given", "inline", "broken", "twice", "clear")}
    inventory = site.inventory / "group_vars" / "acme"
    site.encrypt(site.vault, f"vault_a: {canaries['old']}\nvault_b: {canaries['old']}\n")
    site.encrypt(inventory / "given.yml", f"given: {canaries['given']}\n")
    lines = ["vault_c: !vault |", *site.encrypted(canaries["inline"]).splitlines()]
    (inventory / "mixed.yml").write_text("\n  ".join(lines))
    site.encrypt(site.inventory / "broken.yml", f"vault_a: {canaries['broken']}: {canaries['broken']}\n")
    site.encrypt(site.inventory / "alias.yml", f"vault_a: *{canaries['broken']}\n")
    site.encrypt(site.inventory / "twice.yml", f"vault_a: {canaries['twice']}\nvault_a: {canaries['twice']}\n")
    site.encrypt(site.inventory / "list.yml", f"vault_a: [{canaries['twice']}]\n")
    fails = {"ignore_errors": True}
    given = "{{ given }}"
    tasks = [
        secret(),
        secret(generate={}, regenerate=True),
        secret("vault_new", generate={}),
        secret("vault_b", value=given, no_log=False),
        secret("vault_b", value=given, no_log=False),
        secret("vault_b", state="absent", no_log=False),
        secret("vault_c", file="group_vars/acme/mixed.yml", value=given, no_log=False),
        secret("vault_d", file="group_vars/acme/mixed.yml", value=given, no_log=False),
        secret("vault_e", file="group_vars/acme/new.yml", value=given, no_log=False),
        secret(no_log=False, keywords=fails),
        secret(generate={}, no_log=False, keywords=fails),
        secret(value="{{ [given] }}", no_log=False, keywords=fails),
        secret(value=given, generate={}, no_log=False, keywords=fails),
        secret(value=given, regenerate=True, no_log=False, keywords=fails),
        secret(value=given, vault_id="prod", no_log=False, keywords=fails),
        *(
            secret(value=given, file=f"{name}.yml", no_log=False, keywords=fails)
            for name in ("broken", "alias", "twice", "list", "none/none")
        ),
    ]
    named = [{"name": f"Task {n}", "register": f"r{n}", **task} for n, task in enumerate(tasks)]
    made = {
        "name": "Whether they are there",
        "ansible.builtin.assert": {"that": "r1.value != r2.value"},
        "no_log": True,
    }
    play = {"hosts": "one", "gather_facts": False, "tasks": [*named, made]}
    done, seen = site.watched(play)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("...ignoring") == 11

    for name, vaulted in (("old", site.vault), ("given", inventory / "new.yml")):
        canaries[f"file of {name}"] = yaml.safe_load(site.view(vaulted))["vault_a" if name == "old" else "vault_e"]
    canaries["made"] = canaries.pop("file of old")
    canaries["made too"] = yaml.safe_load(site.view(site.vault))["vault_new"]
    assert canaries.pop("file of given") == canaries["given"] and len(canaries["made"]) == 32
    found = [(what, name) for what, text in seen.items() for name, canary in canaries.items() if canary in text]
    assert found == []
    # What was looked through is what it should be.
    noted = "".join(text for what, text in seen.items() if what.startswith("left/"))
    assert "ansible-playbook" in noted and noted.count("os.rename") >= 7 and "$ANSIBLE_VAULT;1.2;AES256;dev" in noted
    assert "(hidden, changed)" in seen["output"] and "(hidden, changed)" in seen["log/ansible.log"]


def test_the_lookup_encrypts_with_the_vault_password_of_the_run(site: Site) -> None:
    fact = {"ansible.builtin.set_fact": {"encrypted": "{{ lookup('mailops.odoo.vault_encrypt', 'a text') }}"}}
    (result,) = site.results([fact], vault_ids=("prod", "dev"))
    site.vault.write_text(result["ansible_facts"]["encrypted"])
    assert site.view(site.vault, "prod") == "a text"
    site.vault.unlink()
    (result,) = site.results([fact], vault_ids=())
    assert "there is no vault password" in result["msg"]
