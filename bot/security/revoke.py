"""Takes access away: sessions, tokens, one user, API keys, the databases' passwords. Each step is noted when it is over.

Steps can be done twice without harm, so whoever comes after a crash or a failure just goes on. A service that is cut off is not made
again before it rejoins. Knows nothing of chat; no secret leaves but into the files and the servers that need it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bot.errors import Conflict, Denied, OutsideError, Refusal, VccError
from bot.ops import page_proxy
from bot.ops.bounded import to_the_end
from bot.ops.bundle import Ops
from bot.ops.container_making import Changes
from bot.ops.dump_files import write_file
from bot.ops.env_files import EnvFile
from bot.ops.mongo_access import account_of, with_password
from bot.ops.overview import probe
from bot.ops.own_container import is_own
from bot.ops.recreate import Recreate
from bot.security.isolation import Held, Isolated, Isolations, Rejoined
from bot.security.revoke_journal import Revocation, RevokeJournal

DRAIN_WITHIN = 120.0
_OPEN_WITHIN = 60.0
_POLL = 1.0
_LOGGED_IN_WITHIN = 5.0
REQUIREPASS = "--requirepass"
# Which variable of a container holds an address with the password of what a variable of the file names.
ADDRESSES = {"MONGO_ROOT_PASSWORD": "MONGODB_URI", "REDIS_PASSWORD": "REDIS_URL"}

Say = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Ending:
    """How far a revocation came. ``waiting`` are services that are made again when they rejoin; ``failure`` what ended it early."""

    revocation: Revocation
    waiting: tuple[str, ...] = ()
    failure: VccError | None = None
    failed_at: str = ""
    page: bool = True

    @property
    def over(self) -> bool:
        """Whether nothing is left to do."""
        return self.failure is None and not self.waiting


class Revoking:
    """Revocations of one deployment; their state lies in ``home``. ``learn`` is told new secrets before anything else is done."""

    def __init__(self, ops: Ops, home: Path, learn: Callable[[Iterable[str]], None], say: Say = lambda _step, _subject: None) -> None:
        self._ops = ops
        self._learn = learn
        self._say = say
        self._page = True
        self.journal = RevokeJournal(home)
        self.isolations = Isolations(ops, home, say)
        self._recreate = Recreate(ops.containers, home / "recreate", lambda step, service: say(f"recreate_{step}", service))

    async def run(self, revocation: Revocation) -> Ending:
        """Do what is left of it. A new one that could not even begin is forgotten: it may never become possible."""
        self._learn([*revocation.values.values(), *revocation.before])
        is_new, waiting = self.journal.read(revocation.kind) is None, list[str]()
        now = self.journal.write(revocation)
        await self.know()
        for step in revocation.left:
            name, _, service = step.partition(":")
            if service and self.isolations.kept(service) is not None:
                waiting.append(service)
                continue
            self._say(name, service)
            try:
                count = await self._do(now, name, service)
            except VccError as failure:
                if is_new and not now.done and isinstance(failure, Refusal):
                    self.journal.forget(now)
                return Ending(now, tuple(waiting), failure, step, self._page)
            now = self.journal.write(now.after(step, count))
        if not waiting:
            self.journal.clear(now.kind, keep=now.copy)
        return Ending(now, tuple(waiting), page=self._page)

    async def rejoin(self, isolated: Isolated) -> tuple[Rejoined, Ending]:
        """Put a service back that waits to be made again: never as it was, with what was revoked. Once more after a crash: goes on."""
        pending = self._waiting(isolated.service)
        if not pending:
            raise Conflict("revoke.nothing_left")
        self._learn(value for each in pending for value in each.values.values())
        await self._recreate.recover(isolated.service)
        missing = [held.standing.container_name for held in isolated.containers if not await self._comes_back(pending, held)]
        rejoined = await self.isolations.settled(isolated, tuple(missing))
        endings = [await self.run(each) for each in pending]
        return rejoined, next((each for each in endings if not each.over), endings[-1])

    def waits_for(self, service: str) -> bool:
        """Whether a service has to be made again when it rejoins."""
        return bool(self._waiting(service))

    async def reopen(self) -> tuple[str, ...]:
        """The queues that a crash left closed, open again while Redis still has its old password: nobody may go on for hours.

        Going on closes them once more.
        """
        pending = self.journal.read("redis-password")
        if pending is None or not pending.queues or {"recreate:redis", "open"} & {*pending.done}:
            return ()
        self._learn([*pending.values.values(), *pending.before])
        await self.know()
        await self._open(pending)
        self.journal.write(replace(pending, done=tuple(step for step in pending.done if step != "close")))
        return pending.queues

    async def know(self) -> None:
        """After a restart the bot's settings may still have a password of before: of those in the journal, use the one in force."""
        for each in self.journal.all():
            candidates = (*each.values.values(), *each.before)
            if each.kind == "redis-password":
                await self._log_in(lambda: self._ops.redis.ping(), [{"redis": value} for value in candidates])
            elif each.kind == "mongodb-password" and self._ops.logs_in_as() == each.account:
                await self._log_in(lambda: self._ops.mongo.ping(), [{"mongodb": value} for value in candidates])

    async def _log_in(self, ping: Callable[[], Awaitable[object]], candidates: Sequence[Mapping[str, str]]) -> None:
        for candidate in candidates:
            if not isinstance(await probe("login", ping, _LOGGED_IN_WITHIN), Denied):
                return
            await self._ops.rekey(**candidate)

    def _waiting(self, service: str) -> list[Revocation]:
        """Those that have come as far as making this service again."""
        held = {each.service for each in self.isolations.all()}
        return [each for each in self.journal.all() if each.ripe(service, held)]

    async def _comes_back(self, pending: Sequence[Revocation], held: Held) -> bool:
        """Whether there is a container again of this name: this one made again, or what a try before, or somebody, made of it."""
        making = self._ops.containers.making
        if await making.id_of(held.standing.container_id):
            await self._again(pending, held.standing.container_id, held)
            return True
        return bool(await making.id_of(held.standing.container_name))

    async def _do(self, revocation: Revocation, step: str, service: str) -> int | None:
        """One step; how many it found, when it counts."""
        if revocation.values and not revocation.done:
            await self._keep_copy(revocation)
        if step == "sessions":
            return await self._ops.mongo.access.end_sessions(revocation.who)
        if step == "keys":
            return await self._ops.mongo.access.revoke_keys(revocation.who)
        if step == "recreate":
            await self._made_again(revocation, service)
        elif step == "user":
            await self._ops.mongo.access.set_active(revocation.who, active=False)
        elif step == "page":
            self._page = await page_proxy.reconnect(self._ops)
        else:
            acts = {"password": self._change_password, "file": self._write_file, "close": self._close, "open": self._open}
            await acts[step](revocation)
        return None

    async def _keep_copy(self, revocation: Revocation) -> EnvFile:
        """The environment file; what it was before the first attempt is kept before anything is changed."""
        file = await self._ops.env_files.holding(tuple(revocation.values))

        def keep() -> None:
            self.journal.copies.mkdir(mode=0o700, parents=True, exist_ok=True)
            copy = self.journal.copies / revocation.copy
            if not copy.exists():
                write_file(copy, file.content)

        await asyncio.to_thread(keep)
        return file

    async def _write_file(self, revocation: Revocation) -> None:
        file = await self._keep_copy(revocation)
        addresses = {ADDRESSES[name]: value for name, value in revocation.values.items() if name in ADDRESSES}
        whole = {name: with_password(file.value(name), value) for name, value in addresses.items() if file.value(name)}
        await asyncio.to_thread(lambda: file.write(file.changed({**revocation.values, **whole})))

    async def _change_password(self, revocation: Revocation) -> None:
        """In the database; also when that was done before a crash."""
        new = next(iter(revocation.values.values()))
        await self._ops.mongo.access.change_password(revocation.account, new)
        if self._ops.logs_in_as() == revocation.account:
            await self._ops.rekey(mongodb=new)

    async def _made_again(self, revocation: Revocation, service: str) -> None:
        await self._recreate.recover(service)
        for each in await self._ops.containers.replicas(service):
            if not is_own(each.container_id):
                await self._again([revocation], each.container_id, None)
        if service == "redis":
            await self._ops.rekey(redis=revocation.values["REDIS_PASSWORD"])
            await self._answers()

    async def _again(self, revocations: Sequence[Revocation], container_id: str, held: Held | None) -> None:
        inspected = await self._ops.containers.inspect(container_id)
        changes = [changes_for(inspected, each.values, each.account) for each in revocations]
        environment = {name: value for each in changes for name, value in each.environment.items()}
        options = {name: value for each in changes for name, value in each.options.items()}
        changed = Changes(environment, options)
        if held is not None:
            await self._recreate.again(container_id, changed, held.standing, running=held.running)
        elif environment or options:
            await self._recreate.again(container_id, changed)

    async def _answers(self) -> None:
        ends = time.monotonic() + _OPEN_WITHIN
        while True:
            try:
                await self._ops.redis.ping()
            except OutsideError:
                if time.monotonic() >= ends:
                    raise
            else:
                return
            await asyncio.sleep(_POLL)

    async def _close(self, revocation: Revocation) -> None:
        """Let no job begin, and those that are worked on end. Conflict when they do not: then all is open again."""
        for name in revocation.queues:
            await self._ops.bull.pause(name)
        ends = time.monotonic() + DRAIN_WITHIN
        while True:
            queues = [await self._ops.bull.queue(name) for name in revocation.queues]
            left = sum(max(0, queue.active - queue.stalled) for queue in queues)
            if not left:
                return
            if time.monotonic() >= ends:
                await to_the_end(self._open(revocation))
                raise Conflict("revoke.jobs_left", count=left)
            await asyncio.sleep(_POLL)

    async def _open(self, revocation: Revocation) -> None:
        ends = time.monotonic() + _OPEN_WITHIN
        for name in revocation.queues:
            while True:
                try:
                    await self._ops.bull.resume(name)
                    break
                except OutsideError:
                    if time.monotonic() >= ends:
                        raise
                await asyncio.sleep(_POLL)


def changes_for(inspected: Mapping[str, object], values: Mapping[str, str], account: str = "") -> Changes:
    """What of these values a container does not have yet: in its variables, in addresses among them, in its command.

    With an ``account`` only in addresses that log in as that one: another account's password is not changed.
    """
    config = inspected.get("Config")
    told = config if isinstance(config, Mapping) else {}
    environment = dict(entry.partition("=")[::2] for entry in told.get("Env") or ())
    wanted = {name: value for name, value in values.items() if name in environment}
    options = {}
    for name, value in values.items():
        address = environment.get(ADDRESSES.get(name, ""))
        if address and (not account or account_of(address) == account):
            wanted[ADDRESSES[name]] = with_password(address, value)
        words = [*(told.get("Entrypoint") or ()), *(told.get("Cmd") or ())]
        if name == "REDIS_PASSWORD" and REQUIREPASS in words[:-1] and words[words.index(REQUIREPASS) + 1] != value:
            options[REQUIREPASS] = value
    return Changes({name: value for name, value in wanted.items() if environment[name] != value}, options)
