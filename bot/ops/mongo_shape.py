"""The shape of a database operation: where it works, what it does and by which fields. Pure; no value of a query is in it.

Two operations of the same shape differ only in what they looked for, which is personal data and is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_DEEPEST, _MOST_FIELDS, _MOST_STAGES = 6, 20, 8
_VALUE = "?"
_WRITES = {"update": "update", "remove": "delete"}
_FILTERS = ("filter", "query", "q")
_ALTERNATIVES = frozenset({"$and", "$or", "$nor"})
_NESTED = frozenset({"$elemMatch", "$not"})
# How the log writes a single value; an operator of a query looks the same but for its name.
_TYPED = frozenset(
    {"$oid", "$date", "$numberLong", "$numberInt", "$numberDouble", "$numberDecimal", "$binary", "$uuid", "$timestamp", "$symbol"}
    | {"$regularExpression", "$minKey", "$maxKey", "$undefined", "$code", "$dbPointer"}
)
_WORD = re.compile(r"\$?[^\W\d][\w-]{0,39}")
_IDENTITY = re.compile(r"[0-9a-fA-F-]{12,}")


@dataclass(frozen=True, slots=True)
class Shape:
    """``operation`` is the command's name; ``pattern`` its filter, sort and stages with every value as ``?``."""

    collection: str
    operation: str
    pattern: str


def shape_of(namespace: str, kind: str, command: Mapping[str, Any], origin: Mapping[str, Any] | None = None) -> Shape:
    """The shape of an operation as the profiler, the log and $currentOp tell it. ``origin`` is what opened its cursor."""
    told = origin or command
    operation = _WRITES.get(kind) or _field(next(iter(told), kind) or "?")
    return Shape(namespace.partition(".")[2] or namespace, operation, " ".join(_parts(told)))


def _parts(told: Mapping[str, Any]) -> list[str]:
    parts = [_document(told[name], 0) for name in _FILTERS if isinstance(told.get(name), Mapping)][:1]
    if isinstance(told.get("key"), str):
        parts.insert(0, _path(told["key"]))
    if isinstance(told.get("sort"), Mapping) and told["sort"]:
        parts.append(f"sort {_order(told['sort'])}")
    if isinstance(told.get("pipeline"), Sequence):
        parts += [_stage(stage) for stage in told["pipeline"][:_MOST_STAGES]]
    return parts


def _stage(stage: Any) -> str:
    name = next(iter(stage), "?") if isinstance(stage, Mapping) else "?"
    content = stage[name] if isinstance(stage, Mapping) and stage else None
    if name == "$match" and isinstance(content, Mapping):
        return f"$match {_document(content, 0)}"
    if name == "$sort" and isinstance(content, Mapping):
        return f"$sort {_order(content)}"
    return _field(name)


def _document(document: Mapping[str, Any], depth: int) -> str:
    if depth > _DEEPEST:
        return "{…}"
    names = sorted(str(name) for name in document)
    pairs = [f"{_path(name)}: {_condition(name, document[name], depth)}" for name in names[:_MOST_FIELDS]]
    return "{" + ", ".join(pairs + ["…"] * (len(names) > _MOST_FIELDS)) + "}"


def _condition(name: str, value: Any, depth: int) -> str:
    if name in _ALTERNATIVES and isinstance(value, list):
        shapes = {_document(each, depth + 1) for each in value[:100] if isinstance(each, Mapping)}
        return "[" + ", ".join(sorted(shapes)[:_MOST_FIELDS]) + "]"
    if not isinstance(value, Mapping) or not value or _TYPED & value.keys():
        return _VALUE
    operators = all(str(key).startswith("$") for key in value)
    return _document(value, depth + 1) if operators or name in _NESTED else _VALUE


def _order(order: Mapping[str, Any]) -> str:
    pairs = [
        f"{_path(str(name))}: {direction if direction in (1, -1) else _VALUE}" for name, direction in list(order.items())[:_MOST_FIELDS]
    ]
    return "{" + ", ".join(pairs) + "}"


def _path(path: str) -> str:
    """A field's path. What is no plain name, or looks like an id, may be data in the place of a name."""
    return ".".join(_field(part) for part in path.split(".")[:_DEEPEST])


def _field(part: str) -> str:
    return part if _WORD.fullmatch(part) and not _IDENTITY.fullmatch(part) else "*"
