"""Describes the four services of the sandbox: what is run, with which environment, mounts, labels and image. Starts nothing."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import bot
from bot.sandbox.binaries import Binaries
from bot.sandbox.layout import PROJECT, SERVICES, Identity, Layout
from bot.sandbox.secrets import GOOGLE_CLIENT_SECRET

NETWORK = f"{PROJECT}_vcc-network"


@dataclass(frozen=True, slots=True)
class Mount:
    """A named volume, as a place on this machine and a path inside the container."""

    volume: str
    source: Path
    destination: str


@dataclass(frozen=True, slots=True)
class Service:
    """One container: ``argv`` is what really runs, ``shown_command`` what a real host would show."""

    name: str
    container_id: str
    image: str
    argv: tuple[str, ...]
    shown_command: tuple[str, ...]
    environment: Mapping[str, str]
    labels: Mapping[str, str]
    inside_port: int
    host_port: int
    address: str
    mounts: tuple[Mount, ...] = ()
    health_url: str = ""
    working_directory: Path = field(default_factory=Path.cwd)
    shown_directory: str = ""
    given_name: str = ""

    @property
    def container_name(self) -> str:
        return self.given_name or f"vcc-{self.name}"


def describe_services(layout: Layout, identity: Identity, binaries: Binaries, extra: Mapping[str, str]) -> tuple[Service, ...]:
    """All four, databases first: that is also the order of starting. ``extra`` is added to the stand-ins' environment."""
    builders = {"mongodb": _mongodb, "redis": _redis, "backend": _backend, "frontend": _frontend}
    plan = _Plan(layout, identity, binaries, extra)
    return tuple(builders[name](plan) for name in SERVICES)


@dataclass(frozen=True, slots=True)
class _Plan:
    layout: Layout
    identity: Identity
    binaries: Binaries
    extra: Mapping[str, str]

    def mount(self, volume: str, destination: str) -> Mount:
        return Mount(f"{PROJECT}_{volume}", self.layout.volume(volume), destination)

    def environment(self, service: str, **own: str) -> dict[str, str]:
        # exec looks programs up on this PATH, so a container has its own tools and this interpreter's, then the machine's.
        places = [str(self.layout.tools(service)), str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
        return {"PATH": os.pathsep.join(places), "HOSTNAME": self.identity.container_id(service)[:12], "LANG": "C.UTF-8", **own}

    def python(self, module: str) -> tuple[str, ...]:
        return (sys.executable, "-u", "-m", module)

    def labels(self, service: str) -> dict[str, str]:
        compose = "com.docker.compose"
        return {
            f"{compose}.config-hash": hashlib.sha256(f"{PROJECT}/{service}".encode()).hexdigest(),
            f"{compose}.container-number": "1",
            f"{compose}.image": image_id(service),
            f"{compose}.oneoff": "False",
            f"{compose}.project": PROJECT,
            f"{compose}.project.config_files": str(self.layout.project / "docker-compose.yml"),
            f"{compose}.project.environment_file": str(self.layout.project / ".env"),
            f"{compose}.project.working_dir": str(self.layout.project),
            f"{compose}.service": service,
            f"{compose}.version": "2.39.1",
        }


def image_id(service: str) -> str:
    return "sha256:" + hashlib.sha256(f"image of {service}".encode()).hexdigest()


def _mongodb(plan: _Plan) -> Service:
    identity, mount = plan.identity, plan.mount("mongodb_data", "/data/db")
    port = identity.ports["mongodb"]
    argv = (
        *(str(plan.binaries.mongod), "--auth", "--bind_ip", "127.0.0.1", "--port", str(port)),
        *("--dbpath", str(mount.source), "--nounixsocket", "--wiredTigerCacheSizeGB", "0.25"),
        *("--setParameter", "diagnosticDataCollectionEnabled=false"),
    )
    environment = plan.environment(
        "mongodb",
        MONGO_INITDB_ROOT_USERNAME="admin",
        MONGO_INITDB_ROOT_PASSWORD=identity.secrets.mongo_password,
        MONGO_INITDB_DATABASE=PROJECT,
    )
    return Service(
        "mongodb",
        identity.container_id("mongodb"),
        "mongo:6.0.5",
        argv,
        ("docker-entrypoint.sh", "mongod"),
        environment,
        plan.labels("mongodb"),
        27017,
        port,
        "172.18.0.2",
        (mount,),
        working_directory=mount.source,
    )


def _redis(plan: _Plan) -> Service:
    identity, mount = plan.identity, plan.mount("redis_data", "/data")
    port, password = identity.ports["redis"], identity.secrets.redis_password
    argv = (
        *(str(plan.binaries.redis_server), "--bind", "127.0.0.1", "--port", str(port), "--dir", str(mount.source)),
        *("--appendonly", "yes", "--requirepass", password),
    )
    return Service(
        "redis",
        identity.container_id("redis"),
        "redis:6.2-alpine",
        argv,
        ("redis-server", "--appendonly", "yes", "--requirepass", password),
        plan.environment("redis"),
        plan.labels("redis"),
        6379,
        port,
        "172.18.0.3",
        (mount,),
        working_directory=mount.source,
        shown_directory="/data",
    )


def _backend(plan: _Plan) -> Service:
    identity, uploads = plan.identity, plan.mount("uploads_data", "/app/uploads")
    port = identity.ports["backend"]
    environment = plan.environment(
        "backend",
        **plan.extra,
        NODE_ENV="production",
        HOST="127.0.0.1",
        PORT=str(port),
        MONGODB_URI=identity.mongodb_uri,
        REDIS_URL=identity.redis_url,
        GOOGLE_CLIENT_ID="sandbox.apps.googleusercontent.com",
        GOOGLE_CLIENT_SECRET=GOOGLE_CLIENT_SECRET,
        SESSION_SECRET=identity.secrets.session_secret,
        JWT_SECRET=identity.secrets.jwt_secret,
        JWT_EXPIRES_IN="7d",
        ADMIN_EMAILS="admin@vcc.example",
        UPLOAD_PATH=str(uploads.source),
        MAX_FILE_SIZE="10485760",
        FRONTEND_URL=f"http://127.0.0.1:{identity.ports['frontend']}",
        PYTHONPATH=str(Path(bot.__file__).parent.parent),
    )
    return Service(
        "backend",
        identity.container_id("backend"),
        f"{PROJECT}-backend",
        plan.python("bot.sandbox.backend"),
        ("docker-entrypoint.sh", "npm", "start"),
        environment,
        plan.labels("backend"),
        3000,
        port,
        "172.18.0.4",
        (uploads,),
        f"http://127.0.0.1:{port}/health",
        working_directory=uploads.source,
        shown_directory="/app",
    )


def _frontend(plan: _Plan) -> Service:
    ports = plan.identity.ports
    environment = plan.environment(
        "frontend",
        **plan.extra,
        HOST="127.0.0.1",
        PORT=str(ports["frontend"]),
        UPSTREAM=f"http://127.0.0.1:{ports['backend']}",
        UPLOADS=str(plan.layout.uploads),
        PYTHONPATH=str(Path(bot.__file__).parent.parent),
    )
    return Service(
        "frontend",
        plan.identity.container_id("frontend"),
        f"{PROJECT}-frontend",
        plan.python("bot.sandbox.frontend"),
        ("/docker-entrypoint.sh", "nginx", "-g", "daemon off;"),
        environment,
        plan.labels("frontend"),
        80,
        ports["frontend"],
        "172.18.0.5",
        working_directory=plan.layout.project,
        shown_directory="/",
    )
