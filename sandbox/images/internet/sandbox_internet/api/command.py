# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands by which a simulated API is asked what came, and told what to do wrong."""

from __future__ import annotations

import argparse
import json
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from .faults import Form


class Command:
    """The command of a simulator whose control listens at `control`; `commands` are its subcommands."""

    def __init__(self, name: str, description: str, forms: Mapping[str, Form], control: str) -> None:
        self.name = name
        self._control = control
        width = max(len(form) for form in forms)
        shown = "".join(f"  {form:<{width}}  {what.text}\n" for form, what in forms.items())
        self._parser = argparse.ArgumentParser(
            prog=name,
            description=f"{description}\n\nFaults:\n{shown}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        self.commands = self._parser.add_subparsers(dest="command", required=True)
        calls = self.commands.add_parser("calls", help="print the calls since the last reset, without secrets")
        calls.add_argument("--json", action="store_true", help="print all facts as JSON")
        fail = self.commands.add_parser("fail", help="let the next calls fail")
        fail.add_argument("form", choices=forms, metavar="FAULT")
        fail.add_argument("--count", type=int, default=1, metavar="N", help="so many of them (default: 1)")
        fail.add_argument("--after", type=int, default=0, metavar="N", help="after so many that go well (default: 0)")
        fail.add_argument("--method", default="", help="only calls of this method")
        fail.add_argument("--path", default="", metavar="TEXT", help="only calls with this in their path")
        fail.add_argument("--seconds", type=float, default=1, help="how long a rate limit lasts (default: 1)")
        fail.add_argument("--carried-out", action="store_true", help="the work is done, and its answer is lost")
        self.commands.add_parser("reset", help="forget calls and faults, and go back to the state at the start")

    def run(self) -> dict[str, Any] | None:
        """Do what was asked for; return the arguments of a subcommand that is not one of every simulator."""
        arguments = vars(self._parser.parse_args())
        command = arguments.pop("command")
        if command == "calls":
            calls = json.loads(self.ask("GET", "/calls"))
            print(json.dumps(calls, indent=1) if arguments["json"] else "\n".join(map(_line, calls)))
        elif command == "fail":
            self.ask("POST", "/faults", arguments)
        elif command == "reset":
            self.ask("POST", "/reset", {})
        else:
            return arguments
        return None

    def ask(self, method: str, path: str, body: object = None) -> bytes:
        """Call the control; exit with its reason if it refuses."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self._control + path, data, {"Content-Type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                found: bytes = answer.read()
                return found
        except urllib.error.HTTPError as error:
            sys.exit(f"{self.name}: {error.read().decode(errors='replace')}")
        except OSError as error:
            sys.exit(f"{self.name}: the simulator does not answer: {error}")


def _line(call: dict[str, Any]) -> str:
    what = call.get("fault") or call.get("status")
    place = [call["region"]] if "region" in call else []
    return "  ".join([*place, str(what), f"{call['method']} {call['path']}", *_details(call)])


def _details(call: dict[str, Any]) -> list[str]:
    """Return the names in a form, and what a query filters."""
    query = " ".join(f"{name}={value}" for name, value in call["query"].items())
    return [text for text in (query, " ".join(call.get("form", []))) if text]
