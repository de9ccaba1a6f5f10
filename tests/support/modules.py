# SPDX-License-Identifier: GPL-3.0-or-later
"""Running our modules as Ansible does, without the half second a playbook needs to start."""

from __future__ import annotations

import importlib
import io
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest import mock

import pytest
import requests
from ansible.module_utils import _internal, basic
from ansible.module_utils.common import warnings


def clean_environment() -> dict[str, str]:
    """Return the environment without what a shell may hold for our modules."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CLOUDFLARE_", "DIGITALOCEAN_", "MAILGUN_", "ODOO_", "REQUESTS_CA"))
    }


def run_module(name: str, options: dict[str, Any], *, check: bool = False, no_log: bool = False) -> dict[str, Any]:
    """Run a module as Ansible's wrapper does; return its JSON result (`failed` is set when it failed).

    It runs in this process, which saves half a second for a new interpreter each time. The tests of the examples, of
    the secrets and of the site run modules through ansible-playbook.
    """
    arguments = {
        "ANSIBLE_MODULE_ARGS": {
            **options,
            "_ansible_check_mode": check,
            "_ansible_diff": True,
            "_ansible_no_log": no_log,
        }
    }
    module = importlib.import_module(f"ansible_collections.mailops.odoo.plugins.modules.{name}")
    printed = io.StringIO()
    with (
        mock.patch.object(basic, "_ANSIBLE_ARGS", json.dumps(arguments).encode()),
        mock.patch.object(basic, "_ANSIBLE_PROFILE", "legacy", create=True),
        mock.patch.object(warnings, "_global_warnings", {}),
        # Tests that use Ansible's vault bring in the controller's half, which would print warnings.
        mock.patch.object(_internal, "is_controller", False),
        mock.patch.dict(os.environ, clean_environment(), clear=True),
        redirect_stdout(printed),
        pytest.raises(SystemExit),
    ):
        module.main()
    result: dict[str, Any] = json.loads(printed.getvalue())
    return result


def warned(result: dict[str, Any]) -> list[str]:
    """Return the texts of a result's warnings."""
    return [warning["event"]["msg"] for warning in result.get("warnings", [])]


def _called(path: str, body: dict[str, Any]) -> tuple[str, str]:
    """Return model and method of a call in either protocol."""
    if path.startswith("/json/2/"):
        model, method = path.split("/")[3:]
        return model, method
    service, method, args = (body["params"][name] for name in ("service", "method", "args"))
    return (args[3], args[4]) if service == "object" else (service, method)


@contextmanager
def recorded(target: str, ca_file: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield the URL of a proxy to `target`, and the list of calls (model, method) that went through it."""
    calls: list[tuple[str, str]] = []
    session = requests.Session()

    class Proxy(BaseHTTPRequestHandler):
        """Notes each call and passes it on."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            calls.append(_called(self.path, json.loads(body)))
            wanted = ("Content-Type", "Authorization", "X-Odoo-Database")
            headers = {name: self.headers[name] for name in wanted if name in self.headers}
            answer = session.post(target + self.path, data=body, headers=headers, timeout=60, verify=ca_file)
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def do_GET(self) -> None:
            """Pass on what is no call; the cookies that come of it stay with the proxy."""
            answer = session.get(target + self.path, timeout=60, verify=ca_file, allow_redirects=False)
            self.send_response(answer.status_code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    thread = threading.Thread(target=server.serve_forever, args=[0.01], daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", calls
    finally:
        server.shutdown()
        server.server_close()
