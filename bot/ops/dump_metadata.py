"""A collection's options and indexes as mongodump writes them: canonical extended JSON beside the documents.

Knows the form of that file; no server, and not where the file is.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from bson import json_util
from bson.binary import Binary
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError
from bson.json_util import JSONMode, JSONOptions

from bot.errors import OutsideError
from bot.ops.dump_faults import Damaged
from bot.ops.dump_names import checked_collection
from bot.ops.dump_values import Definition, Kind, Options

LARGEST = 32 << 20
# Numbers, dates and texts come and go as they are; nothing is made prettier.
EXACT: CodecOptions[dict[str, Any]] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)
_CANONICAL = JSONOptions(json_mode=JSONMode.CANONICAL, datetime_conversion=DatetimeConversion.DATETIME_MS)
_KINDS: dict[str, Kind] = {"": "collection", "collection": "collection", "view": "view", "timeseries": "timeseries"}


def listed(entry: Mapping[str, Any]) -> Definition:
    """A definition from an entry of the server's ``listCollections``, without indexes."""
    options: Options = dict(entry.get("options", {}))
    found = entry.get("info", {}).get("uuid")
    mark = found.hex() if isinstance(found, Binary | uuid.UUID | bytes) and not isinstance(found, uuid.UUID) else ""
    return Definition(str(entry["name"]), _kind(str(entry.get("type", "")), options), options, uuid=mark)


def written(definition: Definition) -> bytes:
    """The content of the ``.metadata.json`` file."""
    content: Options = {"options": definition.options} if definition.options else {}
    content["indexes"] = list(definition.indexes)
    if definition.uuid:
        content["uuid"] = definition.uuid
    content["collectionName"] = definition.name
    content["type"] = "collection" if definition.kind == "capped" else definition.kind
    text: str = json_util.dumps(content, json_options=_CANONICAL, separators=(",", ":"), ensure_ascii=False)
    return text.encode()


def read(content: bytes, file: str, collection: str) -> Definition:
    """The definition in a ``.metadata.json``. ``collection`` is the name where the content names none (old mongodumps)."""
    try:
        found = json_util.loads(content, json_options=_CANONICAL)
    except (ValueError, TypeError, BSONError, RecursionError, AttributeError, LookupError, OverflowError) as error:
        raise Damaged(file, 0, f"not extended JSON: {type(error).__name__}") from error
    if not isinstance(found, dict):
        raise Damaged(file, 0, "not a JSON object")
    options, indexes = _or(found.get("options"), {}), _or(found.get("indexes"), [])
    sound = isinstance(options, dict) and isinstance(indexes, list) and all(_is_index(each) for each in indexes)
    if not sound:
        raise Damaged(file, 0, "options or indexes of a wrong kind")
    kind = _kind(str(found.get("type") or ""), options)
    name = checked_collection(str(found.get("collectionName") or collection))
    return Definition(name, kind, options, tuple(indexes), str(found.get("uuid") or ""))


def pack(content: Mapping[str, Any]) -> str:
    """Any values of the server as one line of text, for keeping."""
    text: str = json_util.dumps(content, json_options=_CANONICAL)
    return text


def unpack(text: str) -> Options:
    """What ``pack`` packed."""
    content: Options = json_util.loads(text, json_options=_CANONICAL)
    return content


def _or(value: Any, default: Any) -> Any:
    return default if value is None else value


def _is_index(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("key"), dict) and bool(entry["key"]) and isinstance(entry.get("name"), str)


def _kind(type_name: str, options: Options) -> Kind:
    if type_name not in _KINDS:
        raise OutsideError("dump.unknown_kind", system="mongodb", kind=type_name[:40])
    if "viewOn" in options and type_name != "timeseries":
        return "view"
    kind = _KINDS[type_name]
    return "capped" if kind == "collection" and options.get("capped") else kind
