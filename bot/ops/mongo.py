"""The MongoDB server and VCC's database: whether it answers, how many documents, how big. Reads only.

Knows the one collection it counts by status; no other meaning of the data.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ConfigurationError, OperationFailure
from pymongo.uri_parser import parse_uri

from bot.errors import NotFound
from bot.ops.bounded import within
from bot.ops.mongo_access import Access
from bot.ops.mongo_app_backup import AppBackups
from bot.ops.mongo_errors import MONGODB
from bot.ops.mongo_excerpts import Excerpts
from bot.ops.mongo_explain import Planner
from bot.ops.mongo_files import FilePaths
from bot.ops.mongo_indexes import Indexes
from bot.ops.mongo_moves import Movement
from bot.ops.mongo_present import Presence
from bot.ops.mongo_profiler import Profiler
from bot.ops.mongo_values import APP_NAME, CollectionCount, DatabaseStats, MongoPing

Document = dict[str, Any]
DEFAULT_DATABASE = "vcc-manager"
JOBS = "imagegenerationjobs"
EXACT_DEADLINE = 60.0


def _client(uri: str, patience: int) -> AsyncMongoClient[Document]:
    """A client that connects when first asked; ``patience`` in milliseconds. ValueError, without the address, when ``uri`` is none."""
    try:
        return AsyncMongoClient(
            uri,
            appname=APP_NAME,
            serverSelectionTimeoutMS=patience,
            connectTimeoutMS=patience,
            maxPoolSize=16,
            retryReads=False,
        )
    except ConfigurationError as error:
        raise ValueError("not a MongoDB address; percent-encode the name and the password in it") from error


class Mongo:
    """One server at ``uri``; the database is the URI's unless ``database`` names one. ``deadline`` bounds each question.

    The driver connects when first asked. Its own time-outs are a little shorter than ours, so that it is the one to say
    what is wrong. ValueError when ``uri`` is none.
    """

    def __init__(self, uri: str, deadline: float = 2.5, *, database: str = "") -> None:
        self._client = _client(uri, max(1, int(deadline * 800)))
        self._name = database or parse_uri(uri, validate=False)["database"] or DEFAULT_DATABASE
        self._deadline = deadline
        self.profiler = Profiler(self._client, self._name, deadline)
        self.planner = Planner(self._client, self._name)
        self.indexes = Indexes(self._client, self._name)
        self.file_paths = FilePaths(self._client, self._name, deadline)
        self.app_backups = AppBackups(self._client, self._name, deadline)
        self.movement = Movement(self._client, self._name, deadline)
        self.presence = Presence(self._client, self._name, deadline)
        self.access = Access(self._client, self._name, deadline)
        self.excerpts = Excerpts(self._client, self._name)

    @property
    def database(self) -> str:
        """The database's name."""
        return self._name

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def ping(self) -> MongoPing:
        """The server at this moment. An account that may not see the server's status still learns that it answers."""
        async with within(MONGODB, self._deadline):
            admin = self._client.admin
            hello = await admin.command("hello")
            started = time.perf_counter()
            await admin.command("ping")
            latency = (time.perf_counter() - started) * 1000
            try:
                # "metrics" stays in: without it the server leaves out its memory as well.
                status = await admin.command("serverStatus", 1, repl=0, locks=0, tcmalloc=0)
            except OperationFailure as error:
                if error.code != 13:
                    raise
                status = {}
            version = status.get("version") or (await admin.command("buildInfo"))["version"]
        return _ping(hello, status, str(version), latency)

    async def counts(self, exact: bool = False, *, exact_deadline: float = EXACT_DEADLINE) -> tuple[CollectionCount, ...]:
        """Every collection, views left out. ``exact`` counts document by document, which takes its time."""
        async with within(MONGODB, exact_deadline if exact else self._deadline):
            database = self._database
            found = await asyncio.gather(*(self._count(database, name, exact) for name in await self._names()))
        return tuple(count for count in found if count is not None)

    async def collections(self) -> tuple[str, ...]:
        """The names of all collections, without views and the server's own."""
        async with within(MONGODB, self._deadline):
            return await self._names()

    async def _names(self) -> tuple[str, ...]:
        listed = await self._database.list_collections(filter={"type": {"$ne": "view"}})
        return tuple(sorted([str(entry["name"]) async for entry in listed if not str(entry["name"]).startswith("system.")]))

    async def stats(self) -> DatabaseStats:
        """The database as a whole."""
        async with within(MONGODB, self._deadline):
            answer = await self._database.command("dbStats")
        return DatabaseStats(
            name=self._name,
            collections=int(answer.get("collections", 0)),
            documents=int(answer.get("objects", 0)),
            data_bytes=int(answer.get("dataSize", 0)),
            storage_bytes=int(answer.get("storageSize", 0)),
            index_bytes=int(answer.get("indexSize", 0)),
            disk_used_bytes=int(answer.get("fsUsedSize", 0)),
            disk_total_bytes=int(answer.get("fsTotalSize", 0)),
        )

    async def jobs_by_status(self) -> dict[str, int]:
        """How many jobs MongoDB holds in each status. Bull may see them otherwise."""
        stages: list[Mapping[str, Any]] = [{"$group": {"_id": "$status", "count": {"$sum": 1}}}, {"$sort": {"_id": 1}}]
        async with within(MONGODB, self._deadline):
            cursor = await self._database[JOBS].aggregate(stages, maxTimeMS=int(self._deadline * 1000))
            return {str(row["_id"]): int(row["count"]) async for row in cursor}

    async def read_one(self) -> str:
        """Read one document, since a ping needs no rights and touches no data; where it was read, empty when there is no collection."""
        async with within(MONGODB, self._deadline):
            names = await self._names()
            name = JOBS if JOBS in names else next(iter(names), "")
            if name:
                await self._database[name].find_one({}, {"_id": 1}, max_time_ms=int(self._deadline * 1000))
        return name

    @property
    def _database(self) -> AsyncDatabase[Document]:
        return self._client[self._name]

    async def _count(self, database: AsyncDatabase[Document], name: str, exact: bool) -> CollectionCount | None:
        """None when the collection was dropped meanwhile."""
        try:
            rows = await (await database[name].aggregate([{"$collStats": {"storageStats": {}}}])).to_list()
            counted = await database[name].count_documents({}) if exact else None
        except OperationFailure as error:
            if isinstance(MONGODB.translate(error, 0), NotFound):
                return None
            raise
        parts = [row["storageStats"] for row in rows]
        return CollectionCount(
            name=name,
            count=_total(parts, "count") if counted is None else counted,
            exact=exact,
            storage_bytes=_total(parts, "storageSize"),
            index_bytes=_total(parts, "totalIndexSize"),
            data_bytes=_total(parts, "size"),
            indexes=max((int(part.get("nindexes", 0)) for part in parts), default=0),
            estimate=_total(parts, "count"),
        )


def _total(parts: list[Document], key: str) -> int:
    return sum(int(part.get(key, 0)) for part in parts)


def _ping(hello: Document, status: Document, version: str, latency_ms: float) -> MongoPing:
    connections: Document = status.get("connections", {})
    cache: Document = status.get("wiredTiger", {}).get("cache", {})
    return MongoPing(
        latency_ms=latency_ms,
        version=version,
        uptime_s=int(status.get("uptime", 0)),
        connections=int(connections.get("current", 0)),
        connections_available=int(connections.get("available", 0)),
        connections_active=int(connections.get("active", 0)),
        storage_engine=str(status.get("storageEngine", {}).get("name", "")),
        replica_set=hello.get("setName"),
        primary=bool(hello.get("isWritablePrimary", False)),
        resident_bytes=int(status.get("mem", {}).get("resident", 0)) << 20,
        cache_bytes=int(cache.get("bytes currently in the cache", 0)),
        cache_limit_bytes=int(cache.get("maximum bytes configured", 0)),
        full=bool(status),
    )
