# SPDX-License-Identifier: GPL-3.0-or-later
"""The back ends of a configuration."""

from collections.abc import Mapping

from .addon import AddonBackend
from .backend import Backend, Forbidden, Result, Unavailable
from .config import Config, Database
from .directory import AliasList, MalformedList
from .quarantine import Quarantine

__all__ = ["Backend", "Forbidden", "Result", "Unavailable", "current_list", "open_backends"]


def open_backends(
    config: Config,
    tokens: Mapping[str, tuple[str, ...]],
    quarantine: Quarantine | None = None,
) -> dict[str, Backend]:
    """The back end of each configured database by its name, in order; the caller closes them.

    With `quarantine` they are those of a running bridge, of which the addon shows the last contact
    and the number of messages there. ConfigError if one cannot be set up.
    """
    return {
        database.name: _open(database, tokens[database.name], config.concurrency, quarantine)
        for database in config.databases
    }


def _open(
    database: Database,
    tokens: tuple[str, ...],
    concurrency: int,
    quarantine: Quarantine | None = None,
) -> Backend:
    if database.backend == "rpc":
        # XML-RPC takes 2 MB of memory, which most bridges can do without.
        from .rpc import RpcBackend

        return RpcBackend(database, tokens, concurrency)
    quarantined = (lambda: quarantine.messages) if quarantine else None
    return AddonBackend(database, tokens, concurrency, quarantined)


async def current_list(database: Database, tokens: tuple[str, ...]) -> AliasList:
    """One database's list as Odoo gives it now, for the command line.

    Raises what `Backend.alias_list` raises, with the database named.
    """
    backend = _open(database, tokens, concurrency=1)
    try:
        alias_list = await backend.alias_list(None)
    except Forbidden as error:
        raise Forbidden(f"{database.name}: {error}", error.detail) from None
    except Unavailable as error:
        raise Unavailable(f"{database.name}: {error}", error.detail) from None
    except MalformedList as error:
        raise MalformedList(f"{database.name}: malformed list: {error}") from None
    finally:
        await backend.close()
    assert alias_list is not None, "a 304 answers only an ETag"
    return alias_list
