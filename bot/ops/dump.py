"""Dumps a database into mongodump's own directory layout, from which mongorestore restores it without us.

Documents go from the socket to the disk undecoded. Knows nothing of backups: where the directory is, and what becomes of it.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bot.errors import Conflict, OutsideError, TimedOut, Unreachable
from bot.ops.bounded import Workers, within
from bot.ops.bson_fingerprint import Fingerprint, Fingerprinter
from bot.ops.dump_client import DEADLINE, code_of, connect, database_of, exact
from bot.ops.dump_faults import Damaged, NoSpace
from bot.ops.dump_files import BsonFile, make_directory, remove_directory, settle, write_file
from bot.ops.dump_metadata import listed, written
from bot.ops.dump_names import BSON, HALFWAY, JOURNAL, METADATA, SYSTEM, checked_collection, checked_database, is_dumped, stem
from bot.ops.dump_stream import Session, batch_size, raw_batches, sizes
from bot.ops.dump_values import Consistency, Definition, DumpedCollection, DumpResult, Moved, Say, silent
from bot.ops.mongo_errors import MONGODB

# SnapshotTooOld; SnapshotUnavailable: the catalogue changed at that moment, by an index being made for example.
_SNAPSHOT_LOST = frozenset({239, 246})
_SNAPSHOTS_SINCE = 5
# A batch of this many bytes is written before the next is fetched: two such, with the driver's copies, are too many to hold.
_BIG = 4 << 20
# Not for the collection's being dropped: then there is no need, or no way, to ask whether it is still there.
_NOT_DROPPED = (Unreachable, TimedOut, NoSpace, Damaged)


@dataclass(frozen=True, slots=True)
class _Server:
    version: str
    snapshots: bool


@dataclass(slots=True)
class _Run:
    """What one attempt carries along."""

    folder: Path
    session: Session
    say: Say
    total_bytes: int = 0
    documents: int = 0
    bytes: int = 0

    def tell(self, name: str, file: BsonFile) -> None:
        self.say(Moved(name, self.documents + file.documents, self.bytes + file.bytes, self.total_bytes))


class Dump:
    """One database at ``uri``: the address's own unless ``database`` names one. ValueError when ``uri`` is none."""

    def __init__(self, uri: str, *, database: str = "") -> None:
        self._client = connect(uri)
        self._name = database_of(uri, database)
        self._database = exact(self._client, self._name)
        self._workers = Workers("dump", 1)

    @property
    def database(self) -> str:
        """The database's name."""
        return self._name

    async def close(self) -> None:
        """Close the connections."""
        self._workers.close()
        await self._client.close()

    async def definitions(self) -> tuple[Definition, ...]:
        """Every collection and view that a dump holds, sorted by name, without indexes."""
        async with within(MONGODB, DEADLINE):
            entries = await (await self._database.list_collections()).to_list()
        return tuple(sorted((listed(entry) for entry in entries if is_dumped(str(entry["name"]))), key=lambda each: each.name))

    async def run(self, target: Path, *, say: Say = silent) -> DumpResult:
        """Write ``<target>/<database>/…``; ``target`` exists, the directory in it does not yet.

        Cancel it at any point: what it leaves is for the caller to remove with ``target``, and no file in it looks whole
        that is not. On a replica set all collections are of one moment; where the server lost that moment, the dump is
        begun once more. Conflict while a restore is halfway in.
        """
        server = await self._server()
        folder = target / checked_database(self._name)
        try:
            return await self._attempt(server, folder, say)
        except OutsideError as error:
            if code_of(error) not in _SNAPSHOT_LOST:
                raise
        await self._workers.run(remove_directory, folder)
        try:
            return await self._attempt(server, folder, say)
        except OutsideError as error:
            if code_of(error) not in _SNAPSHOT_LOST:
                raise
            raise OutsideError("dump.snapshot_lost", system=SYSTEM, detail=error.detail) from error

    async def fingerprint(self, collection: str, *, sample: int = 1) -> Fingerprint:
        """The fingerprint of a live collection, to compare with a file's or another's."""
        taken = Fingerprinter(sample)
        count = batch_size(*await sizes(self._database, collection))
        async with contextlib.aclosing(raw_batches(self._database[collection], count)) as batches:
            async for batch in batches:
                await self._workers.run(taken.add, batch)
        return taken.result()

    async def _server(self) -> _Server:
        async with within(MONGODB, DEADLINE):
            hello = await self._client.admin.command("hello")
            built = await self._client.admin.command("buildInfo")
        several = "setName" in hello or hello.get("msg") == "isdbgrid"
        return _Server(str(built["version"]), several and int(built["versionArray"][0]) >= _SNAPSHOTS_SINCE)

    async def _attempt(self, server: _Server, folder: Path, say: Say) -> DumpResult:
        begun = time.monotonic()
        async with within(MONGODB, DEADLINE):
            halfway = await self._database[JOURNAL].find_one({"phase": {"$in": list(HALFWAY)}})
        if halfway is not None:
            raise Conflict("load.unfinished", database=self._name)
        definitions = await self.definitions()
        for each in definitions:
            checked_collection(each.name)
            if each.kind == "timeseries":
                raise OutsideError("dump.timeseries", system=SYSTEM, name=each.name)
        await self._workers.run(make_directory, folder)
        async with self._session(server) as session:
            moment = await self._moment(session, definitions)
            measured = {each.name: await sizes(self._database, each.name) for each in definitions if each.kind != "view"}
            run = _Run(folder, session, say, sum(size for _, size in measured.values()))
            done = [(each.name, await self._collection(each, run, measured.get(each.name, (0, 0)))) for each in definitions]
        await self._workers.run(settle, folder)
        consistency: Consistency = "snapshot" if moment else "none"
        kept, gone = tuple(each for _, each in done if each), tuple(name for name, each in done if each is None)
        return DumpResult(self._name, kept, consistency, server.version, moment, time.monotonic() - begun, gone)

    @contextlib.asynccontextmanager
    async def _session(self, server: _Server) -> AsyncIterator[Session]:
        if not server.snapshots:
            yield None
            return
        async with self._client.start_session(snapshot=True) as session:
            yield session

    async def _moment(self, session: Session, definitions: Sequence[Definition]) -> tuple[int, int] | None:
        """The moment of the snapshot, which the session's first read fixes. None without a session, or with nothing to read."""
        first = next((each.name for each in definitions if each.kind != "view"), None)
        if session is None or first is None:
            return None
        async with within(MONGODB, DEADLINE):
            found = await self._database.command({"find": first, "limit": 1, "singleBatch": True}, session=session)
        stamp = found["cursor"]["atClusterTime"]
        return int(stamp.time), int(stamp.inc)

    async def _collection(self, definition: Definition, run: _Run, measured: tuple[int, int]) -> DumpedCollection | None:
        """None when the collection was dropped or renamed meanwhile; then it leaves no file."""
        if definition.kind == "view":
            return await self._described(definition, run, None, "")
        path = run.folder / (stem(definition.name) + BSON)
        file = await self._workers.run(BsonFile, path)
        try:
            definition = replace(definition, indexes=await self._indexes(definition.name))
            await self._documents(definition.name, file, run, batch_size(*measured))
            if await self._is_gone(definition):
                return None
            sha256 = await self._workers.run(file.finish)
        except OutsideError as error:
            if isinstance(error, _NOT_DROPPED) or not await self._is_gone(definition):
                raise
            return None
        finally:
            # Behind whatever is still being written: there is one thread only.
            await asyncio.shield(self._workers.run(file.abandon))
        run.documents += file.documents
        run.bytes += file.bytes
        return await self._described(definition, run, file, sha256)

    async def _documents(self, name: str, file: BsonFile, run: _Run, count: int) -> None:
        """Fetch the next batch while the last one is written."""
        writing: asyncio.Future[None] | None = None
        async with contextlib.aclosing(raw_batches(self._database[name], count, run.session)) as batches:
            async for batch in batches:
                if writing is not None:
                    await writing
                    run.tell(name, file)
                writing = asyncio.ensure_future(self._workers.run(file.add, batch))
                writing.add_done_callback(_seen)
                if len(batch) > _BIG:
                    await writing
                del batch
        if writing is not None:
            await writing
        run.tell(name, file)

    async def _described(self, definition: Definition, run: _Run, file: BsonFile | None, sha256: str) -> DumpedCollection:
        name = stem(definition.name)
        described = await self._workers.run(write_file, run.folder / (name + METADATA), written(definition))
        documents, size = (file.documents, file.bytes) if file else (0, 0)
        return DumpedCollection(definition.name, definition.kind, documents, size, sha256, described, len(definition.indexes), name)

    async def _indexes(self, name: str) -> tuple[dict[str, object], ...]:
        async with within(MONGODB, DEADLINE):
            entries = await (await self._database[name].list_indexes()).to_list()
        return tuple({key: value for key, value in entry.items() if key != "ns"} for entry in entries)

    async def _is_gone(self, definition: Definition) -> bool:
        """Whether the collection is no longer the one that was listed."""
        async with within(MONGODB, DEADLINE):
            entries = await (await self._database.list_collections(filter={"name": definition.name})).to_list()
        return not entries or listed(entries[0]).uuid != definition.uuid


def _seen(future: asyncio.Future[None]) -> None:
    """Where the fetching failed first, nobody awaits what the writing failed of."""
    if not future.cancelled():
        future.exception()
