"""What a revocation would find: sessions and keys to end, the file that holds the secret, the containers to make again. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.errors import Conflict, VccError
from bot.ops.bundle import Ops
from bot.ops.mongo_access import UserAccess, account_of, with_password
from bot.ops.overview import probe
from bot.ops.own_container import is_own
from bot.security.revoke import ADDRESSES, REQUIREPASS
from bot.security.revoke_journal import Kind

_WORKER = "backend"
_DEADLINE = 3.0
_TOKENS = ("JWT_SECRET", "SESSION_SECRET")
_PASSWORDS: Mapping[Kind, str] = {"mongodb-password": "MONGO_ROOT_PASSWORD", "redis-password": "REDIS_PASSWORD"}


@dataclass(frozen=True, slots=True)
class Sight:
    """The live state. ``containers`` are (service, id) of what has to be made again, in order; ``names`` the file's variables.

    ``differs``: the file does not say what runs now, so it may not be the one that Compose reads.
    """

    kind: Kind
    user: UserAccess | None = None
    account: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    file: str = ""
    names: tuple[str, ...] = ()
    containers: tuple[tuple[str, str], ...] = ()
    queues: tuple[str, ...] = ()
    differs: bool = False

    @property
    def who(self) -> str:
        """The user's id; empty when it is about nobody."""
        return self.user.id if self.user else ""

    @property
    def services(self) -> tuple[str, ...]:
        """The services to make again."""
        return tuple(dict.fromkeys(name for name, _ in self.containers))


async def look(ops: Ops, kind: Kind, who: str) -> Sight:
    """VccError, saying what is missing, when it cannot be done."""
    access = ops.mongo.access
    if kind == "sessions":
        return Sight(kind, counts={"sessions": await access.sessions()})
    if kind == "api-keys":
        return Sight(kind, counts={"keys": await access.keys()})
    if kind == "user":
        user = await access.user(who)
        return Sight(kind, user, counts={"sessions": user.sessions, "keys": user.keys})
    running = await _running(ops)
    return await (_tokens(ops, running) if kind == "tokens" else _password(ops, kind, running))


@dataclass(frozen=True, slots=True)
class _Container:
    service: str
    id: str
    environment: Mapping[str, str]
    words: Sequence[str]


async def _running(ops: Ops) -> list[_Container]:
    found = []
    for each in await ops.containers.services():
        if is_own(each.container_id):  # it would stop itself half-way; its own settings are changed by hand
            continue
        config: Mapping[str, Any] = (await ops.containers.inspect(each.container_id)).get("Config") or {}
        environment = dict(entry.partition("=")[::2] for entry in config.get("Env") or ())
        words = [*(config.get("Entrypoint") or ()), *(config.get("Cmd") or ())]
        found.append(_Container(each.name, each.container_id, environment, words))
    return found


async def _tokens(ops: Ops, running: Sequence[_Container]) -> Sight:
    with_secret = [each for each in running if each.environment.get(_TOKENS[0])]
    if not with_secret:
        raise Conflict("revoke.no_variable", name=_TOKENS[0])
    names = tuple(name for name in _TOKENS if any(each.environment.get(name) for each in with_secret))
    file = await ops.env_files.holding(names)
    told, sessions = with_secret[0].environment, await probe("mongodb", lambda: ops.mongo.access.sessions(), _DEADLINE)
    return Sight(
        "tokens",
        counts={} if isinstance(sessions, VccError) else {"sessions": sessions},  # the new secrets do not wait for the database
        file=file.shown,
        names=names,
        containers=tuple((each.service, each.id) for each in with_secret),
        differs=any(file.value(name) not in ("", told[name]) for name in names if name in told),
    )


async def _password(ops: Ops, kind: Kind, running: Sequence[_Container]) -> Sight:
    name = _PASSWORDS[kind]
    address = ADDRESSES[name]
    users = [each for each in running if each.environment.get(address)]
    backend = next((each for each in users if each.service == _WORKER), None)
    if backend is None:
        raise Conflict("revoke.no_variable", name=address)
    servers = [each for each in running if kind == "redis-password" and REQUIREPASS in each.words[:-1]]
    if kind == "redis-password" and not servers:
        raise Conflict("revoke.no_option", option=REQUIREPASS)
    account = account_of(backend.environment[address]) if kind == "mongodb-password" else ""
    if kind == "mongodb-password" and not account:
        raise Conflict("revoke.no_account")
    users = [each for each in users if not account or account_of(each.environment[address]) == account]
    file = await ops.env_files.holding((name,))
    queues = await ops.bull.queues() if kind == "redis-password" else ()
    old = file.value(name)
    return Sight(
        kind,
        account=account,
        file=file.shown,
        names=(name,),
        containers=tuple((each.service, each.id) for each in [*servers, *users]),
        queues=tuple(queue.name for queue in queues if not queue.is_paused),
        differs=bool(old) and with_password(backend.environment[address], old) != backend.environment[address],
    )
