"""What the tests of restoring share: both live sides as they look, changes to them that a restore must undo, a job without a document."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import bson
import pymongo
import redis
from bson.raw_bson import RawBSONDocument

from bot.ops.bull import BullQueues
from bot.ops.snapshot_names import is_excluded
from bot.sandbox.bull import BullQueue

QUEUE = "image generation"
Database = dict[str, tuple[list[dict[str, Any]], list[str]]]
Tree = dict[str, tuple[int, int, str]]


@contextlib.contextmanager
def client_of(environment: Mapping[str, str]) -> Iterator[pymongo.database.Database[Any]]:
    """The live database."""
    with pymongo.MongoClient[Any](environment["MONGODB_URI"]) as client:
        yield client["vcc-manager"]


def database_of(environment: Mapping[str, str]) -> Database:
    """Every collection with its indexes and all documents to the byte, in any order."""
    found: Database = {}
    with client_of(environment) as live:
        raw = live.with_options(bson.CodecOptions(document_class=RawBSONDocument))
        for name in live.list_collection_names(filter={"type": "collection"}):
            if not name.startswith("system."):
                indexes = [dict(each) for each in live[name].list_indexes()]
                found[name] = (indexes, sorted(f"{each['_id']} {_sum(bytes(each.raw))}" for each in raw[name].find({})))
    return found


def _sum(content: bytes) -> str:
    """What stands for it: a difference between two of these is to be read by people."""
    return hashlib.sha256(content).hexdigest()[:20]


def tree_of(folder: Path) -> Tree:
    """Every file: its mode, its time, its content."""
    found: Tree = {}
    for directory, folders, files in os.walk(folder):
        if Path(directory) == folder:
            folders[:] = [name for name in folders if not is_excluded(name)]
        for name in files:
            path = Path(directory) / name
            status = path.stat()
            found[str(path.relative_to(folder))] = (status.st_mode, status.st_mtime_ns, _sum(path.read_bytes()))
    return found


def spoil(environment: Mapping[str, str]) -> str:
    """Add, change and delete documents and files; the id of a document that only the live side has."""
    later = bson.ObjectId()
    with client_of(environment) as live:
        live["users"].insert_one({"email": f"{later}@example.com", "name": "later"})
        live["generatedimages"].delete_one({})
        live["imagegenerationjobs"].update_one({}, {"$set": {"status": "spoiled"}})
        live["imagegenerationjobs"].insert_one({"_id": later, "status": "pending"})
        live["latercollection"].insert_one({"x": 1})
        live["users"].create_index("name", name="later_index")
    uploads = Path(environment["VCC_UPLOADS_DIR"])
    files = sorted(path for path in (uploads / "generated").iterdir() if path.is_file())
    files[0].unlink()
    files[1].write_bytes(b"spoiled")
    (uploads / "later").mkdir(exist_ok=True)
    (uploads / "later" / "x.png").write_bytes(b"later")
    return str(later)


def add_job(environment: Mapping[str, str], document: str) -> str:
    """A waiting job of this document, as the backend adds it; its id."""
    worker = BullQueue(environment["REDIS_URL"])
    added = worker.add({"jobId": document, "inputData": {"prompt": "a cat"}})
    worker.redis.close()
    return added


@contextlib.asynccontextmanager
async def quiet(environment: Mapping[str, str]) -> AsyncIterator[BullQueues]:
    """The queue closed by hand and no job active, for the block: so that both sides can be compared to the byte."""
    queues = BullQueues(environment["REDIS_URL"])
    was_open = not (await queues.queue(QUEUE)).is_paused
    await queues.pause(QUEUE)
    try:
        assert await queues.drain(QUEUE, 60, poll=0.2) == 0
        yield queues
    finally:
        if was_open:
            await queues.resume(QUEUE)
        await queues.close()


def closed(environment: Mapping[str, str]) -> Iterator[None]:
    """The same for many tests one after the other, so that only the first waits for jobs to end; all jobs are as before afterwards."""

    async def switch(*, pause: bool) -> None:
        queues = BullQueues(environment["REDIS_URL"])
        await queues.pause(QUEUE)
        assert await queues.drain(QUEUE, 60, poll=0.2) == 0
        if not pause:
            await queues.resume(QUEUE)
        await queues.close()

    asyncio.run(switch(pause=True))
    with contextlib.closing(redis.Redis.from_url(environment["REDIS_URL"])) as client:
        kept = {key: client.dump(key) for key in client.scan_iter("bull:*", count=1_000) if client.ttl(key) == -1}
        yield
        for key in list(client.scan_iter("bull:*", count=1_000)):
            client.delete(key)
        for key, value in kept.items():
            client.restore(key, 0, value)  # type: ignore[arg-type]
    asyncio.run(switch(pause=False))
