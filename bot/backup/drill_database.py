"""The database's half of a drill: a backup's dump loaded into a scratch database, compared with the dump, and dropped again.

The live database is never written to. Knows nothing of the rest of the backup.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import secrets
from collections.abc import Collection, Coroutine, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bot.backup.database_part import FOLDER
from bot.backup.manifest import SYSTEM, DatabasePart
from bot.backup.work import Hooks, Step, Threads, until_over
from bot.errors import OutsideError
from bot.ops.bson_frames import documents
from bot.ops.dump_names import Side
from bot.ops.dump_source import Source, open_dump
from bot.ops.dump_values import LoadResult, Moved
from bot.ops.load import Load
from bot.ops.load_check import Difference, LoadCheck
from bot.ops.load_swap import unfinished
from bot.ops.tree_values import Stopped
from bot.plain_text import harmless

Result = TypeVar("Result")
_MARK = "drill-"
_OURS = re.compile(r"drill[A-Za-z0-9-]{0,15}")
# Of each collection so many documents, and so many bytes of them, are read back one by one.
MOST_DOCUMENTS, _MOST_BYTES = 100, 4 << 20
# A batch that is on its way to the server arrives within this time.
_GRACE = 5.0


class NotRestorable(OutsideError):
    """What was restored is not what the backup says."""


@dataclass(frozen=True, slots=True)
class DatabaseFound:
    """What was loaded and compared: ``compared`` documents were read back one by one besides the fingerprints of all."""

    collections: int
    documents: int
    indexes: int
    compared: int


class Sampling:
    """A source that keeps some documents aside, chosen by chance, while somebody reads it. ``counts``: documents by collection."""

    def __init__(self, source: Source, counts: Mapping[str, int], chance: random.Random) -> None:
        self._source = source
        self._chosen = {name: frozenset(chance.sample(range(count), min(count, MOST_DOCUMENTS))) for name, count in counts.items()}
        self._seen = dict.fromkeys(counts, 0)
        self._room = dict.fromkeys(counts, _MOST_BYTES)
        self.database, self.definitions = source.database, source.definitions
        self.kept: dict[str, list[bytes]] = {}

    @property
    def total_bytes(self) -> int:
        """See ``Source``."""
        return self._source.total_bytes

    def stream(self, wanted: Collection[str] | None = None) -> Generator[tuple[str, bytes, int], None, None]:
        """See ``Source``."""
        with contextlib.closing(self._source.stream(wanted)) as pieces:
            for name, data, count in pieces:
                self._keep(name, data, count)
                yield name, data, count

    def _keep(self, name: str, data: bytes, count: int) -> None:
        first = self._seen.get(name, 0)
        self._seen[name] = first + count
        if not self._chosen.get(name, frozenset()).intersection(range(first, first + count)):
            return
        for number, document in enumerate(documents(data), first):
            if number in self._chosen[name] and len(document) <= self._room[name]:
                self._room[name] -= len(document)
                self.kept.setdefault(name, []).append(document)


class DatabaseDrill:
    """One drill beside the database ``live`` of the server at ``uri``. Whatever becomes of it: ``drop``, then ``close``."""

    def __init__(self, uri: str, live: str, hooks: Hooks, threads: Threads) -> None:
        self._uri, self._live = uri, live
        self._hooks, self._threads = hooks, threads
        self._side = Side(live, _MARK + secrets.token_hex(5), scratch=True)
        self._load = Load(uri, self._side)
        self._check = LoadCheck(uri, self._side)
        self._begun = self._ending = False

    @property
    def scratch(self) -> str:
        """The scratch database's name."""
        return self._side.database

    async def close(self) -> None:
        """Close the connections."""
        await self._load.close()
        await self._check.close()

    async def sweep(self) -> None:
        """Drop what drills left that were killed."""
        for mark in (await unfinished(self._uri, self._live)).scratch:
            if _OURS.fullmatch(mark):
                load = Load(self._uri, Side(self._live, mark, scratch=True))
                try:
                    await load.drop()
                finally:
                    await load.close()

    async def free_bytes(self) -> int | None:
        """What is free where the server keeps its data, as far as it says."""
        return await self._check.free_bytes()

    async def drop(self) -> None:
        """Take the scratch database away, however far it came."""
        if self._begun:
            await self._load.drop()

    async def run(self, folder: Path, part: DatabasePart) -> DatabaseFound:
        """Load the dump of the backup at ``folder`` and compare it. NotRestorable, or the loader's OutsideError, names what is wrong."""
        self._hooks.say(Step("drill_database"))
        opened = await self._threads.run(open_dump, folder / FOLDER, part.name)
        source = Sampling(opened, {each.name: each.documents for each in part.collections}, random.Random())
        self._begun = True
        result = await self._gently(self._load.run(source, say=self._tell))
        self._hooks.say(Step("drill_compare"))
        _refuse_miscounted(result, part)
        for name, kept in sorted(source.kept.items()):
            changed = await self._check.changed(name, kept)
            if changed:
                raise NotRestorable("backup.drill.changed", system=SYSTEM, name=harmless(name)[:120], count=changed)
        # From here on documents may expire; all of them were compared.
        await self._load.arm(result)
        difference = await self._check.difference(source.definitions)
        if difference is not None:
            raise _said(difference)
        return DatabaseFound(
            len(result.collections),
            sum(each.documents for each in result.collections),
            sum(each.indexes for each in result.collections),
            sum(map(len, source.kept.values())),
        )

    def _tell(self, moved: Moved) -> None:
        if self._ending:
            raise Stopped
        self._hooks.say(Step("drill_database", moved.bytes, max(moved.bytes, moved.total_bytes), "bytes"))

    async def _gently(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Cancelled, it ends between two batches: one on its way to the server would make the database anew behind ``drop``."""
        task = asyncio.ensure_future(work)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            self._ending = True
            try:
                await asyncio.wait({task}, timeout=_GRACE)
            finally:
                task.cancel()
                await until_over(task)
            raise


def _refuse_miscounted(result: LoadResult, part: DatabasePart) -> None:
    """What stands there against the manifest."""
    loaded = {each.name: each for each in result.collections}
    told = {each.name: each for each in part.collections}
    for name in sorted(loaded.keys() ^ told.keys()):
        raise _said(Difference("missing" if name in told else "extra", name))
    for name, each in sorted(told.items()):
        for what in ("kind", "documents", "bytes", "indexes"):
            expected, found = getattr(each, what), getattr(loaded[name], what)
            if expected != found:
                key = f"backup.drill.miscounted.{what}"
                raise NotRestorable(key, system=SYSTEM, name=harmless(name)[:120], expected=expected, found=found)


def _said(difference: Difference) -> NotRestorable:
    collection, name, field = (harmless(each)[:120] for each in (difference.collection, difference.name, difference.field))
    return NotRestorable(f"backup.drill.different.{difference.what}", system=SYSTEM, collection=collection, name=name, field=field)
