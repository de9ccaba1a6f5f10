# SPDX-License-Identifier: GPL-3.0-or-later
"""One secret in a file: what is encrypted how, what becomes of the file, and what is refused before it is touched."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ansible.parsing.vault import VaultSecret
from ansible_collections.mailops.odoo.plugins.module_utils._core.errors import (
    AuthenticationError,
    ConflictError,
    MailopsError,
    NotFoundError,
    TemporaryError,
    ValidationError,
)
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault import files
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault.recipe import generated
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault.value import read, remove, update, write
from ansible_collections.mailops.odoo.plugins.plugin_utils._vault.vault import Seal, Vault


def vault(**passwords: str) -> Vault:
    """Return a run's vault passwords by vault id."""
    return Vault([(vault_id, VaultSecret(password.encode())) for vault_id, password in passwords.items()])


DEV, PROD, WRONG = vault(dev="dev password"), vault(prod="prod password"), vault(dev="wrong", prod="wrong")
BOTH = vault(dev="dev password", prod="prod password")
PLAIN = "---\n# The passwords\nvault_a: 'old-a'  # of A\n\nvault_b: \"old-b\"\n"


def sealed(text: str, vault_id: str = "dev") -> str:
    return BOTH.seal(text, BOTH.seal_for(vault_id))


def inline(text: str, vault_id: str = "dev") -> str:
    return "!vault |\n" + "".join(f"          {line}\n" for line in sealed(text, vault_id).splitlines())


def in_a_child(work: Callable[[], int]) -> int:
    """Return the exit code of a process that does the work: what it returned, 70 if it raised something."""
    child = os.fork()
    if not child:
        code = 70
        try:
            code = work()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """A file's path in a folder; afterwards nothing else lies there."""
    folder = tmp_path / "group_vars"
    folder.mkdir()
    yield folder / "vault.yml"
    assert {entry.name for entry in folder.iterdir()} <= {"vault.yml"}


def whole(path: Path, vault_id: str = "dev", text: str = PLAIN) -> Path:
    path.write_text(sealed(text, vault_id))
    return path


def plain(path: Path) -> Path:
    path.write_text(f"# Settings\nvault_a: {inline('old-a')}\nname: in clear # yes\nvault_b: {inline('old-b', 'prod')}")
    return path


def opened(path: Path) -> tuple[str, str]:
    """Return the text of a file that is encrypted as a whole, and its vault id."""
    text, seal = BOTH.open(path.read_text(), "it")
    return text, seal.vault_id


def test_a_whole_file_keeps_all_but_the_value(path: Path) -> None:
    for vault_id in ("dev", "prod"):
        whole(path, vault_id)
        assert read(str(path), "vault_a", BOTH) == "old-a"
        outcome = write(str(path), "vault_a", "new-a", BOTH)
        assert (outcome.before, outcome.after, outcome.changed) == ("old-a", "new-a", True)
        assert opened(path) == (PLAIN.replace("old-a", "new-a"), vault_id)


def test_what_is_the_same_is_not_encrypted_anew(path: Path) -> None:
    for make in (whole, plain):
        before = make(path).read_bytes(), path.stat().st_ino
        assert not write(str(path), "vault_a", "old-a", BOTH).changed
        assert not remove(str(path), "vault_none", BOTH).changed
        assert (path.read_bytes(), path.stat().st_ino) == before


def test_an_inline_value_changes_only_its_own_lines(path: Path) -> None:
    before = plain(path).read_text()
    assert read(str(path), "vault_b", BOTH) == "old-b"
    write(str(path), "vault_b", "new-b", BOTH)
    after = path.read_text()
    kept = before.index("vault_b: !vault |\n") + len("vault_b: !vault |\n          $ANSIBLE_VAULT;1.2;AES256;prod\n")
    assert after[:kept] == before[:kept]
    assert after[kept:] != before[kept:]
    assert (read(str(path), "vault_a", DEV), read(str(path), "vault_b", PROD)) == ("old-a", "new-b")


