"""How much was written to the server between two moments, and how new the newest document is: what a copy is judged by.

Reads only; knows no collection by name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bson import ObjectId
from pymongo import AsyncMongoClient

from bot.errors import Denied
from bot.ops.bounded import within
from bot.ops.mongo_errors import MONGODB


@dataclass(frozen=True, slots=True)
class Moves:
    """Documents inserted into and deleted from the whole server since it started; ``process`` tells one start from the next."""

    process: str
    inserted: int
    deleted: int

    def until(self, later: Moves) -> tuple[int, int] | None:
        """At most so many were (inserted, deleted) meanwhile; None when the server was restarted, so that nobody knows."""
        inserted, deleted = later.inserted - self.inserted, later.deleted - self.deleted
        return (inserted, deleted) if self.process == later.process and inserted >= 0 and deleted >= 0 else None


class Movement:
    """The documents of ``database``. ``deadline`` (seconds) bounds each question."""

    def __init__(self, client: AsyncMongoClient[dict[str, Any]], database: str, deadline: float) -> None:
        self._client = client
        self._database = client[database]
        self._deadline = deadline

    async def so_far(self) -> Moves | None:
        """None when the account may not ask."""
        try:
            async with within(MONGODB, self._deadline):
                status = await self._client.admin.command("serverStatus", 1, repl=0, locks=0)
        except Denied:
            return None
        metrics = status.get("metrics", {})
        written, expired = metrics.get("document", {}), metrics.get("ttl", {})
        # What an update inserts for want of a document is counted nowhere: so every update may have inserted one.
        updates = int(status.get("opcounters", {}).get("update", 0))
        updates += int(metrics.get("commands", {}).get("findAndModify", {}).get("total", 0))
        inserted = int(written.get("inserted", 0)) + updates
        deleted = int(written.get("deleted", 0)) + int(expired.get("deletedDocuments", 0))
        return Moves(f"{status.get('host')}/{status.get('pid')}", inserted, deleted)

    async def newest(self, names: Iterable[str]) -> float | None:
        """When the newest document was made, by its id; None when no id tells."""
        newest: float | None = None
        async with within(MONGODB, self._deadline):
            for name in names:
                found = await self._database[name].find_one({"_id": {"$type": "objectId"}}, {"_id": 1}, sort=[("_id", -1)])
                made = found and found["_id"]
                if isinstance(made, ObjectId):
                    newest = max(newest or 0.0, made.generation_time.timestamp())
        return newest

    async def made_since(self, names: Iterable[str], at: float) -> int:
        """Documents made at ``at`` or later, by their ids; those whose ids do not tell are not among them."""
        first, count = ObjectId.from_datetime(datetime.fromtimestamp(at, UTC)), 0
        async with within(MONGODB, self._deadline):
            for name in names:
                count += await self._database[name].count_documents({"_id": {"$gte": first}}, maxTimeMS=int(self._deadline * 1000))
        return count
