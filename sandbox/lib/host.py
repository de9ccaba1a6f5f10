# SPDX-License-Identifier: GPL-3.0-or-later
"""Running podman and showing progress; what every part of the sandbox shares."""

from __future__ import annotations

import contextlib
import os
import pathlib
import resource
import subprocess
import sys
import time
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "sandbox"


class SandboxError(Exception):
    """Something could not be done; the text says what and what to do."""


def environment() -> dict[str, str]:
    """Return the environment for podman: a containers.conf that runs within this machine's limits.

    A container asking for more open files than the caller may have is refused by runc, and crun refuses
    hybrid cgroups; so both are set, for our containers only.
    """
    config = CACHE / "containers.conf"
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = f'[containers]\ndefault_ulimits = ["nofile=1024:{hard}", "nproc=4096:4096"]\n[engine]\nruntime = "runc"\n'
    if not config.exists() or config.read_text() != wanted:
        CACHE.mkdir(parents=True, exist_ok=True)
        config.write_text(wanted)
    path = os.environ.get("PATH", "") + os.pathsep + "/usr/sbin"
    return {**os.environ, "CONTAINERS_CONF": str(config), "PATH": path}


def run(*argv: str, log: pathlib.Path | None = None, quiet: bool = False, text_input: str | None = None) -> str:
    """Run a program and return its output; its whole output goes to `log` when given.

    Raises SandboxError with the last lines of the output, unless `quiet`, when it fails.
    """
    result = subprocess.run(
        argv,
        env=environment(),
        input=text_input,
        text=True,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if log else subprocess.PIPE,
    )
    if log:
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text(result.stdout)
    if result.returncode and not quiet:
        output = (result.stderr or result.stdout).strip().splitlines()
        hint = f" (whole output: {log})" if log else ""
        raise SandboxError(f"`{' '.join(argv[:4])} …` failed{hint}:\n  " + "\n  ".join(output[-8:]))
    return result.stdout


def succeeds(*argv: str) -> bool:
    """Whether a program exits with 0; its output is dropped."""
    return (
        subprocess.run(
            argv, env=environment(), check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ).returncode
        == 0
    )


@contextlib.contextmanager
def stage(title: str) -> Iterator[None]:
    """Print what is being done, and how many seconds it took."""
    started = time.monotonic()
    print(f"  … {title}", file=sys.stderr, flush=True)
    yield
    print(f"  ✓ {title}  {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)
