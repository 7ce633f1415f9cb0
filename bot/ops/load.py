"""Loads a dump beside the live data: into a database of its own, or into collections of the bot's own in the live database.

Documents go undecoded, with every option and index; what stands there afterwards is proven against the dump. Swapping it in
is ``load_swap``'s; backups are not known here.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field

from pymongo.errors import BulkWriteError

from bot.errors import Conflict, NotFound, OutsideError
from bot.ops.bounded import Workers, within
from bot.ops.bson_fingerprint import Fingerprint
from bot.ops.dump import Dump
from bot.ops.dump_client import DEADLINE, connect, exact
from bot.ops.dump_names import JOURNAL, SYSTEM, Side, is_swappable
from bot.ops.dump_source import Source
from bot.ops.dump_values import Definition, LoadedCollection, LoadResult, Moved, Say, silent
from bot.ops.load_documents import Batch, Batches, replacement
from bot.ops.load_indexes import create_command, expiries, expiry_command, index_specifications
from bot.ops.mongo_errors import MONGODB

# Indexes of a big collection take their time.
INDEX_DEADLINE = 4 * 3600.0


@dataclass(slots=True)
class _Run:
    """What one load carries along."""

    source: Source
    definitions: tuple[Definition, ...]
    say: Say
    documents: dict[str, int] = field(default_factory=dict)
    bytes: int = 0
    total_bytes: int = 0

    def tell(self, batch: Batch) -> None:
        self.documents[batch.collection] = self.documents.get(batch.collection, 0) + len(batch.documents)
        self.bytes += batch.bytes
        self.say(Moved(batch.collection, sum(self.documents.values()), self.bytes, self.total_bytes))


class Load:
    """Loads at ``side`` of the server at ``uri``. ValueError when ``uri`` is none."""

    def __init__(self, uri: str, side: Side) -> None:
        self._client = connect(uri)
        self._side = side
        self._database = exact(self._client, side.database)
        self._reader = Dump(uri, database=side.database)
        self._workers = Workers("load", 1)

    async def close(self) -> None:
        """Close the connections."""
        self._workers.close()
        await self._reader.close()
        await self._client.close()

    async def run(self, source: Source, *, only: Collection[str] | None = None, sample: int = 1, say: Say = silent) -> LoadResult:
        """Load all of ``source``, or the collections named; one document in ``sample`` is compared, counts and bytes always.

        Collections get new uuids. A failure, or cancelling it, leaves what was loaded for the caller to ``drop``. Nothing
        expires before ``arm``. In the live database views are made by the swap, not here, and what is not ``is_swappable`` stays.
        """
        begun = time.monotonic()
        run = _Run(source, self._chosen(source, only), say)
        run.total_bytes = await self._workers.run(lambda: source.total_bytes)
        if await self._standing():
            raise Conflict("load.exists", database=self._side.database)
        stored = [each for each in run.definitions if each.kind != "view"]
        for each in stored:
            await self._command(create_command(each, self._side.incoming(each.name)))
        taken = await self._documents(run, [each.name for each in stored], sample)
        done = [await self._finished(each, taken[each.name]) for each in stored]
        done += [LoadedCollection(each.name, "view", 0, 0, 0) for each in await self._views(run)]
        loaded = tuple(sorted(done, key=lambda each: each.name))
        return LoadResult(self._side.database, loaded, run.definitions, time.monotonic() - begun)

    async def arm(self, result: LoadResult) -> None:
        """Let documents expire as they do in the live data. In the live database the swap does this."""
        for each in expiries(result.definitions):
            await self._command(expiry_command(each, self._side.incoming(each.collection)))

    async def drop(self) -> None:
        """Remove everything of this side, however far it came. Conflict while a swap with it is not finished or put back."""
        if self._side.scratch:
            async with within(MONGODB, DEADLINE):
                await self._client.drop_database(self._side.database)
            return
        async with within(MONGODB, DEADLINE):
            busy = await self._database[JOURNAL].find_one({"_id": self._side.mark})
        if busy is not None:
            raise Conflict("load.unfinished", database=self._side.database)
        for name in await self._standing():
            await self._command({"drop": name})

    def _chosen(self, source: Source, only: Collection[str] | None) -> tuple[Definition, ...]:
        missing = set(only or ()) - {each.name for each in source.definitions}
        if missing:
            raise NotFound("backup", min(missing))
        chosen = tuple(each for each in source.definitions if only is None or each.name in only)
        if not self._side.scratch:
            chosen = tuple(each for each in chosen if is_swappable(each.name))
        for each in chosen:
            if each.kind == "timeseries":
                raise OutsideError("dump.timeseries", system=SYSTEM, name=each.name)
        return chosen

    async def _standing(self) -> list[str]:
        """The collections that are at this side already."""
        async with within(MONGODB, DEADLINE):
            names = await self._database.list_collection_names()
        return sorted(name for name in names if name.startswith(self._side.prefix) and not name.startswith("system."))

    async def _command(self, command: dict[str, object], deadline: float = DEADLINE) -> None:
        async with within(MONGODB, deadline):
            await self._database.command(command)

    async def _documents(self, run: _Run, names: list[str], sample: int) -> dict[str, Fingerprint]:
        """Insert everything, reading ahead by one batch; gives what was read."""
        stream = run.source.stream(frozenset(names))
        batches = Batches(stream, names, sample)
        async with self._read_ahead(batches) as ahead:
            async for batch in ahead:
                await self._insert(batch)
                run.tell(batch)
        return {name: taken.result() for name, taken in batches.taken.items()}

    @contextlib.asynccontextmanager
    async def _read_ahead(self, batches: Batches) -> AsyncIterator[AsyncIterator[Batch]]:
        async def ahead() -> AsyncIterator[Batch]:
            coming = asyncio.ensure_future(self._workers.run(batches.next))
            while (batch := await coming) is not None:
                coming = asyncio.ensure_future(self._workers.run(batches.next))
                coming.add_done_callback(lambda future: future.cancelled() or future.exception())
                yield batch

        try:
            yield ahead()
        finally:
            # Behind whatever is still being read: there is one thread only.
            await asyncio.shield(self._workers.run(batches.close))

    async def _insert(self, batch: Batch) -> None:
        """In the dump's order; old documents need not fulfil today's validator."""
        collection = self._database[self._side.incoming(batch.collection)]
        async with within(MONGODB, DEADLINE):
            try:
                await collection.insert_many(batch.documents, bypass_document_validation=True)
            except BulkWriteError as error:
                raise OutsideError("load.refused", system=SYSTEM, detail=_codes(error), name=batch.collection) from error
            for each in batch.stamped:
                await collection.update_one({"_id": each["_id"]}, replacement(each), bypass_document_validation=True)

    async def _finished(self, definition: Definition, taken: Fingerprint) -> LoadedCollection:
        """Indexes over the loaded documents, then the proof."""
        name = self._side.incoming(definition.name)
        specifications = index_specifications(definition)
        if specifications:
            await self._command({"createIndexes": name, "indexes": specifications}, INDEX_DEADLINE)
        standing = await self._reader.fingerprint(name, sample=taken.sample)
        if standing != taken:
            expected, found = taken.documents, standing.documents
            raise OutsideError("load.mismatch", system=SYSTEM, name=definition.name, expected=expected, found=found)
        async with within(MONGODB, DEADLINE):
            indexes = [str(entry["name"]) async for entry in await self._database[name].list_indexes()]
        missing = {str(each["name"]) for each in specifications} - set(indexes)
        if missing:
            raise OutsideError("load.no_index", system=SYSTEM, name=definition.name, index=min(missing))
        return LoadedCollection(definition.name, definition.kind, taken.documents, taken.bytes, len(indexes), taken)

    async def _views(self, run: _Run) -> list[Definition]:
        """Made last, and only where they see the collections by their own names."""
        views = [each for each in run.definitions if each.kind == "view"]
        if self._side.scratch:
            for each in views:
                await self._command(create_command(each, each.name))
        return views


def _codes(error: BulkWriteError) -> str:
    """Why, without the documents that the server quotes."""
    return ", ".join(sorted({f"code {each.get('code')}" for each in error.details.get("writeErrors", [])}))
