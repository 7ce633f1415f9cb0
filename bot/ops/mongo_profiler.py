"""The profiler of one database, and the operations that run now: read, switched, never judged."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pymongo import DESCENDING, AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from bot.ops.bounded import within
from bot.ops.mongo_errors import MONGODB, needing
from bot.ops.mongo_slow import SlowOperation, from_profile, from_running
from bot.ops.mongo_values import APP_NAME

Document = dict[str, Any]
_PROFILE = "system.profile"
_MOST_DOCUMENTS = 5_000
# What tells how a plan went, stage by stage: large, and not used here.
_LARGE = {"execStats": 0, "locks": 0, "storage": 0, "flowControl": 0, "allUsers": 0}
PROFILER_ROLE = "dbAdmin"
RUNNING_ROLE = "clusterMonitor"


@dataclass(frozen=True, slots=True)
class Profiling:
    """What is recorded: level 0 nothing, 1 what takes ``slowms`` or longer, 2 everything. ``filtered`` when a filter decides instead."""

    level: int
    slowms: int
    sample_rate: float = 1.0
    filtered: bool = False


class Profiler:
    """Asks and switches the profiler of the database ``name``; ``deadline`` bounds each question."""

    def __init__(self, client: AsyncMongoClient[Document], name: str, deadline: float) -> None:
        self._client = client
        self._name = name
        self._deadline = deadline

    async def read(self) -> Profiling:
        """How it stands."""
        with needing(PROFILER_ROLE):
            async with within(MONGODB, self._deadline):
                answer = await self._database.command("profile", -1)
        return Profiling(
            int(answer.get("was", 0)), int(answer.get("slowms", 100)), float(answer.get("sampleRate", 1.0)), bool(answer.get("filter"))
        )

    async def switch(self, wanted: Profiling) -> None:
        """Set level, threshold and rate. The threshold is the whole server's, and also decides what goes to its log."""
        with needing(PROFILER_ROLE):
            async with within(MONGODB, self._deadline):
                await self._database.command("profile", wanted.level, slowms=wanted.slowms, sampleRate=wanted.sample_rate)

    async def recorded(self, since: float) -> tuple[SlowOperation, ...]:
        """What the profiler wrote since then, the newest few thousand; nothing when it never was on."""
        asked = {"ts": {"$gte": datetime.fromtimestamp(since, UTC)}, "appName": {"$ne": APP_NAME}}
        with needing(PROFILER_ROLE):
            async with within(MONGODB, self._deadline):
                cursor = self._database[_PROFILE].find(asked, _LARGE, max_time_ms=int(self._deadline * 1000))
                documents = await cursor.sort("$natural", DESCENDING).limit(_MOST_DOCUMENTS).to_list()
        return tuple(found for found in map(from_profile, documents) if found is not None)

    async def running(self, least_ms: float) -> tuple[SlowOperation, ...]:
        """What works in the database now, for that long or longer; idle connections, the server's own work and ours left out."""
        stages: list[Mapping[str, Any]] = [
            {"$currentOp": {"allUsers": True, "idleConnections": False}},
            {"$match": {"active": True, "microsecs_running": {"$gte": int(least_ms * 1000)}, "appName": {"$ne": APP_NAME}}},
        ]
        with needing(RUNNING_ROLE):
            async with within(MONGODB, self._deadline):
                documents = await (await self._client.admin.aggregate(stages)).to_list()
        now = time.time()
        own = [document for document in documents if str(document.get("ns", "")).startswith(f"{self._name}.")]
        return tuple(found for found in (from_running(document, now) for document in own) if found is not None)

    @property
    def _database(self) -> AsyncDatabase[Document]:
        return self._client[self._name]