def test_an_inline_value_inside_of_a_whole_file(path: Path) -> None:
    whole(path, "dev", f"vault_a: {inline('old-a', 'prod')}vault_b: old-b\n")
    assert write(str(path), "vault_a", "new-a", BOTH).before == "old-a"
    text, vault_id = opened(path)
    assert vault_id == "dev" and text.endswith("vault_b: old-b\n") and "AES256;prod" in text
    assert read(str(path), "vault_a", BOTH) == "new-a"


def test_a_new_variable_in_a_whole_file(path: Path) -> None:
    whole(path, "prod")
    assert write(str(path), "vault_c", "new-c", BOTH).before is None
    assert opened(path) == (PLAIN + 'vault_c: "new-c"\n', "prod")


@pytest.mark.parametrize("others", ["dev", "prod"])
def test_a_new_variable_among_inline_values_is_encrypted_as_they_are(path: Path, others: str) -> None:
    path.write_text(f"list:\n  - deep: {inline('old', others)}name: in clear\nempty:  # to come\n")
    write(str(path), "vault_c", "new-c", BOTH)
    write(str(path), "empty", "filled", BOTH)
    assert path.read_text().count(f"AES256;{others}\n") == 3
    only = DEV if others == "dev" else PROD
    assert (read(str(path), "vault_c", only), read(str(path), "empty", only)) == ("new-c", "filled")
    assert "empty: !vault |  # to come\n" in path.read_text()


def test_a_new_variable_among_others_of_several_vault_ids_needs_to_be_told(path: Path) -> None:
    before = plain(path).read_text()
    with pytest.raises(ConflictError, match=r"under several vault ids \(dev, prod\)") as error:
        write(str(path), "vault_c", "new-c", BOTH)
    assert error.value.remedy == "Say which in vault_id."
    assert path.read_text() == before
    write(str(path), "vault_c", "new-c", BOTH, "prod")
    assert read(str(path), "vault_c", PROD) == "new-c"


