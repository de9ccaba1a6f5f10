# SPDX-License-Identifier: GPL-3.0-or-later
"""Running our modules as Ansible does, without the half second a playbook needs to start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parents[2]
COLLECTIONS = ROOT / ".ansible" / "collections"


def clean_environment() -> dict[str, str]:
    """Return the environment without what a shell may hold for our modules."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("ODOO_", "REQUESTS_CA"))}


def run_module(name: str, options: dict[str, Any], *, check: bool = False) -> dict[str, Any]:
    """Run a module in a process of its own; return its JSON result (`failed` is set when it failed)."""
    arguments = {"ANSIBLE_MODULE_ARGS": {**options, "_ansible_check_mode": check, "_ansible_diff": True}}
    done = subprocess.run(
        [sys.executable, "-m", f"ansible_collections.mailops.odoo.plugins.modules.{name}"],
        input=json.dumps(arguments),
        env={**clean_environment(), "PYTHONPATH": str(COLLECTIONS)},
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=False,
    )
    if not done.stdout.strip():
        raise AssertionError(f"{name} printed no result:\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


@contextmanager
def recorded(target: str, ca_file: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield the URL of a proxy to `target`, and the list of calls (model, method) that went through it."""
    calls: list[tuple[str, str]] = []
    session = requests.Session()

    class Proxy(BaseHTTPRequestHandler):
        """Notes each JSON-RPC call and passes it on."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            params = json.loads(body)["params"]
            args = params["args"]
            calls.append((args[3], args[4]) if params["service"] == "object" else (params["service"], params["method"]))
            headers = {"Content-Type": "application/json"}
            answer = session.post(target + self.path, data=body, headers=headers, timeout=60, verify=ca_file)
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, format: str, *args: Any) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", calls
    finally:
        server.shutdown()
        server.server_close()
