"""Recreates one container with other settings, without Compose: a new one beside it, then the old one stopped and the names changed
places; the old one goes only when the new one is well, else it is put back.

A small record says at every moment how far it is: whoever comes after a crash finishes it, or puts the old one back. Knows nothing
of why, nor of chat.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from bot.errors import NotFound
from bot.ops.bounded import to_the_end
from bot.ops.container_making import Changes
from bot.ops.container_networks import Standing
from bot.ops.container_values import Service
from bot.ops.containers import Containers
from bot.ops.small_record import SmallRecord

WELL_WITHIN = 150.0
# Without a health check, so long it must have run to count as well: it may look for its databases for a while before it gives up.
STEADY_FOR = 6.0
GRACE = {"mongodb": 30, "redis": 30}
_DEFAULT_GRACE = 10
_NEXT, _OLD = ".vcc-next", ".vcc-old"

Phase = Literal["making", "swapping", "proved"]
Ended = Literal["nothing", "finished", "put_back"]
Say = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Undertaking:
    """A recreation that is not over. ``start_old`` is whether the old one ran in its networks, and so may be started again;
    ``start_new`` is false for one that somebody had stopped, and that is to stay so."""

    service: str
    name: str
    old: str
    start_old: bool
    start_new: bool = True
    new: str = ""
    phase: Phase = "making"


class Recreate:
    """Recreations of one deployment; their records lie in ``folder``, one for each service."""

    def __init__(self, containers: Containers, folder: Path, say: Say = lambda _step, _service: None) -> None:
        self._containers = containers
        self._folder = folder
        self._say = say

    async def again(self, container_id: str, changes: Changes, standing: Standing | None = None, *, running: bool | None = None) -> Service:
        """The new container, well; not started when the old one was stopped. ``standing`` is how it stands in its networks, and
        ``running`` whether it is to run, when not as the old one does now.

        When that fails, the old one is back as it was and the failure goes on.
        """
        old = await self._containers.container(container_id)
        await self.recover(old.name)
        now = await self._containers.networks.standing(old.name, container_id)
        runs = old.meant_to_run if running is None else running
        under_way = Undertaking(old.name, old.container_name, container_id, old.meant_to_run and bool(now.attachments), runs)
        self._write(under_way)
        self._say("make", old.name)
        kept = False
        try:
            made = await self._containers.making.make(container_id, old.container_name + _NEXT, changes, standing or now)
            under_way = self._write(replace(under_way, new=made, phase="swapping"))
            await self._swap(under_way)
            under_way = self._write(replace(under_way, phase="proved"))
            kept = True
        finally:
            if not kept:
                await to_the_end(self._put_back(under_way))
        await to_the_end(self._finish(under_way))
        return await self._containers.container(under_way.new)

    async def recover(self, service: str) -> Ended:
        """End what a crash left half done: finished when the new one was proved well, else the old one is put back."""
        document = self._record(service).read()
        if document is None:
            return "nothing"
        under_way = Undertaking(**document)
        if under_way.phase == "proved":
            await self._finish(under_way)
            return "finished"
        await self._put_back(under_way)
        return "put_back"

    def unfinished(self) -> tuple[str, ...]:
        """The services whose recreation a crash cut off."""
        return tuple(sorted(path.stem for path in self._folder.glob("*.json"))) if self._folder.is_dir() else ()

    async def _swap(self, under_way: Undertaking) -> None:
        making, name = self._containers.making, under_way.name
        self._say("stop", under_way.service)
        await self._stop(under_way.old, under_way.service)
        await making.rename(under_way.old, name + _OLD)
        await making.rename(under_way.new, name)
        if not under_way.start_new:
            return
        self._say("start", under_way.service)
        await self._containers.start(under_way.new)
        await self._containers.wait_healthy(under_way.new, WELL_WITHIN, stable=STEADY_FOR)

    async def _put_back(self, under_way: Undertaking) -> None:
        """Whatever was done of the swap is undone, in whichever order it was left."""
        making, name = self._containers.making, under_way.name
        new = under_way.new or await making.id_of(name + _NEXT)
        if new and await making.id_of(new):
            await self._stop(new, under_way.service)
            await making.rename(new, name + _NEXT)
        await making.rename(under_way.old, name)
        if under_way.start_old:
            await self._containers.start(under_way.old)
        if new and await making.id_of(new):
            await making.remove(new)
        self._record(under_way.service).clear()

    async def _finish(self, under_way: Undertaking) -> None:
        if await self._containers.making.id_of(under_way.old):
            await self._containers.making.remove(under_way.old)
        self._record(under_way.service).clear()

    async def _stop(self, container_id: str, service: str) -> None:
        try:
            await self._containers.stop(container_id, timeout=GRACE.get(service, _DEFAULT_GRACE))
        except NotFound:
            return

    def _record(self, service: str) -> SmallRecord:
        return SmallRecord(self._folder / f"{service}.json")

    def _write(self, under_way: Undertaking) -> Undertaking:
        self._record(under_way.service).write(asdict(under_way))
        return under_way