def test_a_first_value_is_encrypted_as_ansible_vault_would(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_text("name: in clear\n")
    write(str(path), "vault_a", "a", BOTH)
    assert "AES256;dev\n" in path.read_text()
    path.write_text("name: in clear\n")
    monkeypatch.setattr("ansible.constants.DEFAULT_VAULT_ENCRYPT_IDENTITY", "prod")
    write(str(path), "vault_a", "a", BOTH)
    assert "AES256;prod\n" in path.read_text()
    path.write_text("name: in clear\n")
    monkeypatch.setattr("ansible.constants.DEFAULT_VAULT_ENCRYPT_IDENTITY", "stage")
    with pytest.raises(NotFoundError, match="no vault password was given for the vault id stage, only for dev, prod"):
        write(str(path), "vault_a", "a", BOTH)
    assert path.read_text() == "name: in clear\n"


@pytest.mark.parametrize(("vault_id", "header"), [("", b"1.2;AES256;dev\n"), ("prod", b"1.2;AES256;prod\n")])
def test_a_new_file(path: Path, vault_id: str, header: bytes) -> None:
    assert read(str(path), "vault_a", BOTH) is None
    assert write(str(path), "vault_a", "{{ no template }}", BOTH, vault_id).changed
    assert path.read_bytes().startswith(b"$ANSIBLE_VAULT;" + header)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert opened(path)[0] == '---\nvault_a: !unsafe "{{ no template }}"\n'
    assert read(str(path), "vault_a", BOTH) == "{{ no template }}"


def test_the_vault_id_without_a_name_stays_without(path: Path) -> None:
    unnamed = vault(default="the password")
    write(str(path), "vault_a", "a", unnamed)
    assert path.read_bytes().startswith(b"$ANSIBLE_VAULT;1.1;AES256\n")
    # Ansible tries every password it has: the header stays as it is.
    write(str(path), "vault_a", "b", vault(other="no", another="the password"))
    assert path.read_bytes().startswith(b"$ANSIBLE_VAULT;1.1;AES256\n")
    assert read(str(path), "vault_a", unnamed, "default") == "b"


def test_a_removal(path: Path) -> None:
    whole(path)
    assert remove(str(path), "vault_a", BOTH).before == "old-a"
    assert opened(path)[0] == PLAIN.replace("vault_a: 'old-a'  # of A\n", "")
    before = plain(path).read_text()
    remove(str(path), "vault_a", BOTH)
    assert path.read_text() == "# Settings\n" + before[before.index("\nname:") :]


def test_an_empty_value_is_none_and_a_new_one_is_never_empty(path: Path) -> None:
    whole(path, text="vault_a:\nvault_b: ''\n")
    assert read(str(path), "vault_a", BOTH) == ""
    assert update(str(path), "vault_b", lambda before: before or "made", BOTH).after == "made"
    assert opened(path)[0] == "vault_a:\nvault_b: 'made'\n"
    with pytest.raises(ValidationError, match="the value for vault_b is empty"):
        write(str(path), "vault_b", "", BOTH)


def test_a_value_that_is_no_unicode_is_kept_or_replaced(path: Path) -> None:
    """JSON writes other characters than the common ones as two halves, of which YAML makes no character."""
    whole(path, text='vault_a: "\\ud83d\\ude00"\n')
    assert not update(str(path), "vault_a", lambda old: old, BOTH).changed
    assert write(str(path), "vault_a", "new", BOTH).changed
    assert opened(path)[0] == 'vault_a: "new"\n'


def test_check_mode_writes_nothing_and_predicts_the_same(path: Path, tmp_path: Path) -> None:
    assert write(str(path), "vault_a", "new", BOTH, check=True).changed
    assert not path.exists()
    before = whole(path).read_bytes()
    assert write(str(path), "vault_a", "new", BOTH, check=True).before == "old-a"
    assert remove(str(path), "vault_a", BOTH, check=True).changed
    assert path.read_bytes() == before
    for check in (True, False):
        with pytest.raises(NotFoundError, match="the folder .*/none does not exist"):
            write(str(tmp_path / "none" / "vault.yml"), "vault_a", "new", BOTH, check=check)
        with pytest.raises(ValidationError, match="the value for vault_a is encrypted already"):
            write(str(path), "vault_a", "$ANSIBLE_VAULT;1.1;AES256\n31", BOTH, check=check)
        with pytest.raises(ValidationError, match="characters that UTF-8 cannot hold"):
            write(str(path), "vault_a", "new\udc80", BOTH, check=check)


@pytest.mark.parametrize("change", [write, remove], ids=["write", "remove"])
@pytest.mark.parametrize(
    ("make", "given", "vault_id", "error", "message"),
    [
        (whole, WRONG, "", AuthenticationError, "vault.yml does not open with the vault password given for the .* dev"),
        (whole, PROD, "", AuthenticationError, r"under the vault id dev, and no .* opens it \(given: prod\)"),
        (whole, BOTH, "prod", ConflictError, "vault.yml is encrypted under the vault id dev, not prod"),
        (plain, WRONG, "", AuthenticationError, "vault_a in .*vault.yml does not open with the vault password"),
        (plain, PROD, "", AuthenticationError, r"vault_a in .* under the vault id dev, and no .* \(given: prod\)"),
        (plain, BOTH, "prod", ConflictError, "vault_a in .*vault.yml is encrypted under the vault id dev, not prod"),
    ],
)
def test_another_password_or_vault_id_changes_nothing(
    path: Path, make: object, given: Vault, vault_id: str, error: type[MailopsError], message: str, change: object
) -> None:
    before = make(path).read_bytes()  # type: ignore[operator]
    arguments = (str(path), "vault_a", "new") if change is write else (str(path), "vault_a")
    with pytest.raises(error, match=message) as raised:
        change(*arguments, given, vault_id)  # type: ignore[operator]
    assert path.read_bytes() == before
    assert "old-a" not in raised.value.text() and "dev password" not in raised.value.text()


def test_a_new_value_does_not_get_another_password_than_its_neighbours(path: Path) -> None:
    path.write_text(f"vault_a: {inline('old-a')}")
    before = path.read_bytes()
    for vault_id in ("", "dev"):
        with pytest.raises(AuthenticationError, match="another value in .* does not open"):
            write(str(path), "vault_c", "new-c", WRONG, vault_id)
    with pytest.raises(NotFoundError, match="no vault password was given for the vault id stage"):
        write(str(path), "vault_c", "new-c", BOTH, "stage")
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("vault_a: hunter2\n", "vault_a is not encrypted in .*vault.yml"),
        ("vault_a: '{{ hunter2 }}'\n", "vault_a is not encrypted"),
        ("vault_a: !vault hunter2\n", "vault_a in .* is no intact text of ansible-vault"),
        ("vault_a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  hunter2\n", "is no intact text of ansible-vault"),
        ("$ANSIBLE_VAULT;1.1;AES256\nhunter2\n", "vault.yml is no intact text of ansible-vault"),
        (b"vault_a: \xff\xfe\n", "not in UTF-8"),
        (sealed("- hunter2\n"), "not a mapping"),
        (sealed("hunter2"), "not a mapping"),
        (sealed("a: hunter2: hunter2\n"), "no valid YAML from line 1"),
        (sealed("vault_a: {x: hunter2}\n"), "vault_a in .* is a list, a mapping or an alias"),
        (sealed("vault_a: '{{ hunter2 }}'\n"), "vault_a in .* is a template"),
        (sealed("x: &x hunter2\nvault_a: *x\n"), "is a list, a mapping or an alias"),
        (sealed("vault_a: hunter2\nvault_a: hunter2\n"), "vault_a is there 2 times"),
    ],
)
def test_a_file_of_another_form_stays_as_it_is(path: Path, content: str | bytes, message: str) -> None:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    before = path.read_bytes()
    for change in (lambda: read(str(path), "vault_a", BOTH), lambda: write(str(path), "vault_a", "new", BOTH)):
        with pytest.raises((ValidationError, ConflictError), match=message) as error:
            change()
        assert "hunter2" not in error.value.text()
    assert path.read_bytes() == before


