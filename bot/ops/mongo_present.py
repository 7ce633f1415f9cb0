"""Which of many documents' ids are there, in whatever collection of the database. Reads the ids only; knows no collection by name."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from bson import ObjectId
from pymongo import AsyncMongoClient

from bot.ops.bounded import within
from bot.ops.dump_names import is_ours
from bot.ops.mongo_errors import MONGODB

_AT_ONCE = 1000
# Seconds for so many ids, wherever on a cold disk their documents' are.
_LONG = 60.0


class Presence:
    """The documents of ``database``. ``deadline`` (seconds) bounds each question."""

    def __init__(self, client: AsyncMongoClient[dict[str, Any]], database: str, deadline: float) -> None:
        self._database = client[database]
        self._deadline = deadline

    async def present(self, ids: Collection[str], first: Sequence[str] = ()) -> frozenset[str]:
        """Those of ``ids`` (24 hexadecimal digits) that some document has; ``first`` says where most are, which saves looking elsewhere.

        What the bot keeps beside the live collections, such as what a restore replaces, counts as not there.
        """
        names = await self._names(first)
        wanted, found = [each for each in dict.fromkeys(ids) if ObjectId.is_valid(each)], set[str]()
        for at in range(0, len(wanted), _AT_ONCE):
            missing = {ObjectId(each): each for each in wanted[at : at + _AT_ONCE]}
            for name in names:
                for identity in await self._found(name, list(missing)):
                    found.add(missing.pop(identity))
                if not missing:
                    break
        return frozenset(found)

    async def _names(self, first: Sequence[str]) -> list[str]:
        async with within(MONGODB, self._deadline):
            listed = await self._database.list_collections(filter={"type": "collection"})
            names = [str(entry["name"]) async for entry in listed]
        plain = sorted(name for name in names if not is_ours(name) and not name.startswith("system."))
        return sorted(plain, key=lambda name: name not in first)

    async def _found(self, name: str, ids: list[ObjectId]) -> list[ObjectId]:
        patience = max(_LONG, self._deadline)
        async with within(MONGODB, patience):
            cursor = self._database[name].find({"_id": {"$in": ids}}, {"_id": 1}).max_time_ms(int(patience * 1000))
            return [document["_id"] async for document in cursor]
