"""Slow operations from three tellers, the profiler, $currentOp and the server's log, brought to one form and counted by shape. Pure."""

from __future__ import annotations

import enum
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from bot.ops.mongo_shape import Shape, shape_of
from bot.ops.mongo_values import APP_NAME

_SLOW_QUERY_ID = 51803
MARK = '"id":51803'
# The driver's wrapper round a write; the write itself is told beside it.
_WRAPPED = frozenset({"insert", "update", "delete"})
_AFFECTED = ("nreturned", "nMatched", "ndeleted")
_MOST_SHAPES = 2_000


class Source(enum.StrEnum):
    """Who told of an operation."""

    PROFILER = "profiler"
    RUNNING = "running"
    LOG = "log"


@dataclass(frozen=True, slots=True)
class SlowOperation:
    """One operation. ``plan`` is the server's own summary; ``examined`` and ``returned`` are None where it does not say."""

    shape: Shape
    source: Source
    at: float
    milliseconds: float
    plan: str = ""
    examined: int | None = None
    returned: int | None = None


@dataclass(slots=True)
class SlowGroup:
    """All operations of one shape. ``sources`` counts who told of them; one that two told of counts once in ``count``."""

    shape: Shape
    count: int = 0
    slowest_ms: float = 0.0
    total_ms: float = 0.0
    last_at: float = 0.0
    examined: int = 0
    returned: int = 0
    measured: int = 0
    plans: Counter[str] = field(default_factory=Counter)
    sources: Counter[Source] = field(default_factory=Counter)

    @property
    def mean_ms(self) -> float:
        """How long one takes."""
        return self.total_ms / self.count if self.count else 0.0

    @property
    def examined_per_returned(self) -> float | None:
        """Documents read for each that was wanted; None when nobody measured it or nothing was found."""
        return self.examined / self.returned if self.measured and self.returned else None

    def add(self, operation: SlowOperation) -> None:
        """Count one more."""
        self.count += 1
        self.total_ms += operation.milliseconds
        self.slowest_ms = max(self.slowest_ms, operation.milliseconds)
        self.last_at = max(self.last_at, operation.at)
        if operation.plan:
            self.plans[operation.plan] += 1
        if operation.examined is not None:
            self.measured += 1
            self.examined += operation.examined
            self.returned += operation.returned or 0


class SlowTally:
    """Counts operations by shape in bounded memory. Hand in the profiler's first: what the log tells again is not counted again."""

    def __init__(self) -> None:
        self._groups: dict[Shape, SlowGroup] = {}
        self._profiled: Counter[tuple[Any, ...]] = Counter()
        self.sources: Counter[Source] = Counter()
        self.overflow = 0

    def add(self, operation: SlowOperation) -> None:
        """Take one in."""
        self.sources[operation.source] += 1
        group = self._groups.get(operation.shape)
        if group is None and len(self._groups) >= _MOST_SHAPES:
            self.overflow += 1
            return
        group = group or self._groups.setdefault(operation.shape, SlowGroup(operation.shape))
        group.sources[operation.source] += 1
        if not self._known(operation):
            group.add(operation)

    def groups(self) -> tuple[SlowGroup, ...]:
        """The slowest first."""
        return tuple(sorted(self._groups.values(), key=lambda group: (-group.slowest_ms, -group.total_ms)))

    def _known(self, operation: SlowOperation) -> bool:
        """Whether the profiler told of this one; its clock and the log's may fall into neighbouring seconds."""
        seen = (operation.shape, operation.milliseconds, operation.examined, operation.returned)
        if operation.source is Source.PROFILER:
            self._profiled[(*seen, int(operation.at))] += 1
        elif operation.source is Source.LOG:
            for second in (int(operation.at), int(operation.at) - 1, int(operation.at) + 1):
                if self._profiled[(*seen, second)] > 0:
                    self._profiled[(*seen, second)] -= 1
                    return True
        return False


def from_profile(document: Mapping[str, Any]) -> SlowOperation | None:
    """One document of system.profile; None for what is ours or internal."""
    at = document.get("ts")
    if document.get("appName") == APP_NAME or not isinstance(at, datetime):
        return None
    return _operation(document, str(document.get("op", "")), Source.PROFILER, _utc(at), _number(document.get("millis")))


def from_running(document: Mapping[str, Any], now: float) -> SlowOperation | None:
    """One operation of $currentOp; None for what is ours or internal."""
    if document.get("appName") == APP_NAME or not document.get("client") or document.get("op") in ("none", ""):
        return None
    cursor = document.get("cursor")
    opened = cursor.get("originatingCommand") if isinstance(cursor, Mapping) else None
    told = {**document, "originatingCommand": opened}
    return _operation(told, str(document.get("op", "")), Source.RUNNING, now, _number(document.get("microsecs_running")) / 1000)


def from_log(line: str, database: str) -> SlowOperation | None:
    """One line of the server's log; None when it is not about a slow operation of somebody else's in this database."""
    entry = _entry(line)
    told = entry.get("attr")
    if not isinstance(told, Mapping) or told.get("appName") == APP_NAME or not str(told.get("ns", "")).startswith(f"{database}."):
        return None
    stamp = entry.get("t")
    at = _moment(stamp.get("$date")) if isinstance(stamp, Mapping) else 0.0
    return _operation(told, str(told.get("type", "")), Source.LOG, at, _number(told.get("durationMillis")))


def _entry(line: str) -> Mapping[str, Any]:
    if MARK not in line:
        return {}
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, Mapping) and entry.get("id") == _SLOW_QUERY_ID else {}


def _operation(told: Mapping[str, Any], kind: str, source: Source, at: float, milliseconds: float) -> SlowOperation | None:
    namespace = str(told.get("ns", ""))
    command = told.get("command")
    command = command if isinstance(command, Mapping) else {}
    name = str(next(iter(command), ""))
    wrapper = namespace.endswith(".$cmd") and name in _WRAPPED
    if wrapper or namespace.endswith(".system.profile") or name == "profile":
        return None
    origin = told.get("originatingCommand")
    examined = told.get("docsExamined")
    returned = next((told[each] for each in _AFFECTED if each in told), None)
    return SlowOperation(
        shape=shape_of(namespace, kind, command, origin if isinstance(origin, Mapping) else None),
        source=source,
        at=at,
        milliseconds=milliseconds,
        plan=str(told.get("planSummary") or "")[:300],
        examined=None if examined is None else int(_number(examined)),
        returned=None if returned is None else int(_number(returned)),
    )


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0


def _utc(at: datetime) -> float:
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _moment(stamp: Any) -> float:
    try:
        return _utc(datetime.fromisoformat(str(stamp)))
    except ValueError:
        return 0.0
