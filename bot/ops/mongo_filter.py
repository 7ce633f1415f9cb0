"""A filter as people type it, JSON, to one that is safe to run: by a list of what is allowed. Pure; asks no server.

Only operators that compare stored values pass. Whatever runs code, reads elsewhere or is not known here is refused by name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any, NoReturn

from bson.errors import BSONError
from bson.json_util import JSONOptions, object_hook

from bot.errors import Usage
from bot.plain_text import harmless
from bot.secret_names import kind_of

LONGEST = 8_192
DEEPEST = 20
_LONGEST_REGEX = 200
_EXAMPLE = '{"status":"failed"}'
_REGEX_OPTIONS = frozenset("imsx")
_TYPES = frozenset({"$oid", "$date", "$numberLong", "$numberInt", "$numberDouble", "$numberDecimal", "$uuid"})
_PRESENCE = frozenset({"$exists", "$type"})
_JUNCTIONS = frozenset({"$and", "$or", "$nor"})
_LEAST_INTEGER, _MOST_INTEGER = -(2**63), 2**63 - 1
_READ_AS = JSONOptions(tz_aware=True)


def parse(text: str, hidden: Collection[str] = ()) -> dict[str, Any]:
    """The filter; Usage that names what is wrong with it. ``hidden`` are fields that hold secrets without saying so by their names."""
    if len(text) > LONGEST or len(text.encode("utf-8", "replace")) > LONGEST:
        raise Usage("db.filter_long", limit=LONGEST)
    if _depth(text) > DEEPEST:
        raise Usage("db.filter_deep", limit=DEEPEST)
    try:
        read = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise Usage("db.filter_json", position=getattr(error, "pos", 0) + 1, example=_EXAMPLE) from error
    if not isinstance(read, Mapping):
        raise Usage("db.filter_object", example=_EXAMPLE)
    query = _query(read)
    _refuse_secrets(query, hidden)
    return query


def object_in(text: str) -> str:
    """The first JSON object written inside a line, up to the bracket that closes it; empty when there is none."""
    start = text.find("{")
    depth = 0
    for position, sign in _brackets(text[start:] if start >= 0 else ""):
        depth += 1 if sign in "{[" else -1
        if depth == 0:
            return text[start : start + position + 1]
    return ""


def _brackets(text: str) -> list[tuple[int, str]]:
    """Every bracket that is not inside a string, with its place."""
    found: list[tuple[int, str]] = []
    quoted = escaped = False
    for position, sign in enumerate(text):
        if quoted:
            quoted = escaped or sign != '"'
            escaped = sign == "\\" and not escaped
        elif sign == '"':
            quoted = True
        elif sign in "{[]}":
            found.append((position, sign))
    return found


def _depth(text: str) -> int:
    deepest = depth = 0
    for _, sign in _brackets(text):
        depth += 1 if sign in "{[" else -1
        deepest = max(deepest, depth)
    return deepest


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise Usage("db.filter_twice", name=_shown(twice))
    return dict(pairs)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _refuse_secrets(value: Any, hidden: Collection[str]) -> None:
    """Whoever may compare a secret and is told how many were found, reads it letter by letter: only whether it is there may be asked."""
    for name, inner in value.items() if isinstance(value, Mapping) else ():
        secret = any(part in hidden or kind_of(part) for part in name.split("."))
        if secret and not name.startswith("$") and not (isinstance(inner, Mapping) and inner.keys() <= _PRESENCE):
            raise Usage("db.filter_secret", name=_shown(name))
        _refuse_secrets(inner, hidden)
    for each in value if isinstance(value, list) else ():
        _refuse_secrets(each, hidden)


def _shown(name: str) -> str:
    return harmless(name, limit=40, newlines=False)


# ---------------------------------------------------------------- what may stand where
def _query(query: Mapping[str, Any]) -> dict[str, Any]:
    """Fields with their conditions, and junctions of such."""
    return {_key(name): _clauses(name, value) if name in _JUNCTIONS else _field(name, value) for name, value in query.items()}


def _clauses(name: str, value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not value or not all(isinstance(each, Mapping) for each in value):
        raise Usage("db.filter_value", name=name)
    return [_query(each) for each in value]


def _field(name: str, value: Any) -> Any:
    if name.startswith("$"):
        raise Usage("db.filter_operator", name=_shown(name))
    return _conditions(value) if _is_conditions(value) else _literal(value)


def _is_conditions(value: Any) -> bool:
    return isinstance(value, Mapping) and any(name.startswith("$") for name in value) and not _TYPES & value.keys()


def _conditions(value: Mapping[str, Any]) -> dict[str, Any]:
    for name in value:
        if name not in _OPERATORS:
            raise Usage("db.filter_operator", name=_shown(name))
    return {name: _OPERATORS[name](name, inner) for name, inner in value.items()}


def _literal(value: Any) -> Any:
    """A value to compare with, of BSON's types; no operator hides in it."""
    if isinstance(value, list):
        return [_literal(each) for each in value]
    if isinstance(value, Mapping):
        return _typed(value) if _TYPES & value.keys() else {_key(name, literal=True): _literal(inner) for name, inner in value.items()}
    if isinstance(value, str):
        return _text(value)
    return _number(value) if isinstance(value, int) else value


