"""Cuts a service off from every network, its container and state untouched, and puts it back as it was.

What putting back needs is on the disk before the first network is left, so a crash in the middle can be gone on with or undone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from bot.errors import NotFound, VccError
from bot.ops import page_proxy
from bot.ops.bundle import Ops
from bot.ops.container_networks import Attachment, Standing
from bot.ops.overview import probe
from bot.ops.small_record import SmallRecord

_FOLDER = "isolated"
_ASKED_FOR = 6.0
_WELL_WITHIN = 120.0
_WORKER = "backend"

Say = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Held:
    """One container in isolation: how it stood before, and whether it ran."""

    standing: Standing
    running: bool


@dataclass(frozen=True, slots=True)
class Isolated:
    """A service that is cut off, or was about to be. ``at`` in seconds since the epoch; ``by`` the person's name."""

    service: str
    at: float
    by: str
    incident: int
    containers: tuple[Held, ...]


@dataclass(frozen=True, slots=True)
class Rejoined:
    """What came of putting back: container names that were ``missing``, whether it ``answers`` (None: cannot be told), and whether the
    page's server reaches the backend."""

    missing: tuple[str, ...]
    answers: bool | None
    page: bool


class Isolations:
    """Those of one deployment; their records lie in ``home``."""

    def __init__(self, ops: Ops, home: Path, say: Say = lambda _step, _subject: None) -> None:
        self._ops = ops
        self._folder = home / _FOLDER
        self._say = say

    def kept(self, service: str) -> Isolated | None:
        """What is known of a service that was cut off; None for one that was not."""
        record = SmallRecord(self._folder / f"{service}.json")
        document = record.read()
        try:
            return None if document is None else _isolated(document)
        except (KeyError, TypeError, ValueError) as error:
            raise record.unreadable(error) from error

    def all(self) -> tuple[Isolated, ...]:
        """Every service that is cut off."""
        names = sorted(path.stem for path in self._folder.glob("*.json")) if self._folder.is_dir() else []
        return tuple(found for found in map(self.kept, names) if found is not None)

    async def look(self, service: str) -> tuple[Held, ...]:
        """How its containers stand now."""
        networks = self._ops.containers.networks
        return tuple(
            [
                Held(await networks.standing(each.name, each.container_id), each.meant_to_run)
                for each in await self._ops.containers.replicas(service)
            ]
        )

    async def cut(self, wanted: Isolated) -> bool | None:
        """Out of every network; whether it still answers from outside (None when that cannot be told). Goes on with what was begun."""
        before = self.kept(wanted.service)
        known = {held.standing.container_id: held for held in before.containers} if before else {}
        held = tuple(known.get(each.standing.container_id, each) for each in wanted.containers)
        self._record(wanted.service).write(asdict(replace(wanted, containers=held)))
        networks = self._ops.containers.networks
        for each in wanted.containers:
            identity = each.standing.container_id
            await networks.keep_down(identity)
            for attachment in (await networks.standing(wanted.service, identity)).attachments:
                self._say("leave", attachment.network)
                await networks.leave(identity, attachment)
        self._say("verify", wanted.service)
        return await reachable(self._ops, wanted.service)

    async def rejoin(self, isolated: Isolated) -> Rejoined:
        """Into every network as before, started again if it ran; the record goes when all is done."""
        missing = []
        for each in isolated.containers:
            try:
                await self._back(each)
            except NotFound:
                missing.append(each.standing.container_name)
        return await self.settled(isolated, tuple(missing))

    async def settled(self, isolated: Isolated, missing: tuple[str, ...] = ()) -> Rejoined:
        """It is back: the record goes, and what still has to find it is looked at."""
        self._record(isolated.service).clear()
        self._say("verify", isolated.service)
        page = await page_proxy.reconnect(self._ops) if isolated.service == _WORKER else True
        return Rejoined(missing, await reachable(self._ops, isolated.service), page)

    async def _back(self, held: Held) -> None:
        containers, standing = self._ops.containers, held.standing
        for attachment in standing.attachments:
            self._say("join", attachment.network)
            await containers.networks.join(standing.container_id, attachment)
        await containers.networks.restore_policy(standing)
        if held.running:
            await containers.start(standing.container_id)
            await containers.wait_healthy(standing.container_id, _WELL_WITHIN)

    def _record(self, service: str) -> SmallRecord:
        return SmallRecord(self._folder / f"{service}.json")


async def reachable(ops: Ops, service: str) -> bool | None:
    """Whether a service answers whoever asks it over the network; None when nobody knows where to ask."""
    databases = {"mongodb": lambda: ops.mongo.ping(), "redis": lambda: ops.redis.ping()}
    if service in databases:
        return not isinstance(await probe(service, databases[service], _ASKED_FOR), VccError)
    results = await probe("http", ops.health.check, _ASKED_FOR)
    if isinstance(results, VccError):
        return None
    found = [each.up for each in results if each.name == service]
    return any(found) if found else None


def _isolated(document: Mapping[str, Any]) -> Isolated:
    return Isolated(**{**document, "containers": tuple(_held(each) for each in document["containers"])})


def _held(document: Mapping[str, Any]) -> Held:
    told = document["standing"]
    attachments: Sequence[Mapping[str, Any]] = told["attachments"]
    standing = Standing(**{**told, "attachments": tuple(_attachment(each) for each in attachments)})
    return Held(standing, bool(document["running"]))


def _attachment(document: Mapping[str, Any]) -> Attachment:
    return Attachment(**{**document, "aliases": tuple(document["aliases"]), "links": tuple(document["links"])})
