# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox: an Odoo, a mail gateway and a small internet in containers on this machine.

  sandbox/sandbox up [NAMESPACE]      builds what is missing, starts it, waits until it answers
  sandbox/sandbox down [NAMESPACE]    removes the containers and the network (images stay)
  sandbox/sandbox clean               removes everything it made: containers, networks, images, .cache/sandbox
  sandbox/sandbox image NAME          builds one image if it is missing, prints its name
  sandbox/sandbox missing             prints the programs it needs that are not installed

NAMESPACE is `demo` (the default) or `test`; both can run side by side. Standard library only.
"""

from __future__ import annotations

import argparse
import sys

import containers
import images
import secretfiles


def main() -> int:
    """Run one verb; returns the exit code (2: something this machine lacks)."""
    parser = argparse.ArgumentParser(
        prog="sandbox", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("up", "down"):
        command = verbs.add_parser(verb)
        command.add_argument("namespace", nargs="?", default="demo", choices=sorted(containers.NAMESPACES))
    verbs.add_parser("clean")
    verbs.add_parser("image").add_argument("name", choices=sorted(images.RECIPES))
    verbs.add_parser("missing")
    arguments = parser.parse_args()

    missing = images.missing_programs()
    if arguments.verb == "missing":
        print("\n".join(missing))
        return 0
    if missing:
        print("The sandbox needs these programs: " + ", ".join(missing), file=sys.stderr)
        print("On Debian, as root: make tools. Elsewhere install them with your package manager.", file=sys.stderr)
        return 2
    try:
        if arguments.verb == "up":
            secretfiles.ensure(arguments.namespace)
            images.build(containers.NAMESPACES[arguments.namespace].machines)
            containers.up(arguments.namespace)
        elif arguments.verb == "down":
            containers.down(arguments.namespace)
        elif arguments.verb == "clean":
            for namespace in sorted(containers.NAMESPACES):
                containers.down(namespace)
            images.remove_all()
            secretfiles.remove_all()
        else:
            images.build([arguments.name])
            print(images.name_of(arguments.name))
    except images.SandboxError as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
