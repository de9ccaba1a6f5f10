# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox's machines, as tests use them."""

from __future__ import annotations

import copy
import functools
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import apikeys
import containers
import host
import requests
import secretfiles
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

NAMESPACE = "test"
BULK_LOGIN = "no-reply@mg.acme.example"
PROTOCOLS = ["json2", "jsonrpc"]


def vaulted() -> dict[str, str]:
    """Return what the sandbox's vault has now: site.yml and rotations write there."""
    vault = VaultLib([("default", VaultSecret((host.CACHE / "vault-password").read_bytes().strip()))])
    found: dict[str, str] = yaml.safe_load(vault.decrypt(secretfiles.vault(NAMESPACE).read_bytes()))
    return found


class Machine:
    """One container: `run` executes a program in it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.container = containers.container(NAMESPACE, name)
        self.ip = containers.address(NAMESPACE, name)
        self.ca_file = str(host.CACHE / "ca.pem")

    def run(
        self, *argv: str, input: str | bytes | None = None, check: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run a program as root and return its result; its output is decoded with surrogates for odd bytes."""
        data = input.encode() if isinstance(input, str) else input
        command = ["podman", "exec", *(["-i"] if data is not None else []), self.container, *argv]
        done = subprocess.run(command, input=data, capture_output=True, check=False, env=host.environment())
        text = [stream.decode("utf-8", "surrogateescape") for stream in (done.stdout, done.stderr)]
        if check and done.returncode:
            raise AssertionError(f"{argv} in {self.container} exited {done.returncode}:\n{text[0]}{text[1]}")
        return subprocess.CompletedProcess(argv, done.returncode, *text)


class Internet(Machine):
    """The outside world."""

    def __init__(self) -> None:
        super().__init__("internet")

    @functools.cached_property
    def accounts(self) -> dict[str, str]:
        """Return login → password of those who may submit mail or fetch it.

        Mailgun's login is the policy's, or the other one of its pair. Where site.yml was not applied it is made here.
        """
        variables = vaulted()
        login = variables.get("vault_mailgun_smtp_password_login", BULK_LOGIN)
        password = variables.get("vault_mailgun_smtp_password") or "not-from-the-vault"
        domain = BULK_LOGIN.rpartition("@")[2]
        self._made("/v4/domains", name=domain)
        self._made(f"/v3/domains/{domain}/credentials", login=login, password=password)
        return {**secretfiles.accounts(), login: password}

    def _made(self, path: str, **form: str) -> None:
        """Make something at Mailgun unless it is there."""
        auth = ("api", secretfiles.values()["vault_mailgun_api_key"])
        answer = requests.post(f"https://{self.ip}{path}", data=form, auth=auth, timeout=20, verify=self.ca_file)
        assert answer.ok or "already exists" in answer.text, answer.text


class Odoo(Machine):
    """One database of a sandbox's Odoo, called as its administrator.

    `key` is an API key of the administrator; without one the password is used. `protocol` is the modules' option.
    `machine` is `odoo` (19) or `odoo14`.
    """

    def __init__(self, database: str, password: str, protocol: str = "auto", machine: str = "odoo") -> None:
        super().__init__(machine)
        self.protocol = protocol
        self.url = f"https://{self.ip}"
        self.database = database
        self.password = password
        self.key = ""
        self.mail_token = vaulted()["vault_mail_delivery_token"]
        self._uid: int | None = None
        self._session = requests.Session()

    def connection(self) -> dict[str, Any]:
        """Return the connection options of our modules: the API key, or else login and password."""
        login = {"odoo_api_key": self.key} if self.key else {"odoo_password": self.password}
        if not self.key or self.protocol == "jsonrpc" or self.name == "odoo14":
            login["odoo_login"] = "admin"
        return {
            "odoo_url": self.url,
            "odoo_database": self.database,
            "odoo_ca_file": self.ca_file,
            "odoo_protocol": self.protocol,
            **login,
        }

    def clone(self) -> None:
        """Make this database anew from the template.

        All scheduled actions of a new one are due: they would run beside the tests, and hold locks that these need.
        """
        create = f'CREATE DATABASE "{self.database}" TEMPLATE odoo_template OWNER odoo'
        not_now = "UPDATE ir_cron SET nextcall = now() + interval '1 day'"
        self._psql(
            f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)', create, rf'\connect "{self.database}"', not_now
        )

    def give_key(self) -> None:
        """Give the administrator an API key and a second factor.

        With the second factor Odoo takes a key over JSON-RPC without trying it as the password first, which costs it
        a second.
        """
        self.key = apikeys.made()
        second_factor = "UPDATE res_users SET totp_secret = 'JBSWY3DPEHPK3PXP' WHERE id = 2"
        self.sql(f"{apikeys.statement(self.key, 'tests')}; {second_factor}")

    def drop(self) -> None:
        """Remove the database, closing what is connected to it."""
        self._psql(f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)')

    def sql(self, statement: str) -> None:
        """Run SQL in this database, for what no interface of Odoo does."""
        self._psql(statement, database=self.database)

    def postgres(self, *statements: str) -> None:
        """Run SQL beside this database, as what it is one of."""
        self._psql(*statements)

    def _psql(self, *statements: str, database: str = "postgres") -> None:
        """Run statements, each in a transaction of its own."""
        commands = [word for statement in statements for word in ("-c", statement)]
        options = ["-q", "-v", "ON_ERROR_STOP=1", "-d", database]
        self.run("runuser", "-u", "odoo", "--", "psql", *options, *commands, check=True)

    @contextmanager
    def holding(self, statement: str) -> Iterator[Callable[[], None]]:
        """Yield while another transaction has carried out the statement and holds its locks; call to let go early."""
        psql = ["runuser", "-u", "odoo", "--", "psql", "-qAt", "-d", self.database]
        session = subprocess.Popen(
            ["podman", "exec", "-i", self.container, *psql],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=host.environment(),
        )
        assert session.stdin
        assert session.stdout
        session.stdin.write(f"BEGIN; {statement}; SELECT 'held';\n")
        session.stdin.flush()
        while (line := session.stdout.readline()) and line != "held\n":
            pass
        assert line, f"psql did not carry out: {statement}"
        try:
            yield session.stdin.close
        finally:
            session.stdin.close()
            session.stdout.close()
            session.wait()

    def over(self, protocol: str) -> Odoo:
        """Return this database, reached by our modules over another protocol."""
        other = copy.copy(self)
        other.protocol = protocol
        return other

    def clear(self, *models: str) -> None:
        """Delete all records of these models, archived ones too."""
        for model in models:
            self.call(model, "unlink", self.call(model, "search", [], context={"active_test": False}))

    def rpc(self, service: str, method: str, *args: Any) -> Any:
        """Make one JSON-RPC call; an error is raised as AssertionError."""
        body = {
            "jsonrpc": "2.0",
            "method": "call",
            "id": 1,
            "params": {"service": service, "method": method, "args": args},
        }
        answer = self._session.post(f"{self.url}/jsonrpc", json=body, timeout=60, verify=self.ca_file).json()
        if "error" in answer:
            raise AssertionError(answer["error"]["data"]["message"])
        return answer.get("result")

    def call(self, model: str, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method of a model."""
        secret = self.key or self.password
        if self._uid is None:
            self._uid = self.rpc("common", "authenticate", self.database, "admin", secret, {})
        return self.rpc("object", "execute_kw", self.database, self._uid, secret, model, method, args, kwargs)
