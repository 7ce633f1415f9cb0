"""The indexes of a database: how big, how often used since when, and which only repeat another. Reads only."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import OperationFailure

from bot.errors import Denied, NotFound
from bot.ops.bounded import within
from bot.ops.mongo_errors import MONGODB

Document = dict[str, Any]
Keys = tuple[tuple[str, Any], ...]
BUILT_IN = "_id_"
# So long an index must have been watched before it may be called unused: shorter, and it misses what runs once a day.
WATCHED_ENOUGH = 86_400.0


@dataclass(frozen=True, slots=True)
class Index:
    """One index. ``uses`` and ``since`` are None when the account may not see them; ``expires_s`` is a TTL index's.

    ``covered_by`` names another index of the collection that serves every query this one does.
    """

    collection: str
    name: str
    keys: Keys
    size_bytes: int = 0
    uses: int | None = None
    since: float | None = None
    unique: bool = False
    sparse: bool = False
    partial: bool = False
    hidden: bool = False
    expires_s: float | None = None
    collation: Mapping[str, Any] = field(default_factory=dict)
    covered_by: str = ""

    @property
    def special(self) -> bool:
        """Whether it does more than help finding: then it is not to be dropped for being unused or repeated."""
        return self.name == BUILT_IN or self.unique or self.expires_s is not None

    def unused(self, now: float) -> bool | None:
        """Whether nothing asked for it; None while that is not known yet."""
        if self.uses is None or self.since is None:
            return None
        if self.uses:
            return False
        return True if now - self.since >= WATCHED_ENOUGH else None


class Indexes:
    """Looks at the indexes of the database ``name``."""

    def __init__(self, client: AsyncMongoClient[Document], name: str) -> None:
        self._client = client
        self._name = name

    async def look(self, collections: Sequence[str], deadline: float) -> tuple[Index, ...]:
        """The indexes of these collections, each collection's in its own order; one dropped meanwhile is left out."""
        async with within(MONGODB, deadline):
            found = await asyncio.gather(*(self._of(self._client[self._name], name) for name in collections))
        return tuple(index for indexes in found for index in with_covers(indexes))

    async def _of(self, database: AsyncDatabase[Document], name: str) -> list[Index]:
        try:
            specs = await (await database[name].list_indexes()).to_list()
            stored = await (await database[name].aggregate([{"$collStats": {"storageStats": {}}}])).to_list()
            uses = await self._uses(database, name)
        except OperationFailure as error:
            if isinstance(MONGODB.translate(error, 0), NotFound):
                return []
            raise
        sizes: Document = stored[0]["storageStats"].get("indexSizes", {}) if stored else {}
        return [_index(name, dict(spec), int(sizes.get(spec["name"], 0)), uses.get(spec["name"])) for spec in specs]

    async def _uses(self, database: AsyncDatabase[Document], name: str) -> Mapping[str, Document]:
        """How often each was used; nothing when the account may not ask."""
        try:
            rows = await (await database[name].aggregate([{"$indexStats": {}}])).to_list()
        except OperationFailure as error:
            if isinstance(MONGODB.translate(error, 0), Denied):
                return {}
            raise
        return {str(row["name"]): row["accesses"] for row in rows}


def _index(collection: str, spec: Document, size: int, accesses: Document | None) -> Index:
    since = accesses.get("since") if accesses else None
    return Index(
        collection=collection,
        name=str(spec["name"]),
        keys=tuple(dict(spec["key"]).items()),
        size_bytes=size,
        uses=None if accesses is None else int(accesses.get("ops", 0)),
        since=since.replace(tzinfo=UTC).timestamp() if isinstance(since, datetime) else None,
        unique=bool(spec.get("unique")),
        sparse=bool(spec.get("sparse")),
        partial="partialFilterExpression" in spec,
        hidden=bool(spec.get("hidden")),
        expires_s=float(spec["expireAfterSeconds"]) if "expireAfterSeconds" in spec else None,
        collation=dict(spec.get("collation", {})),
    )


def with_covers(indexes: Sequence[Index]) -> tuple[Index, ...]:
    """The indexes of one collection, those that repeat the beginning of another marked."""
    return tuple(replace(index, covered_by=_cover(index, indexes)) for index in indexes)


def _cover(index: Index, others: Sequence[Index]) -> str:
    if index.special or index.sparse or index.partial or index.hidden:
        return ""
    wider = (other for other in others if other.name != index.name and _serves(other, index) and not _twin_before(other, index))
    return next((other.name for other in wider), "")


def _twin_before(other: Index, index: Index) -> bool:
    """Two with the same keys repeat each other: only the later name is called the repetition."""
    return len(other.keys) == len(index.keys) and not other.special and other.name > index.name


def _serves(other: Index, index: Index) -> bool:
    """Whether ``other`` holds every document, in an order that begins with ``index``'s, read forwards or backwards."""
    if other.sparse or other.partial or other.hidden or dict(other.collation) != dict(index.collation):
        return False
    begins = other.keys[: len(index.keys)]
    if len(begins) < len(index.keys) or any(direction not in (1, -1) for _, direction in (*begins, *index.keys)):
        return False
    backwards = tuple((name, -direction) for name, direction in index.keys)
    return begins in (index.keys, backwards)
