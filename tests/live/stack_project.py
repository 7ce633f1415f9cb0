"""A VCC deployment on a real Docker engine: brought up from ``stack/``, waited for, looked at, taken down.

Knows Compose's labels and the deployment's four services; nothing of the bot.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import docker
import pymongo
import redis
from docker.models.containers import Container

from tests.live.compose_cli import Compose, ComposeError
from tests.parts import free_port, wait_until

SOURCE = Path(__file__).parent / "stack"
SERVICES = ("backend", "frontend", "mongodb", "redis")
BASE_IMAGES = ("vcc-base:test", "vcc-node:test", "vcc-mongo:test", "vcc-redis:test")
PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"


def fresh_environment(project: str) -> dict[str, str]:
    """The deployment's ``.env``: passwords nobody knows, ports nobody uses and which a restart does not change."""
    secret = {name: secrets.token_hex(16) for name in ("MONGO_ROOT_PASSWORD", "REDIS_PASSWORD", "JWT_SECRET", "SESSION_SECRET")}
    ports = {f"{service.upper()}_PORT": str(free_port()) for service in SERVICES}
    return {"COMPOSE_PROJECT_NAME": project, "GOOGLE_CLIENT_SECRET": secrets.token_hex(12), **secret, **ports}


def http(method: str, url: str, body: object = None, *, seconds: float = 10.0) -> tuple[int, str]:
    """One request; the status and the text, whatever the status."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers={"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@dataclass(frozen=True)
class Stack:
    """One running deployment. Containers are looked up by label each time, since a recreation changes their ids."""

    docker_host: str
    project: str
    directory: Path
    environment: dict[str, str]
    client: docker.DockerClient = field(repr=False)

    @property
    def mongodb_uri(self) -> str:
        """As MONGODB_URI on the host."""
        password, port = self.environment["MONGO_ROOT_PASSWORD"], self.environment["MONGODB_PORT"]
        return f"mongodb://admin:{password}@127.0.0.1:{port}/vcc-manager?authSource=admin"

    @property
    def redis_url(self) -> str:
        """As REDIS_URL on the host."""
        return f"redis://:{self.environment['REDIS_PASSWORD']}@127.0.0.1:{self.environment['REDIS_PORT']}"

    @property
    def backend_url(self) -> str:
        return f"http://127.0.0.1:{self.environment['BACKEND_PORT']}"

    @property
    def frontend_url(self) -> str:
        return f"http://127.0.0.1:{self.environment['FRONTEND_PORT']}"

    @property
    def compose(self) -> Compose:
        """Compose for this project."""
        return Compose(self.docker_host, self.project, self.directory)

    @property
    def uploads_dir(self) -> Path:
        """Where the uploads volume lies on this machine (readable by root)."""
        return Path(self.client.volumes.get(f"{self.project}_uploads_data").attrs["Mountpoint"])

    @property
    def docker_data_dir(self) -> Path:
        """The engine's data root."""
        return Path(self.client.info()["DockerRootDir"])

    def settings(self) -> dict[str, str]:
        """The bot's settings that point at this deployment."""
        return {
            "DOCKER_HOST": self.docker_host,
            "VCC_COMPOSE_PROJECT": self.project,
            "VCC_PROJECT_DIR": str(self.directory),
            "VCC_UPLOADS_DIR": str(self.uploads_dir),
            "VCC_DOCKER_DATA_DIR": str(self.docker_data_dir),
            "MONGODB_URI": self.mongodb_uri,
            "REDIS_URL": self.redis_url,
        }

    def containers(self) -> dict[str, str]:
        """The id of each service's container."""
        found = self.client.containers.list(all=True, filters={"label": f"{PROJECT_LABEL}={self.project}"})
        return {str(one.labels[SERVICE_LABEL]): str(one.id) for one in found}

    def container(self, service: str) -> Container:
        """The service's container, as it is now."""
        return self.client.containers.get(self.containers()[service])

    def health(self) -> dict[str, str]:
        """What each service is: its health where it has a check, else its state."""
        states = {service: self.container(service).attrs["State"] for service in self.containers()}
        return {service: state.get("Health", {}).get("Status", state["Status"]) for service, state in states.items()}

    def exec(self, service: str, *words: str) -> tuple[int, str]:
        """Run a program in the service's container; exit code and output."""
        code, output = self.container(service).exec_run(list(words))
        assert code is not None
        assert isinstance(output, bytes)
        return code, output.decode()

    def log_file(self, service: str) -> Path:
        """The json-file log on this machine."""
        return Path(self.container(service).attrs["LogPath"])

    def wait_healthy(self, seconds: float = 120.0) -> None:
        """Wait until every service is up, the backend healthy, and the frontend reaches it."""
        wanted = dict.fromkeys(SERVICES, "running") | {"backend": "healthy"}
        try:
            wait_until(lambda: self.health() == wanted and self._answers(), f"{self.project} is healthy", seconds=seconds, every=0.25)
        except AssertionError as error:
            ends = (f"{service}: {self.container(service).logs(tail=15).decode()}" for service in SERVICES)
            error.add_note("\n".join([str(self.health()), *ends]))
            raise

    def _answers(self) -> bool:
        try:
            return http("GET", f"{self.frontend_url}/api/jobs/queue/stats", seconds=3)[0] == 200 and self._databases_answer()
        except OSError:
            return False

    def _databases_answer(self) -> bool:
        with pymongo.MongoClient[dict[str, Any]](self.mongodb_uri, serverSelectionTimeoutMS=2000) as mongo:
            mongo.admin.command("ping")
        with contextlib.closing(redis.Redis.from_url(self.redis_url, socket_timeout=2)) as client:
            return bool(client.ping())


def write_project(directory: Path, environment: dict[str, str]) -> None:
    """Lay the deployment's directory out as on a server: compose file, what is built, ``.env``."""
    shutil.copytree(SOURCE, directory, dirs_exist_ok=True)
    lines = "".join(f"{name}={value}\n" for name, value in environment.items())
    (directory / ".env").write_text(lines)


@contextlib.contextmanager
def running_stack(client: docker.DockerClient, docker_host: str, directory: Path) -> Iterator[Stack]:
    """A deployment under a name of its own, healthy when the block begins, gone with its volumes when it ends."""
    project = f"vcclive{secrets.token_hex(4)}"
    stack = start(client, docker_host, directory, project)
    try:
        stack.wait_healthy()
        yield stack
    finally:
        stack.compose.run("down", "--volumes", "--rmi", "local", "--remove-orphans", "--timeout", "2")


def start(client: docker.DockerClient, docker_host: str, directory: Path, project: str) -> Stack:
    """Bring it up, once more with other ports if somebody took one meanwhile."""
    for last in (False, True):
        environment = fresh_environment(project)
        write_project(directory, environment)
        stack = Stack(docker_host, project, directory, environment, client)
        try:
            stack.compose.run("up", "--detach", "--build", seconds=300)
        except ComposeError:
            stack.compose.run("down", "--volumes", "--timeout", "2")
            if last:
                raise
        else:
            break
    return stack