@pytest.mark.parametrize("key", ["", "a.b", "a b", "1a", "a:", "ä", "a\n"])
def test_a_key_is_the_name_of_a_variable(path: Path, key: str) -> None:
    with pytest.raises(ValidationError, match="is not the name of a variable"):
        write(str(path), key, "new", BOTH)
    with pytest.raises(ValidationError, match="is not the name of a variable"):
        read(str(path), key, BOTH)


def test_there_is_no_vault_password() -> None:
    for secrets in ([], None):
        with pytest.raises(NotFoundError, match="there is no vault password"):
            Vault(secrets)


def test_a_link_is_written_through(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere" / "secrets.yml"
    target.parent.mkdir()
    path.symlink_to("../elsewhere/secrets.yml")
    for value in ("made", "changed"):  # at first the link leads nowhere
        write(str(path), "vault_a", value, BOTH)
        assert path.is_symlink() and not target.is_symlink()
        assert read(str(target), "vault_a", BOTH) == value
    assert [entry.name for entry in target.parent.iterdir()] == ["secrets.yml"]


@pytest.mark.parametrize("mode", [0o400, 0o600, 0o640, 0o664])
def test_the_mode_and_owner_stay(path: Path, mode: int) -> None:
    whole(path).chmod(mode)
    owner = (1, 2) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    os.chown(path, *owner)
    path.chmod(mode)
    assert write(str(path), "vault_a", "new", BOTH).changed
    status = path.stat()
    assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (mode, *owner)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_owner_that_cannot_be_kept_is_an_error() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        path = whole(Path(folder) / "vault.yml")
        before = path.read_bytes()
        os.chown(folder, 65534, 65534)

        def as_nobody() -> int:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            with pytest.raises(MailopsError, match="belongs to user 0 and group 0, and would no longer"):
                write(str(path), "vault_a", "new", BOTH)
            return 3

        assert in_a_child(as_nobody) == 3
        assert path.read_bytes() == before
        assert os.listdir(folder) == ["vault.yml"]


class Meddler(Vault):
    """While one secret is encrypted, somebody else is at the file."""

    def __init__(self, path: Path, change: str) -> None:
        super().__init__([("dev", VaultSecret(b"dev password"))])
        self.path, self.change = path, change

    def seal(self, plaintext: str, seal: Seal) -> str:
        """Return the text encrypted; the file is another one then."""
        if self.change == "edit":
            other = self.path.with_name("edited")
            other.write_text(sealed("vault_z: of somebody else\n"))
            other.rename(self.path)
        elif self.change == "remove":
            self.path.unlink()
        elif self.change == "mode":
            self.path.chmod(0o644)
        else:
            self.path.write_text(sealed("vault_z: of somebody else\n"))
        return super().seal(plaintext, seal)


@pytest.mark.parametrize("change", ["edit", "remove", "mode", "make"])
def test_a_file_that_somebody_else_changes_meanwhile_stays_theirs(path: Path, change: str) -> None:
    if change != "make":
        whole(path).chmod(0o600)
    with pytest.raises(ConflictError, match="vault.yml was changed by somebody else meanwhile"):
        write(str(path), "vault_a", "new", Meddler(path, change))
    if change == "remove":
        assert not path.exists()
    elif change == "mode":
        assert opened(path)[0] == PLAIN and stat.S_IMODE(path.stat().st_mode) == 0o644
    else:
        assert opened(path)[0] == "vault_z: of somebody else\n"


def _make_up(path: str, barrier: object, results: object) -> None:
    barrier.wait()  # type: ignore[attr-defined]
    outcome = update(path, "vault_a", lambda before: before or generated(32, ["ascii_letters"]), DEV)
    results.put((outcome.after, outcome.changed))  # type: ignore[attr-defined]


def test_of_several_that_make_up_a_value_at_once_all_get_the_same(path: Path) -> None:
    fork = multiprocessing.get_context("fork")
    barrier, results = fork.Barrier(6), fork.Queue()
    workers = [fork.Process(target=_make_up, args=(str(path), barrier, results)) for number in range(6)]
    for worker in workers:
        worker.start()
    found = [results.get(timeout=60) for worker in workers]
    for worker in workers:
        worker.join()
    assert {value for value, _changed in found} == {read(str(path), "vault_a", DEV)}
    assert sum(changed for _value, changed in found) == 1


def test_a_writer_that_does_not_come_to_an_end_is_told(path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    with pytest.raises(TemporaryError, match="another process is changing files in"), files.locked(str(path), 0.0):
        pass
    os.close(folder)
    with files.locked(str(path), 0.0):
        pass


def die_before_a_rename(event: str, arguments: object) -> None:
    if event == "os.rename":
        os._exit(9)


def test_killed_before_the_file_is_in_its_place(path: Path) -> None:
    """The old file is whole, what is left beside it is ciphertext, and nothing stays locked."""
    before = whole(path).read_bytes()

    def killed() -> int:
        sys.addaudithook(die_before_a_rename)
        write(str(path), "vault_a", "new-a", BOTH)
        return 0

    assert in_a_child(killed) == 9
    assert path.read_bytes() == before
    (left,) = (entry for entry in path.parent.iterdir() if entry != path)
    assert left.name.startswith(".vault.yml.")  # Ansible reads no variables from hidden files
    assert opened(left)[0] == PLAIN.replace("old-a", "new-a")
    left.unlink()
    assert write(str(path), "vault_a", "new-a", BOTH).changed


def test_what_is_no_file(path: Path) -> None:
    for place in (str(path.parent), "/dev/null"):
        with pytest.raises(ValidationError, match="is a directory|is not a regular file"):
            write(place, "vault_a", "new", BOTH)
    # Nobody writes into it, so that an ordinary open would wait for ever.
    os.mkfifo(path)
    with pytest.raises(ValidationError, match="is not a regular file"):
        write(str(path), "vault_a", "new", BOTH)
    path.unlink()
    path.symlink_to(path.name)
    with pytest.raises(MailopsError, match="vault.yml cannot be read: Too many levels of symbolic links"):
        write(str(path), "vault_a", "new", BOTH)


def test_nothing_shows_a_value_by_accident(path: Path) -> None:
    outcome = write(str(whole(path)), "vault_a", "new-a", BOTH)
    assert "old-a" not in repr(outcome) and "new-a" not in repr(outcome)
    assert "ANSIBLE_VAULT" not in repr(files.read(str(path)))
