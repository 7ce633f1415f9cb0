"""A real redis-server and a real mongod on loopback, each with a password, for tests that need the real thing.

Knows how to start, stop and reach them; not what any test stores in them.
"""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path
from typing import Any

import pymongo
import pymongo.errors
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.parts import free_port, wait_until

STOP_SECONDS = 20.0


class Server:
    """One child process that listens on a loopback port it keeps across restarts."""

    def __init__(self, program: Path, directory: Path, password: str) -> None:
        self.program = program
        self.directory = directory
        self.password = password
        self.port = 0
        self.log = directory / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id of the running server."""
        assert self._process is not None, "never started"
        return self._process.pid

    def start(self) -> None:
        """Start and wait until it answers. The first start picks the port, again if somebody else was faster."""
        if self.running:
            return
        attempts = 1 if self.port else 3
        for _ in range(attempts):
            self.port = self.port if attempts == 1 else free_port()
            if self._launch():
                return
        raise AssertionError(f"{self.program.name} does not start: {self.log.read_text(errors='replace')[-2000:]}")

    def stop(self) -> None:
        """Ask it to end, wait, and kill it if it does not. Its data stays."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
        self._process = None

    def kill(self) -> None:
        """End it without a word, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_SECONDS)

    def restart(self) -> None:
        """Stop and start on the same port, over the same data."""
        self.stop()
        self.start()

    def arguments(self) -> list[str]:
        """The words after the program's name."""
        raise NotImplementedError

    def answers(self) -> bool:
        """Whether it serves requests."""
        raise NotImplementedError

    def _launch(self) -> bool:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(self.program), *self.arguments()],
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        wait_until(lambda: not self.running or self.answers(), f"{self.program.name} answers", seconds=60)
        return self.running


class RealRedis(Server):
    """A redis-server with a password and, like the deployment's, an append-only file and no configuration file."""

    @property
    def url(self) -> str:
        """As REDIS_URL."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}"

    def client(self, password: str | None = None) -> redis.Redis:
        """A blocking client that speaks text and does not try again; close it."""
        once = Retry(NoBackoff(), 0)
        return redis.Redis("127.0.0.1", self.port, password=password or self.password, decode_responses=True, retry=once)

    def arguments(self) -> list[str]:
        return [
            *("--bind", "127.0.0.1", "--port", str(self.port), "--requirepass", self.password),
            *("--appendonly", "yes", "--save", "", "--dir", str(self.directory)),
        ]

    def answers(self) -> bool:
        # A password our server has and a stranger on the same port has not: so PONG means it is ours.
        try:
            with contextlib.closing(self.client()) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


class RealMongod(Server):
    """A standalone mongod with authentication and one root user."""

    user = "admin"
    database = "vcc-manager"

    @property
    def uri(self) -> str:
        """As MONGODB_URI, of the application's database."""
        return f"mongodb://{self.user}:{self.password}@127.0.0.1:{self.port}/{self.database}?authSource=admin"

    def client(self, **options: Any) -> pymongo.MongoClient[dict[str, Any]]:
        """A blocking client with the root user; close it."""
        return pymongo.MongoClient(self.uri, **{"serverSelectionTimeoutMS": 5000, **options})

    def start(self) -> None:
        """Start, and the first time make the root user, which an empty mongod allows from loopback."""
        super().start()
        with (
            pymongo.MongoClient[dict[str, Any]]("127.0.0.1", self.port) as stranger,
            contextlib.suppress(pymongo.errors.OperationFailure),  # there is one already: then strangers may not
        ):
            stranger.admin.command("createUser", self.user, pwd=self.password, roles=["root"])
        with self.client() as client:
            client.admin.command("ping")

    def empty(self) -> None:
        """Drop every database but mongod's own."""
        with self.client() as client:
            for name in client.list_database_names():
                if name not in ("admin", "config", "local"):
                    client.drop_database(name)

    def arguments(self) -> list[str]:
        data = self.directory / "data"
        data.mkdir(exist_ok=True)
        return [
            *("--bind_ip", "127.0.0.1", "--port", str(self.port), "--auth", "--dbpath", str(data)),
            *("--setParameter", "diagnosticDataCollectionEnabled=false", "--wiredTigerCacheSizeGB", "0.25"),
            *("--unixSocketPrefix", str(self.directory)),
        ]

    def answers(self) -> bool:
        try:
            with pymongo.MongoClient[dict[str, Any]]("127.0.0.1", self.port, serverSelectionTimeoutMS=200) as client:
                return bool(client.admin.command("ping"))
        except pymongo.errors.PyMongoError:
            return False