def _number(value: int) -> int:
    if not _LEAST_INTEGER <= value <= _MOST_INTEGER:
        raise Usage("db.filter_number")
    return value


def _typed(value: Mapping[str, Any]) -> Any:
    try:
        if len(value) != 1:
            raise ValueError(value)
        if "$oid" in value and not isinstance(value["$oid"], str):  # without one the library makes up a new one
            raise ValueError(value)
        read = object_hook({name: _literal(inner) for name, inner in value.items()}, _READ_AS)
        return _number(read) if isinstance(read, int) else read
    except (ValueError, TypeError, ArithmeticError, BSONError) as error:
        raise Usage("db.filter_value", name=_shown(next(iter(_TYPES & value.keys())))) from error


def _key(name: str, *, literal: bool = False) -> str:
    if literal and name.startswith("$"):
        raise Usage("db.filter_operator", name=_shown(name))
    if "\0" in name:
        raise Usage("db.filter_value", name=_shown(name))
    return _text(name)


def _text(value: str) -> str:
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise Usage("db.filter_text")
    return value


def _plain(name: str, value: Any) -> Any:
    return _literal(value)


def _list(name: str, value: Any) -> Any:
    if not isinstance(value, list):
        raise Usage("db.filter_value", name=name)
    return [_conditions(each) if name == "$all" and _is_conditions(each) else _literal(each) for each in value]


def _nested(name: str, value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise Usage("db.filter_value", name=name)
    if _is_conditions(value) and not _JUNCTIONS & value.keys():
        return _conditions(value)
    if name == "$not":
        raise Usage("db.filter_value", name=name)
    return _query(value)


def _flag(name: str, value: Any) -> Any:
    if not isinstance(value, bool | int):
        raise Usage("db.filter_value", name=name)
    return _number(value)


def _kind(name: str, value: Any) -> Any:
    kinds = value if isinstance(value, list) else [value]
    if not kinds or not all(isinstance(each, str | int) for each in kinds):
        raise Usage("db.filter_value", name=name)
    return _literal(value)


def _regex(name: str, value: Any) -> Any:
    if not isinstance(value, str) or "\0" in value:
        raise Usage("db.filter_value", name=name)
    if len(value) > _LONGEST_REGEX:
        raise Usage("db.filter_regex", limit=_LONGEST_REGEX)
    return _text(value)


def _options(name: str, value: Any) -> Any:
    if not isinstance(value, str) or not set(value) <= _REGEX_OPTIONS:
        raise Usage("db.filter_value", name=name)
    return value


_OPERATORS: Mapping[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys(("$eq", "$ne", "$gt", "$gte", "$lt", "$lte"), _plain),
    **dict.fromkeys(("$in", "$nin", "$all", "$mod"), _list),
    **dict.fromkeys(("$elemMatch", "$not"), _nested),
    **dict.fromkeys(("$exists", "$size"), _flag),
    "$type": _kind,
    "$regex": _regex,
    "$options": _options,
}
