"""The stand-in for VCC's backend: connects, logs and breaks as the real one does, answers its health, and works the queue.

Run as ``python -m bot.sandbox.backend`` with the real one's environment. Knows nothing of the engine that runs it.
"""

from __future__ import annotations

import json
import os
import random
import socket
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pymongo
import pymongo.errors
import redis

from bot.sandbox.auth import user_of
from bot.sandbox.bull import BullQueue
from bot.sandbox.log_samples import backend_access, faults, sign_in
from bot.sandbox.stand_in import Handler, Server, end_with, say, say_all, setting
from bot.sandbox.worker import Worker

Task = Callable[[], None]
Database = pymongo.database.Database[dict[str, Any]]
MONGO_PATIENCE_MS = 30_000
# The real server closes its connections within five seconds and does not wait for jobs.
FAREWELL = 0.2


def connect_mongo(uri: str) -> Database:
    client: pymongo.MongoClient[dict[str, Any]] = pymongo.MongoClient(uri, serverSelectionTimeoutMS=MONGO_PATIENCE_MS, tz_aware=True)
    try:
        client.admin.command("ping")
    except pymongo.errors.PyMongoError as problem:
        say(f"Error connecting to MongoDB: {problem}", "stderr")
        end_with(1)
    say("MongoDB Connected: mongodb")
    return client.get_default_database("vcc-manager")


def connect_queue(url: str) -> BullQueue:
    password = urlsplit(url).password or ""
    say(f"Connecting to Redis: redis://:{password}@redis:6379")
    queue = BullQueue(url)
    try:
        queue.redis.ping()
    except redis.RedisError:
        say("Server is running on port 3000")
        say("Failed to initialize queues: Error: connect ECONNREFUSED 172.18.0.3:6379", "stderr")
        end_with(1)
    say("Job queue initialized successfully")
    return queue


def crash() -> None:
    """The real client has no listener for errors: a lost connection ends the process."""
    say("node:events:497\n      throw er; // Unhandled 'error' event\n      ^\n", "stderr")
    say(
        "Error: Socket closed unexpectedly\n    at Socket.<anonymous> (/app/node_modules/@redis/client/dist/lib/client/socket.js:194:118)",
        "stderr",
    )
    end_with(1)


def guard_redis(url: str) -> None:
    """Hold one idle connection and notice its end at once: reconnecting clients would hide a quick restart."""
    place = urlsplit(url)
    try:
        with socket.create_connection((place.hostname or "", place.port or 6379)) as held:
            held.recv(1)
    except OSError:
        pass
    crash()


def or_crash(work: Task) -> Task:
    """Any Redis failure in a worker is the same crash."""

    def run() -> None:
        try:
            work()
        except redis.RedisError:
            crash()

    return run


def trickle(interval: float) -> None:
    """The life of a quiet evening: calls, now and then a sign-in, rarely trouble."""
    dice = random.Random()
    pause = threading.Event()
    while not pause.wait(interval * (0.5 + dice.random())):
        moment = datetime.now(UTC)
        kind = dice.random()
        if kind < 0.08:
            say_all(*sign_in(moment, dice))
        elif kind < 0.12:
            say_all(dice.choice(faults(moment)))
        else:
            say_all(backend_access(moment, dice))


class BackendServer(Server):
    """What its handlers work with."""

    def __init__(self, address: tuple[str, int], queue: BullQueue, database: Database, uploads: Path) -> None:
        super().__init__(address, BackendHandler)
        self.queue = queue
        self.database = database
        self.uploads = uploads.resolve()


class BackendHandler(Handler):
    """The few routes that matter to whoever operates the system."""

    server: BackendServer

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/health":  # static, as the real one: it says nothing of the databases. Not logged, it comes every two seconds.
            self.answer_json(200, {"status": "OK", "timestamp": datetime.now(UTC).isoformat().replace("+00:00", "Z")})
            return
        if path == "/api/jobs/queue/stats":
            self._done(200, self.answer_json(200, {"stats": self._counts()}))
        elif path == "/api/auth/me":
            self._tell_who()
        elif path.startswith("/uploads/"):
            self._send_upload(path.removeprefix("/uploads/"))
        else:
            self._done(404, self.answer_json(404, {"message": "Route not found"}))

    do_HEAD = do_GET

    def do_POST(self) -> None:
        text = self.body().decode("utf-8", "replace")
        if urlsplit(self.path).path != "/api/auth/signin":
            self._done(404, self.answer_json(404, {"message": "Route not found"}))
            return
        try:
            shown = json.dumps(json.loads(text or "{}"), indent=2, ensure_ascii=False)
        except ValueError:
            self._done(400, self.answer_json(400, {"message": "Invalid JSON"}))
            return
        say(f"Validation input: {shown}")
        self._done(401, self.answer_json(401, {"message": "Invalid email or password"}))

    def _tell_who(self) -> None:
        try:
            user = user_of(self.server.database, os.environ, self.headers)
        except pymongo.errors.PyMongoError:  # the real one says that of the token as well
            self._done(401, self.answer_json(401, {"message": "Token verification failed"}))
            return
        if user is None:
            self._done(401, self.answer_json(401, {"message": "Authentication required"}))
        else:
            self._done(200, self.answer_json(200, {"user": {"id": str(user["_id"]), "email": user["email"]}}))

    def _counts(self) -> dict[str, int]:
        try:
            return self.server.queue.counts()
        except redis.RedisError:  # zeros on error, in the real one too: they prove nothing
            return dict.fromkeys(("waiting", "active", "completed", "failed", "delayed"), 0)

    def _send_upload(self, name: str) -> None:
        path = (self.server.uploads / name).resolve()
        if path.is_relative_to(self.server.uploads) and path.is_file():
            self._done(200, self.answer(200, "image/png", path.read_bytes()))
        else:
            self._done(404, self.answer_json(404, {"message": "Route not found"}))

    def _done(self, status: int, size: int) -> None:
        clock = datetime.now(UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")
        agent = self.headers.get("User-Agent", "-")
        say(f'::ffff:{self.client_address[0]} - - [{clock}] "{self.command} {self.path} HTTP/1.1" {status} {size} "-" "{agent}"')


def main() -> int:
    environment = os.environ
    mongo, url, uploads = environment["MONGODB_URI"], environment["REDIS_URL"], Path(environment["UPLOAD_PATH"])
    queue = connect_queue(url)
    database = connect_mongo(mongo)
    say_all(*faults(datetime.now(UTC)))
    server = BackendServer((environment["HOST"], int(environment["PORT"])), queue, database, uploads)
    stalled = setting("VCC_SANDBOX_STALLED_SECONDS", 30)  # how long a lock lasts, and how often lost ones are looked for
    worker = Worker(url, database, uploads, seconds=setting("VCC_SANDBOX_JOB_SECONDS", 4), lock_seconds=stalled)
    interval = setting("VCC_SANDBOX_TRICKLE_SECONDS", 5)
    tasks: list[Task] = [
        lambda: guard_redis(url),
        lambda: trickle(interval),
        or_crash(lambda: worker.tend(stalled)),
        or_crash(lambda: worker.invent_jobs(setting("VCC_SANDBOX_NEW_JOB_SECONDS", 20))),
    ]
    tasks += [or_crash(worker.work)] * int(setting("VCC_SANDBOX_CONCURRENCY", 2))
    for task in tasks:
        threading.Thread(target=task, daemon=True).start()
    say("Server is running on port 3000")
    server.serve_until_told(lambda: say("SIGTERM received, shutting down gracefully"))
    time.sleep(FAREWELL)
    end_with(0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
