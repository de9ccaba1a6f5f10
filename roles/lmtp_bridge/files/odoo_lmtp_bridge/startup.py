# SPDX-License-Identifier: GPL-3.0-or-later
"""What the daemon needs of its machine: each function takes it or raises ConfigError, which names
the place and the remedy, before any mail is taken."""

import errno
import fcntl
import os
import pwd
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .config import ConfigError, Listen

_BACKLOG = 1024
_POSTFIX = "postfix"


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def require_directory(path: Path, mode: int = 0o755) -> None:
    """The directory at `path`, made if it is not there, is one to write in."""
    try:
        path.mkdir(mode=mode, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be made: {error.strerror}; {_give(path)}") from None
    require_writable(path)


def require_private_directory(path: Path) -> None:
    """The directory at `path` is one that nobody else can look into."""
    require_directory(path, 0o700)
    try:
        path.chmod(0o700)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be made private: {error.strerror}") from None


def require_writable(path: Path) -> None:
    """What is at `path`, if anything, can be changed by this process and is its user's."""
    if not path.exists():
        return
    if not os.access(path, os.W_OK | (os.X_OK if path.is_dir() else 0)):
        raise ConfigError(f"{path}: not writable by {_user()}; {_give(path)}")


def require_own(path: Path) -> None:
    """The directory at `path` is not another user's.

    Root can write anywhere, but what it leaves in the service's directories the service cannot
    change any more, and who took over the service could lead root astray there.
    """
    owner = path.stat().st_uid
    if owner != os.geteuid():
        raise ConfigError(
            f"{path}: belongs to user {owner}, this is {_user()}: let systemd run the bridge "
            "(systemctl start odoo-lmtp-bridge), or run it as that user, or name another "
            "state_directory"
        )


def _give(path: Path) -> str:
    return f"let {_user()} write there (chown {_user()} {path}), or name another place"


@contextmanager
def unix_listener(path: Path) -> Iterator[socket.socket]:
    """A new listening socket at `path` for as long as it lasts: 0600, for root with Postfix's user
    as its owner.

    What another process listens on, or is no socket, is never removed; what nobody listens on
    any more is.
    """
    try:
        with exclusive(path.parent):
            listener = _listen_unix(path)
            inode = path.lstat().st_ino
    except FileNotFoundError:
        raise ConfigError(
            f"socket: {path.parent} is not there; below Postfix's queue it is made by Postfix's "
            "first start: postfix start"
        ) from None
    except PermissionError:
        raise ConfigError(
            f"socket: {path.parent} is not writable by {_user()}: let systemd make the socket "
            "(systemctl start odoo-lmtp-bridge.socket), or start as root, or name another place"
        ) from None
    except OSError as error:
        raise ConfigError(f"socket: {path}: {error.strerror or error}") from None
    try:
        yield listener
    finally:
        listener.close()
        with suppress(OSError):
            if path.lstat().st_ino == inode:
                path.unlink()


def _listen_unix(path: Path) -> socket.socket:
    if path.is_symlink() or path.exists():
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise ConfigError(f"socket: {path} is there and is no socket: name another place")
        if _is_live(path):
            raise ConfigError(
                f"socket: another process listens on {path}: stop it (systemctl stop "
                "odoo-lmtp-bridge.socket odoo-lmtp-bridge.service, if it is systemd's), or name "
                "another place"
            )
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        umask = os.umask(0o177)
        try:
            listener.bind(str(path))
        finally:
            os.umask(umask)
        if os.geteuid() == 0:
            with suppress(KeyError):
                os.chown(path, pwd.getpwnam(_POSTFIX).pw_uid, -1, follow_symlinks=False)
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def _is_live(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        # A full queue of a live socket is an error as well, and no reason to wait.
        client.setblocking(False)
        try:
            client.connect(str(path))
        except ConnectionRefusedError:
            return False
        except OSError:
            return True
    return True


@contextmanager
def exclusive(directory: Path) -> Iterator[None]:
    """One process after the other does something in `directory`."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def listen_tcp(key: str, address: Listen) -> socket.socket:
    """A new listening socket at `address`; `key` names it in the configuration."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address.host, address.port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        remedy = {
            errno.EADDRINUSE: f"in use by another program (ss -ltnp 'sport = :{address.port}' "
            "shows which): stop it, or name another port",
            errno.EADDRNOTAVAIL: "not an address of this machine (ip address lists those)",
            errno.EACCES: "only root may listen on a port below 1024: name a higher one",
        }
        why = remedy.get(error.errno or 0, error.strerror)
        raise ConfigError(f"{key}: {address}: {why}") from None
    return listener
