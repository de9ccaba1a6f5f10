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
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor

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
    folder: str = ""  # of the Containerfile, where it is not the image's name
    arguments: tuple[str, ...] = ()  # for the Containerfile, NAME=value


# The bases first, then what takes longest: in this order they are built, two at a time.
RECIPES = {
    "base-trixie": Recipe(suite="trixie"),
    "base-bullseye": Recipe(suite="bullseye"),
    "base-bookworm": Recipe(suite="bookworm"),
    "odoo": Recipe(base="base-trixie", package="odoo-19"),
    "odoo14": Recipe(
        base="base-bullseye",
        package="odoo-14",
        folder="odoo",
        arguments=("PACKAGE=odoo-14", "SUITE=", "MODULES=mail,crm,project,mass_mailing,fetchmail", "DATABASES="),
    ),
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
        digest.update(" ".join([name_of(recipe.base), *recipe.arguments]).encode())
        folder = _folder(name)
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return f"{PREFIX}{name}:{digest.hexdigest()[:12]}"


def _variable(name: str) -> str:
    return "MAILOPS_IMAGE_" + name.upper().replace("-", "_")


def _folder(name: str) -> pathlib.Path:
    folder: pathlib.Path = ROOT / "sandbox" / "images" / (RECIPES[name].folder or name)
    return folder


def build(names: Iterable[str]) -> None:
    """Build those of these images that are not there (all of them with REFRESH=1), and their bases; two at a time."""
    wanted = {name for name in names if _is_wanted(name)}
    wanted |= {base for name in wanted if (base := RECIPES[name].base) and _is_wanted(base)}
    with ThreadPoolExecutor(max_workers=2) as pool:
        # A base is started before what is made from it: who waits for one never keeps it from starting.
        builds: dict[str, Future[None]] = {}
        for name in [name for name in RECIPES if name in wanted]:
            builds[name] = pool.submit(_build, name, builds.get(RECIPES[name].base))
        for future in builds.values():
            future.result()


def _is_wanted(name: str) -> bool:
    if succeeds("podman", "image", "exists", name_of(name)):
        return bool(os.environ.get("REFRESH")) and not os.environ.get(_variable(name))
    if os.environ.get(_variable(name)):
        raise SandboxError(f"{_variable(name)} names {name_of(name)}, which does not exist here")
    return True


def _build(name: str, base: Future[None] | None) -> None:
    if base:
        base.result()
    recipe = RECIPES[name]
    if recipe.suite:
        _build_base(recipe.suite, name_of(name))
    else:
        _build_on(name_of(recipe.base), name, name_of(name))


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
    recipe = RECIPES[name]
    log = CACHE / "logs" / f"{name}.log"
    with stage(f"image {name}"):
        try:
            run(
                "podman", "build", "--network=host", "--tag", full,
                *(f"--build-arg={argument}" for argument in (f"BASE={base}", *recipe.arguments)), str(_folder(name)),
                log=log,
            )  # fmt: skip
        except SandboxError as error:
            raise SandboxError(
                f"{error}\n  If a package has gone from Debian's archive, name another image in {_variable(name)}."
            ) from None
        version = run("podman", "run", "--rm", full, "dpkg-query", "-W", "-f", "${Version}", recipe.package)
        run(
            "podman", "build", "--tag", full, "--label", f"mailops.{recipe.package}={version}", "--file", "-", ".",
            text_input=f"FROM {full}\n",
        )  # fmt: skip


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
