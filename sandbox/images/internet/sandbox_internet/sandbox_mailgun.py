# SPDX-License-Identifier: GPL-3.0-or-later
"""sandbox-mailgun: what the simulated Mailgun was asked, and what it is to do wrong.

Faults:
"""

from __future__ import annotations

import argparse
import json
import sys
import urllib.error
import urllib.request
from typing import Any

from .mailgun.faults import FORMS

CONTROL = "http://127.0.0.1:8025"
WIDTH = max(len(form) for form in FORMS)


def main() -> None:
    arguments = vars(_arguments())
    command = arguments.pop("command")
    if command == "calls":
        calls = json.loads(_ask("GET", "/calls"))
        print(json.dumps(calls, indent=1) if arguments["json"] else "\n".join(map(_line, calls)))
    elif command == "fail":
        _ask("POST", "/faults", arguments)
    elif command == "reset":
        _ask("POST", "/reset", {})
    else:
        reason = arguments.pop("reason", "")
        _ask("POST", "/disabled", {**arguments, "reason": reason})


def _arguments() -> argparse.Namespace:
    forms = "".join(f"  {form:<{WIDTH}}  {what}\n" for form, what in FORMS.items())
    parser = argparse.ArgumentParser(
        prog="sandbox-mailgun",
        description=f"{__doc__}{forms}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    calls = commands.add_parser("calls", help="print the calls since the last reset, without values of forms")
    calls.add_argument("--json", action="store_true", help="print all facts as JSON")
    fail = commands.add_parser("fail", help="let the next calls fail")
    fail.add_argument("form", choices=FORMS, metavar="FAULT")
    fail.add_argument("--count", type=int, default=1, metavar="N", help="so many of them (default: 1)")
    fail.add_argument("--method", default="", help="only calls of this method")
    fail.add_argument("--path", default="", metavar="TEXT", help="only calls with this in their path")
    fail.add_argument("--seconds", type=float, default=1, help="how long a rate limit lasts (default: 1)")
    fail.add_argument("--carried-out", action="store_true", help="the work is done, and its answer is lost")
    for verb in ("disable", "enable"):
        switch = commands.add_parser(verb, help=f"{verb} a domain, as Mailgun's staff does")
        switch.add_argument("name", metavar="DOMAIN")
        switch.add_argument("--region", default="us", choices=["us", "eu"])
    commands.choices["disable"].add_argument("--reason", default="for testing", help="(default: for testing)")
    commands.add_parser("reset", help="forget calls, faults and domains")
    return parser.parse_args()


def _ask(method: str, path: str, body: object = None) -> bytes:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(CONTROL + path, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            found: bytes = answer.read()
            return found
    except urllib.error.HTTPError as error:
        sys.exit(f"sandbox-mailgun: {error.read().decode(errors='replace')}")
    except OSError as error:
        sys.exit(f"sandbox-mailgun: the simulator does not answer: {error}")


def _line(call: dict[str, Any]) -> str:
    what = call.get("fault") or call.get("status")
    return f"{call['region']}  {what}  {call['method']} {call['path']}  {' '.join(call['form'])}".rstrip()


if __name__ == "__main__":
    main()
