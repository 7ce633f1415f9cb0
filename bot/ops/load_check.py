"""Looks at what a load left in a database of its own: definitions field by field, documents byte by byte, room for it beforehand.

Reads only. Knows nothing of backups.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from bson.codec_options import CodecOptions, DatetimeConversion
from bson.raw_bson import RawBSONDocument
from pymongo.errors import BulkWriteError, OperationFailure

from bot.errors import OutsideError, Rejected
from bot.ops.bounded import within
from bot.ops.dump_client import DEADLINE, connect, exact
from bot.ops.dump_metadata import listed
from bot.ops.dump_names import Side, is_dumped
from bot.ops.dump_values import Definition, Options
from bot.ops.mongo_errors import MONGODB

_RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument, datetime_conversion=DatetimeConversion.DATETIME_MS)
_AT_ONCE = 50
# What a server tells of itself, or of times long gone, and not of the data.
_NOT_OF_OPTIONS = frozenset({"uuid", "create", "temp", "autoIndexId"})
_NOT_OF_INDEX = frozenset({"v", "ns", "dropDups"})
# BadValue, FailedToParse, TypeMismatch, InvalidBSON, CannotCreateIndex, InvalidOptions, IndexOptionsConflict,
# IndexKeySpecsConflict, InvalidIndexSpecificationOption, BSONObjectTooLarge, DuplicateKey.
_ABOUT_CONTENT = frozenset({2, 9, 14, 22, 67, 72, 85, 86, 197, 10334, 11000})

What = Literal["missing", "extra", "kind", "option", "index", "index_missing", "index_extra"]


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a collection is not as its definition says. ``name`` is of the option or the index, ``field`` of the index's field."""

    what: What
    collection: str
    name: str = ""
    field: str = ""


class LoadCheck:
    """Looks at ``side``, a database of its own, of the server at ``uri``. ValueError when ``uri`` is none."""

    def __init__(self, uri: str, side: Side) -> None:
        self._client = connect(uri)
        self._live = self._client[side.live]
        self._database = exact(self._client, side.database)
        self._raw = self._client.get_database(side.database, codec_options=_RAW)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def free_bytes(self) -> int | None:
        """What is free on the file system of the server's data; None where it does not say."""
        async with within(MONGODB, DEADLINE):
            answer = await self._live.command("dbStats")
        total, used = answer.get("fsTotalSize"), answer.get("fsUsedSize")
        return None if total is None or used is None else max(0, int(total) - int(used))

    async def difference(self, definitions: Iterable[Definition]) -> Difference | None:
        """The first one between what should stand there and what does, every option and every field of every index compared."""
        async with within(MONGODB, DEADLINE):
            entries = await (await self._database.list_collections()).to_list()
        standing = {str(entry["name"]): listed(entry) for entry in entries if is_dumped(str(entry["name"]))}
        expected = {each.name: each for each in definitions}
        for name in sorted(expected.keys() ^ standing.keys()):
            return Difference("missing" if name in expected else "extra", name)
        for name, each in sorted(expected.items()):
            found = _of_options(each, standing[name])
            if found is None and each.kind != "view":
                found = _of_indexes(each, await self._indexes(name))
            if found is not None:
                return found
        return None

    async def _indexes(self, name: str) -> tuple[Options, ...]:
        async with within(MONGODB, DEADLINE):
            return tuple(dict(each) for each in await (await self._database[name].list_indexes()).to_list())

    async def changed(self, name: str, documents: Sequence[bytes]) -> int:
        """How many of these documents do not stand in the collection byte for byte."""
        missing = 0
        for at in range(0, len(documents), _AT_ONCE):
            wanted = documents[at : at + _AT_ONCE]
            identities = [RawBSONDocument(each, _RAW).get("_id") for each in wanted]
            async with within(MONGODB, DEADLINE):
                found = cast("list[RawBSONDocument]", await self._raw[name].find({"_id": {"$in": identities}}).to_list())
            missing += len(set(wanted) - {bytes(each.raw) for each in found})
        return missing


def _of_options(expected: Definition, found: Definition) -> Difference | None:
    if expected.kind != found.kind:
        return Difference("kind", expected.name)
    name = _first_unequal(expected.options, found.options, _NOT_OF_OPTIONS)
    return None if name is None else Difference("option", expected.name, name)


def _of_indexes(definition: Definition, standing: Sequence[Options]) -> Difference | None:
    expected = {str(each["name"]): each for each in definition.indexes}
    # The one that every collection has need not be told of.
    found = {str(each["name"]): each for each in standing if str(each["name"]) in expected or each["key"] != {"_id": 1}}
    for name in sorted(expected.keys() ^ found.keys()):
        return Difference("index_missing" if name in expected else "index_extra", definition.name, name)
    for name, each in sorted(expected.items()):
        field = _first_unequal(each, found[name], _NOT_OF_INDEX)
        if field is not None:
            return Difference("index", definition.name, name, field)
    return None


def _first_unequal(expected: Options, found: Options, ignored: frozenset[str]) -> str | None:
    names = sorted((expected.keys() | found.keys()) - ignored)
    absent = object()
    return next((name for name in names if _ordered(expected.get(name, absent)) != _ordered(found.get(name, absent))), None)


def _ordered(value: Any) -> Any:
    """As it compares with the order of its fields, which means something in keys and pipelines."""
    if isinstance(value, dict):
        return [(key, _ordered(each)) for key, each in value.items()]
    return [_ordered(each) for each in value] if isinstance(value, list) else value


def refused_content(error: OutsideError) -> bool:
    """Whether the server refused what it was given for what it is, and not for the state that the server is in."""
    cause = error.__cause__
    if isinstance(cause, BulkWriteError):
        codes = {each.get("code") for each in cause.details.get("writeErrors", [])}
        return bool(codes) and codes <= _ABOUT_CONTENT
    return isinstance(error, Rejected) and isinstance(cause, OperationFailure) and cause.code in _ABOUT_CONTENT
