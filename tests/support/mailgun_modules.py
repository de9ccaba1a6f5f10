# SPDX-License-Identifier: GPL-3.0-or-later
"""Our Mailgun modules with a connection to a simulator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.certificates import Authority
from support.mailgun import LOOPBACK, Mailgun
from support.modules import run_module
from support.scripted_smtp import serving
from support.submission import submission


class Modules:
    """Runs our modules against a simulator; `smtp` are the options that lead to its submission server."""

    def __init__(self, mailgun: Mailgun, smtp: dict[str, Any]) -> None:
        self.mailgun = mailgun
        self.smtp = smtp

    def options(self, module: str, **options: Any) -> dict[str, Any]:
        """Return a module's options with the connection; an option that is None here is left out."""
        connection = {"api_key": self.mailgun.key, "api_url": self.mailgun.us}
        smtp = self.smtp if module.startswith("credential") else {}
        return {name: value for name, value in {**connection, **smtp, **options}.items() if value is not None}

    def run(self, module: str, *, changed: bool = True, **options: Any) -> dict[str, Any]:
        """Run a module, which must go well and change something, or nothing."""
        result = run_module(f"mailgun_{module}", self.options(module, **options))
        assert not result.get("failed"), result["msg"]
        assert result["changed"] is changed, result
        return result

    def check(self, module: str, **options: Any) -> dict[str, Any]:
        """Run a module in check mode."""
        result = run_module(f"mailgun_{module}", self.options(module, **options), check=True)
        assert not result.get("failed"), result["msg"]
        return result

    def unchanged(self, module: str, **options: Any) -> None:
        """Assert that a module has nothing to do."""
        result = self.run(module, changed=False, **options)
        assert (result["changes"], result["diff"]) == ([], {"before": "", "after": ""})

    def failed(self, module: str, *, check: bool = False, **options: Any) -> dict[str, Any]:
        """Run a module, which must fail, without a secret in what it says."""
        result = run_module(f"mailgun_{module}", self.options(module, **options), check=check)
        assert result.get("failed"), result
        assert "canary" not in str({**result, "invocation": None})
        return result


def anybody(login: str) -> bool:
    """Let anybody log in who has the right password."""
    return True


@contextmanager
def simulated(folder: Path, host: str = LOOPBACK, let: Callable[[str], bool] = anybody) -> Iterator[Modules]:
    """Yield our modules with a simulator of their own; it neither limits verification nor takes long to delete.

    Its submission server is at this address, and refuses a login that has the right password unless it is `let` in.
    """
    authority = Authority(folder)
    with Mailgun(folder / "mailgun.json", verify_interval=0.0, deletion_time=0.0) as mailgun:

        def right(login: str, password: bytes) -> bool:
            return mailgun.simulator.state.authenticates("us", login, password) and let(login)

        with serving(submission(authority.server(host), right), host) as server:
            smtp = {"smtp_host": host, "smtp_port": server.port, "smtp_ca_file": authority.ca_file}
            yield Modules(mailgun, smtp)
