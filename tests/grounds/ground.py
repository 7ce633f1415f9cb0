"""A deployment to try the bot on, seen the same way whether the sandbox or a real Docker engine is under it.

What the bot says is compared with the vendors' own clients: Docker's SDK, pymongo, redis-py. Knows nothing of the bot.
"""

from __future__ import annotations

import contextlib
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import docker
import pymongo
import pymongo.errors
import redis
from docker.models.containers import Container

from tests.parts import wait_until

SERVICES = ("backend", "frontend", "mongodb", "redis")
PEOPLE = {
    "VCC_ADMINS": "local:ada,local:ben",
    "VCC_OPERATORS": "local:olga",
    "VCC_VIEWERS": "local:vera",
    "VCC_APPROVALS": "second-person",
    "VCC_CONSOLE": "operator",
}
# What is planted in the backend's log, and must never be shown.
TYPED_PASSWORD = "Hunter2!Hunter2"


@dataclass(frozen=True)
class Ground:
    """One running deployment. Containers are looked up by label each time, as a recreation changes their ids.

    ``environment`` is what points the bot at it, ``secrets`` what must never leave it.
    """

    name: str
    environment: Mapping[str, str]
    addresses: Mapping[str, str]
    secrets: tuple[str, ...]
    client: docker.DockerClient = field(repr=False)

    @property
    def project(self) -> str:
        return self.environment["VCC_COMPOSE_PROJECT"]

    @property
    def redis_url(self) -> str:
        return self.environment["REDIS_URL"]

    @property
    def mongodb_uri(self) -> str:
        return self.environment["MONGODB_URI"]

    def settings(self, home: Path, **changed: str) -> dict[str, str]:
        """The bot's settings for this deployment, with its state in ``home``."""
        health = f"backend={self.addresses['backend']}/health,frontend={self.addresses['frontend']}/"
        own = {"VCC_HOME": str(home), "VCC_BACKUP_DIR": str(home), "VCC_HEALTH_URLS": health, "VCC_LANG": "en", "VCC_TZ": "Asia/Seoul"}
        return {**self.environment, **PEOPLE, **own, **changed}

    def container(self, service: str) -> Container:
        """The service's container as it is now, by Docker's own client."""
        labels = [f"com.docker.compose.project={self.project}", f"com.docker.compose.service={service}"]
        (found,) = self.client.containers.list(all=True, filters={"label": labels})
        return found

    def container_id(self, service: str) -> str:
        return str(self.container(service).id)

    def pid(self, service: str) -> int:
        """The process id of its first process on this machine."""
        return int(self.container(service).attrs["State"]["Pid"])

    def started_at(self, service: str) -> str:
        """When it was last started, as the engine says it."""
        return str(self.container(service).attrs["State"]["StartedAt"])

    def stop(self, service: str) -> None:
        """Stop it behind the bot's back."""
        self.container(service).stop(timeout=5)

    def start(self, service: str) -> None:
        """Start it again."""
        self.container(service).start()

    def log(self, service: str, **window: Any) -> str:
        """The log as Docker's own client gives it."""
        text = self.container(service).logs(**window)
        assert isinstance(text, bytes)
        return text.decode()

    def get(self, service: str, path: str) -> int:
        """One request to a service's published port; the status."""
        return http("GET", self.addresses[service] + path)

    def plant(self) -> None:
        """Make the backend write a password, and an error."""
        http("POST", f"{self.addresses['backend']}/api/auth/signin", {"email": "ada@example.org", "password": TYPED_PASSWORD})

    @contextlib.contextmanager
    def mongo(self) -> Iterator[pymongo.MongoClient[dict[str, Any]]]:
        """The vendor's client."""
        with pymongo.MongoClient[dict[str, Any]](self.mongodb_uri, serverSelectionTimeoutMS=3000) as client:
            yield client

    @contextlib.contextmanager
    def redis(self) -> Iterator[redis.Redis]:
        """The vendor's client."""
        with contextlib.closing(redis.Redis.from_url(self.redis_url, socket_timeout=3, decode_responses=True)) as client:
            yield client

    def well(self) -> bool:
        """Whether all runs, and reaches what it needs."""
        states = [self.container(service).attrs["State"] for service in SERVICES]
        healths = [state.get("Health", {}).get("Status", "healthy") for state in states]
        return all(state["Running"] for state in states) and set(healths) == {"healthy"} and self._answers()

    def mend(self) -> None:
        """Start what is down and wait until all is well, for those too who come through the page."""
        for service in SERVICES:
            if not self.container(service).attrs["State"]["Running"]:
                self.start(service)
        wait_until(self.well, f"{self.name} is well", seconds=120, every=0.25)
        if not self.page_reaches_backend():  # it still looks where the backend was before it was stopped
            self.container("frontend").restart()
            wait_until(lambda: self.well() and self.page_reaches_backend(), f"the page of {self.name} is well", seconds=120, every=0.25)

    def wait_for_page(self) -> None:
        """Until requests through the page reach the backend, which may have started once more while its Redis came back."""
        wait_until(self.page_reaches_backend, f"the page of {self.name} reaches the backend", seconds=60, every=0.25)

    def page_reaches_backend(self) -> bool:
        """Whether a request through the page's server is answered by the backend."""
        try:
            return self.get("frontend", "/api/jobs/queue/stats") == 200
        except OSError:
            return False

    def _answers(self) -> bool:
        try:
            with self.mongo() as mongo, self.redis() as cache:
                mongo.admin.command("ping")
                return bool(cache.ping()) and self.get("backend", "/api/jobs/queue/stats") == 200 and self.get("frontend", "/") == 200
        except (OSError, redis.RedisError, pymongo.errors.PyMongoError):
            return False


def http(method: str, url: str, body: object = None, *, seconds: float = 5.0) -> int:
    """One request; the status, whatever it is."""
    assert urlsplit(url).hostname == "127.0.0.1"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers={"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            error.read()
            return error.code
