# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox's images: built once, cached by the content of their recipe."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import pathlib
import re
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor

from host import CACHE, ROOT, SandboxError, run, stage, succeeds

PREFIX = "localhost/mailops-"
PROGRAMS = ("podman", "runc", "iptables", "mmdebstrap", "openssl")
BASE_PACKAGES = "systemd,systemd-sysv,dbus,python3,python3-apt,iproute2,ca-certificates"
EXCLUDED = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*")


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How one image is made: from a Debian release (`suite`) or a Containerfile on top of `base`."""

    base: str = ""
    suite: str = ""
    package: str = ""  # whose version the image's label holds


RECIPES = {
    "base-bookworm": Recipe(suite="bookworm"),
    "base-trixie": Recipe(suite="trixie"),
    "odoo": Recipe(base="base-trixie", package="odoo-19"),
    "gateway": Recipe(base="base-bookworm", package="postfix"),
    "internet": Recipe(base="base-bookworm", package="bind9"),
}


def missing_programs() -> list[str]:
    """Return the programs that are needed and not installed."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return [program for program in PROGRAMS if shutil.which(program, path=path) is None]


def name_of(name: str) -> str:
    """Return the full name of an image: its tag is a hash over recipe, files and base."""
    override = os.environ.get(_variable(name))
    if override:
        return override
    recipe = RECIPES[name]
    digest = hashlib.sha256()
    if recipe.suite:
        digest.update(f"{recipe.suite} {BASE_PACKAGES} {EXCLUDED}".encode())
    else:
        digest.update(name_of(recipe.base).encode())
        folder = ROOT / "sandbox" / "images" / name
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return f"{PREFIX}{name}:{digest.hexdigest()[:12]}"


def _variable(name: str) -> str:
    return "MAILOPS_IMAGE_" + name.upper().replace("-", "_")


def build(name: str) -> str:
    """Return the image's full name, after building it if it is not there (or REFRESH=1 is set)."""
    full = name_of(name)
    recipe = RECIPES[name]
    if succeeds("podman", "image", "exists", full) and not os.environ.get("REFRESH"):
        return full
    if os.environ.get(_variable(name)):
        raise SandboxError(f"{_variable(name)} names {full}, which does not exist here")
    if recipe.suite:
        _build_base(recipe.suite, full)
    else:
        _build_on(build(recipe.base), name, full)
    return full


def _build_base(suite: str, full: str) -> None:
    with stage(f"image of Debian {suite}"), tempfile.TemporaryDirectory(dir=_scratch()) as folder:
        archive = pathlib.Path(folder) / "base.tar"
        run(
            "mmdebstrap", "--variant=minbase", f"--include={BASE_PACKAGES}",
            *(f"--dpkgopt=path-exclude={path}" for path in EXCLUDED),
            suite, str(archive), _mirror(), log=CACHE / "logs" / f"base-{suite}.log",
        )  # fmt: skip
        run("podman", "import", str(archive), full)


def _build_on(base: str, name: str, full: str) -> None:
    folder = ROOT / "sandbox" / "images" / name
    log = CACHE / "logs" / f"{name}.log"
    with stage(f"image {name}"):
        try:
            run(
                "podman", "build", "--network=host", "--tag", full, "--build-arg", f"BASE={base}", str(folder),
                log=log,
            )  # fmt: skip
        except SandboxError as error:
            raise SandboxError(
                f"{error}\n  If a package has gone from Debian's archive, name another image in {_variable(name)}."
            ) from None
        package = RECIPES[name].package
        version = run("podman", "run", "--rm", full, "dpkg-query", "-W", "-f", "${Version}", package)
        run(
            "podman", "build", "--tag", full, "--label", f"mailops.{package}={version}", "--file", "-", ".",
            text_input=f"FROM {full}\n",
        )  # fmt: skip


def build_all() -> None:
    """Build what is missing, two at a time; the bases come first."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(build, [name for name, recipe in RECIPES.items() if recipe.suite]))
        list(pool.map(build, [name for name, recipe in RECIPES.items() if not recipe.suite]))


def remove_all() -> None:
    """Remove every image the sandbox made, of any recipe."""
    listed = run("podman", "images", "--format", "{{.Repository}}:{{.Tag}}").split()
    for image in [image for image in listed if image.startswith(PREFIX)]:
        run("podman", "rmi", "--force", image)


def _scratch() -> pathlib.Path:
    folder: pathlib.Path = CACHE / "build"
    folder.mkdir(parents=True, exist_ok=True)

    return folder


def _mirror() -> str:
    """Return the Debian mirror that this machine's own apt uses."""
    sources = [pathlib.Path("/etc/apt/sources.list"), *sorted(pathlib.Path("/etc/apt/sources.list.d").glob("*"))]
    for source in sources:
        text = source.read_text(errors="replace") if source.is_file() else ""
        found = re.search(r"^(?:URIs:|deb(?: \[[^]]*\])?) *(\S+/debian)/?\s", text, re.MULTILINE)
        if found:
            return found.group(1)
    raise SandboxError("no Debian mirror in this machine's apt configuration: MAILOPS_IMAGE_BASE_* can name images")
