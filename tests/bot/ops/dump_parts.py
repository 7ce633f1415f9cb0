"""What the tests of dumping and loading share: the real mongodump's fixture, a database with everything odd, and how it looks raw."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import bson
import pymongo
from bson.binary import Binary
from bson.raw_bson import RawBSONDocument

from tests.parts import absent
from tests.servers import RealMongod

FIXTURE = Path(__file__).resolve().parents[4] / "shared" / "fixtures" / "mongodump-100.8.0"
MOMENT = datetime.datetime(2026, 1, 22, 9, 0, tzinfo=datetime.UTC)

ODD: list[dict[str, Any]] = [
    {"_id": 1, "ts": bson.Timestamp(0, 0), "inner": {"ts": bson.Timestamp(0, 0)}, "after": 1},
    {"_id": "text", "nothing": None, "deep": {"a": [1, {"b": [[], {}]}]}, "": "empty name"},
    {"_id": bson.ObjectId(b"123456789012"), "int": 1, "long": bson.Int64(1), "double": 1.0, "decimal": bson.Decimal128("1.10")},
    {"_id": 4.5, "min": bson.MinKey(), "max": bson.MaxKey(), "regex": bson.Regex("^a/b", "im"), "code": bson.Code("f()", {"x": 1})},
    {"_id": {"composed": 1}, "binary": Binary(b"\0\1", 0), "uuid": Binary(b"u" * 16, 4), "old": Binary(b"abc", 2)},
    {"_id": bson.Int64(7), "far": bson.DatetimeMS(2**60), "ref": bson.DBRef("users", 1), "한글": "나는 🙂 \u0000 안"},
]


def fixture() -> Path:
    """The dumps made by the real mongodump, beside the project."""
    if not FIXTURE.is_dir():
        absent("no mongodump fixture: put shared/fixtures beside the project")
    return FIXTURE


def fill(server: RealMongod, name: str = "", jobs: int = 300) -> None:
    """A database like VCC's, with everything that a restore could lose."""
    with server.client() as client:
        database = client[name or server.database]
        database["odd"].insert_many(ODD)
        database["imagegenerationjobs"].insert_many([_job(number) for number in range(jobs)])
        database["imagegenerationjobs"].create_index([("userId", 1), ("createdAt", -1)])
        database["imagegenerationjobs"].create_index("status", partialFilterExpression={"status": {"$in": ["failed"]}}, name="partial")
        database["users"].insert_many([{"_id": number, "email": f"u{number}@example.com"} for number in range(5)])
        database["users"].create_index("email", unique=True, collation={"locale": "en", "strength": 2})
        database["users"].create_index("googleId", unique=True, sparse=True, hidden=True)
        database["sessions"].insert_many([{"_id": f"s{number}", "expires": MOMENT} for number in range(4)])
        database["sessions"].create_index("expires", expireAfterSeconds=2_000_000_000)
        database.create_collection("capped", capped=True, size=65536, max=10)
        database["capped"].insert_many([{"n": number} for number in range(12)])
        database.create_collection("empty")
        database.create_collection("checked", validator={"$jsonSchema": {"required": ["a"]}}, collation={"locale": "ko"})
        database["checked"].insert_one({"b": 1}, bypass_document_validation=True)
        database["checked"].create_index("b", collation={"locale": "simple"})
        database["prompts"].insert_one({"text": "고양이 cat"})
        database["prompts"].create_index([("text", "text")], default_language="none")
        database["odd/name with %+ 한글"].insert_one({"x": 1})
        database["fs.chunks"].insert_one({"files_id": 1, "n": 0, "data": b"\0" * 300_000})
        database.command("create", "failedjobs", viewOn="imagegenerationjobs", pipeline=[{"$match": {"status": "failed"}}])


def _job(number: int) -> dict[str, Any]:
    status = ("pending", "completed", "failed")[number % 3]
    return {"_id": number, "userId": number % 5, "status": status, "createdAt": MOMENT, "inputData": {"prompt": "a cat " * (number % 9)}}


Content = dict[str, tuple[dict[str, Any], list[dict[str, Any]], list[bytes]]]


def content(server: RealMongod, name: str = "") -> Content:
    """Every collection but the server's and the bot's own: options, indexes, and its raw documents in order."""
    with server.client() as client:
        database = client.get_database(name or server.database, codec_options=bson.CodecOptions(document_class=dict[str, Any]))
        entries = {entry["name"]: entry for entry in database.list_collections()}
        return {key: _collection(database, dict(entry)) for key, entry in entries.items() if not key.startswith(("system.", "vccbot."))}


def _collection(
    database: pymongo.database.Database[dict[str, Any]], entry: dict[str, Any]
) -> tuple[dict[str, Any], list[dict[str, Any]], list[bytes]]:
    if entry["type"] == "view":
        return dict(entry["options"]), [], []
    collection = database[str(entry["name"])]
    indexes = [dict(index) for index in collection.list_indexes()]
    raw = collection.with_options(bson.CodecOptions(document_class=RawBSONDocument))
    return dict(entry["options"]), sorted(indexes, key=lambda index: str(index["name"])), [bytes(each.raw) for each in raw.find()]


def names(server: RealMongod, name: str = "") -> set[str]:
    """All collections, the bot's own too."""
    with server.client() as client:
        return set(client[name or server.database].list_collection_names())
