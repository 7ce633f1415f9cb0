"""From a dump's definitions to what the server is told: collections without their expiry, indexes that do not expire anything yet.

A collection that is being loaded must not lose documents to its own TTL index: the real time comes last (``Expiry``). Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bot.ops.dump_values import Definition, Options

# The longest that a server takes: 68 years.
NEVER = 2**31 - 1
_EXPIRY = "expireAfterSeconds"
# What old servers told of a collection or an index and today's do not take.
_NOT_OPTIONS = frozenset({"autoIndexId", "uuid", "create", "temp", _EXPIRY})
_NOT_OF_INDEX = frozenset({"ns", "dropDups"})


@dataclass(frozen=True, slots=True)
class Expiry:
    """After how many seconds a collection's documents expire by ``index``; an empty name is the collection's own clustered one."""

    collection: str
    index: str
    seconds: Any


def create_command(definition: Definition, name: str) -> Options:
    """The command that makes the collection or view, called ``name``."""
    return {"create": name, **{key: value for key, value in definition.options.items() if key not in _NOT_OPTIONS}}


def index_specifications(definition: Definition) -> list[Options]:
    """All indexes but the one every collection has, with every option, expiring nothing."""
    return [_specification(index, definition.options) for index in definition.indexes if _is_made(index)]


def expiries(definitions: Iterable[Definition]) -> tuple[Expiry, ...]:
    """Everything that expires, to be switched on at the end."""
    found = []
    for definition in definitions:
        if _EXPIRY in definition.options and definition.kind != "view":
            found.append(Expiry(definition.name, "", definition.options[_EXPIRY]))
        found += [Expiry(definition.name, str(index["name"]), index[_EXPIRY]) for index in definition.indexes if _EXPIRY in index]
    return tuple(found)


def expiry_command(expiry: Expiry, name: str) -> Options:
    """The command that gives an expiry its real time, in the collection ``name``."""
    if not expiry.index:
        return {"collMod": name, _EXPIRY: expiry.seconds}
    return {"collMod": name, "index": {"name": expiry.index, _EXPIRY: expiry.seconds}}


def _is_made(index: Options) -> bool:
    return index.get("clustered") is not True and list(index["key"].items()) != [("_id", 1)]


def _specification(index: Options, options: Options) -> Options:
    made = {key: value for key, value in index.items() if key not in _NOT_OF_INDEX}
    if _EXPIRY in made:
        made[_EXPIRY] = NEVER
    if "collation" in options and "collation" not in made:
        # Without a word it would take the collection's.
        made["collation"] = {"locale": "simple"}
    return made
