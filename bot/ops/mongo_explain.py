"""How the server would answer a query, as it says itself: which index, how much it reads. Runs the query, changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pymongo import AsyncMongoClient, ReadPreference

from bot.errors import TimedOut
from bot.ops.bounded import within
from bot.ops.mongo_errors import MONGODB

Document = dict[str, Any]
_BY_ID = frozenset({"IDHACK", "EXPRESS_IXSCAN", "EXPRESS_CLUSTERED_IXSCAN", "CLUSTERED_IXSCAN"})
_INDEXED = frozenset({"IXSCAN", "EXPRESS_IXSCAN", "COUNT_SCAN", "DISTINCT_SCAN"})
_INNER = ("inputStage", "inputStages", "thenStage", "elseStage", "outerStage", "innerStage", "queryPlan", "shards", "winningPlan")
# The driver's own limit is a little longer than the server's, so that it is the server that stops, and says so.
_SLACK = 2.0


@dataclass(frozen=True, slots=True)
class Query:
    """What to find, in which order (field and 1 or -1), at most how many (0: all)."""

    collection: str
    filter: Mapping[str, Any]
    sort: tuple[tuple[str, int], ...] = ()
    limit: int = 0


@dataclass(frozen=True, slots=True)
class UsedIndex:
    """An index of the plan, with its key pattern (field and direction)."""

    name: str
    keys: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """The plan, and what running it took. The figures are None when it did not end in time (``ended`` is then false).

    ``scans`` when every document is read; ``by_id`` when it is fetched by its id; ``sorts`` when the result is sorted in memory.
    """

    stages: tuple[str, ...]
    indexes: tuple[UsedIndex, ...]
    scans: bool
    by_id: bool
    sorts: bool
    examined: int | None = None
    keys_examined: int | None = None
    returned: int | None = None
    milliseconds: float | None = None
    spilled: bool = False
    ended: bool = field(default=True)

    @property
    def examined_per_returned(self) -> float | None:
        """Documents read for each that was wanted; None when nothing was returned or measured."""
        return self.examined / self.returned if self.examined is not None and self.returned else None


class Planner:
    """Explains queries on the database ``name``."""

    def __init__(self, client: AsyncMongoClient[Document], name: str) -> None:
        self._client = client
        self._name = name

    async def explain(self, query: Query, seconds: float) -> Explained:
        """Run it for at most so many seconds; when that does not do, the plan alone."""
        try:
            return explained(await self._ask(query, "executionStats", seconds))
        except TimedOut:
            return explained(await self._ask(query, "queryPlanner", seconds))

    async def _ask(self, query: Query, verbosity: str, seconds: float) -> Document:
        find: Document = {"find": query.collection, "filter": dict(query.filter)}
        if query.sort:
            find["sort"] = dict(query.sort)
        if query.limit:
            find["limit"] = query.limit
        async with within(MONGODB, seconds + _SLACK):
            return await self._client[self._name].command(
                "explain",
                find,
                verbosity=verbosity,
                maxTimeMS=int(seconds * 1000),
                read_preference=ReadPreference.SECONDARY_PREFERRED,
            )


def explained(answer: Mapping[str, Any]) -> Explained:
    """The server's answer, in either of its plan formats."""
    stages = list(_stages(answer.get("queryPlanner", {}).get("winningPlan", {})))
    names = tuple(str(stage.get("stage", "")) for stage in stages)
    used = {str(stage.get("indexName")): stage.get("keyPattern") or {} for stage in stages if stage.get("stage") in _INDEXED}
    figures = answer.get("executionStats")
    plan = Explained(
        stages=names,
        indexes=tuple(UsedIndex(name, tuple(keys.items())) for name, keys in used.items()),
        scans="COLLSCAN" in names,
        by_id=not _BY_ID.isdisjoint(names),
        sorts="SORT" in names,
        ended=False,
    )
    # Stopped half-way the server still answers, with the figures of the half: they say nothing of the whole.
    return _measured(plan, figures) if figures and figures.get("executionSuccess", True) else plan


def _measured(plan: Explained, figures: Mapping[str, Any]) -> Explained:
    return Explained(
        stages=plan.stages,
        indexes=plan.indexes,
        scans=plan.scans,
        by_id=plan.by_id,
        sorts=plan.sorts,
        examined=int(figures.get("totalDocsExamined", 0)),
        keys_examined=int(figures.get("totalKeysExamined", 0)),
        returned=int(figures.get("nReturned", 0)),
        milliseconds=float(figures.get("executionTimeMillis", 0)),
        spilled=any(stage.get("usedDisk") is True for stage in _stages(figures.get("executionStages", {}))),
    )


def _stages(plan: Any) -> Iterator[Mapping[str, Any]]:
    """A plan's stages from the outside in."""
    waiting = [plan]
    while waiting:
        stage = waiting.pop(0)
        if isinstance(stage, list):
            waiting = [*stage, *waiting]
        elif isinstance(stage, Mapping):
            if "stage" in stage:
                yield stage
            waiting = [*(stage[name] for name in _INNER if name in stage), *waiting]
