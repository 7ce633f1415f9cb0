"""Fills a new home once: files, past logs, the database and the queue, all from one fixed seed. Run before the backend first starts."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from typing import Any

import pymongo
import redis

from bot.sandbox.json_log import encode
from bot.sandbox.layout import Identity, Layout
from bot.sandbox.log_samples import Said, backend_access, faults, frontend_access, nginx_error, sign_in
from bot.sandbox.seed_documents import World, build_world
from bot.sandbox.seed_queue import seed_queue

SEED = 20260122
HISTORY_HOURS = 24
CONNECT_WITHIN = 20.0
INDEXES: dict[str, list[pymongo.IndexModel]] = {
    "users": [
        pymongo.IndexModel([("email", 1)], unique=True),
        pymongo.IndexModel([("googleId", 1)], unique=True, sparse=True),
    ],
    "imagegenerationjobs": [
        pymongo.IndexModel([("userId", 1), ("createdAt", -1)]),
        pymongo.IndexModel([("status", 1), ("priority", -1), ("createdAt", 1)]),
        pymongo.IndexModel([("workboardId", 1)]),
    ],
    "generatedimages": [
        pymongo.IndexModel([("userId", 1), ("createdAt", -1)]),
        pymongo.IndexModel([("jobId", 1)]),
        pymongo.IndexModel([("tags", 1)]),
    ],
    "uploadedimages": [
        pymongo.IndexModel([("userId", 1), ("createdAt", -1)]),
        pymongo.IndexModel([("filename", 1)]),
    ],
    "sessions": [pymongo.IndexModel([("expires", 1)], expireAfterSeconds=0)],
}


def seed(layout: Layout, identity: Identity) -> None:
    """Everything; repeatable after a start that was interrupted half-way."""
    world = build_world(random.Random(SEED), time.time())
    world.write_files(layout.uploads)
    _write_history(layout, identity)
    _fill_mongo(identity, world)
    client: Any = redis.Redis.from_url(identity.redis_url, decode_responses=True)
    try:
        client.flushall()
        seed_queue(client, world)
    finally:
        client.close()


def _fill_mongo(identity: Identity, world: World) -> None:
    _make_root_user(identity)
    client: pymongo.MongoClient[dict[str, object]] = pymongo.MongoClient(identity.mongodb_uri, tz_aware=True)
    with client:
        client.drop_database("vcc-manager")
        database = client["vcc-manager"]
        for name, documents in world.collections().items():
            if name in INDEXES:
                database[name].create_indexes(INDEXES[name])
            database[name].insert_many(documents, ordered=False)


def _make_root_user(identity: Identity) -> None:
    # A new server lets somebody on the same machine make the first user, and nothing else, without logging in.
    place = f"mongodb://127.0.0.1:{identity.ports['mongodb']}/"
    client: pymongo.MongoClient[dict[str, object]] = pymongo.MongoClient(place, serverSelectionTimeoutMS=int(CONNECT_WITHIN * 1000))
    with client:
        try:
            client.admin.command("createUser", "admin", pwd=identity.secrets.mongo_password, roles=["root"])
        except pymongo.errors.OperationFailure as problem:
            if problem.code != 13:  # Unauthorized: the user was made by an earlier try
                raise


def _write_history(layout: Layout, identity: Identity) -> None:
    """The last day of both web logs, so that there is something to search from the first minute on."""
    dice = random.Random(SEED)
    now = time.time()
    backend: list[tuple[float, Said]] = []
    frontend: list[tuple[float, Said]] = []
    for minute in range(HISTORY_HOURS * 60, 0, -1):
        moment = now - minute * 60 + dice.random() * 50
        stamp = datetime.fromtimestamp(moment, UTC)
        backend.append((moment, backend_access(stamp, dice)))
        frontend.extend((moment + step, frontend_access(stamp, dice)) for step in (0.1, 1.7))
        if minute % 97 == 0:
            backend.extend((moment + 2, said) for said in sign_in(stamp, dice))
        if minute % 240 == 7:
            backend.extend((moment + 3 + step / 10, said) for step, said in enumerate(faults(stamp)))
            frontend.append((moment + 3, nginx_error(stamp, "/api/jobs")))
    for service, past in (("backend", backend), ("frontend", frontend)):
        path = layout.container_log(identity.container_id(service))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(_records(moment, said) for moment, said in past))


def _records(moment: float, said: Said) -> bytes:
    begin = int(moment * 1_000_000_000)
    lines = said.text.split("\n")
    return b"".join(encode(line + "\n", said.stream, begin + number * 41_000) for number, line in enumerate(lines))
