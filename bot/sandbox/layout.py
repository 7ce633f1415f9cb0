"""Where everything of a sandbox lies under its home, and who it is: ports, socket and passwords, made once and kept.

Knows nothing of processes.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import socket
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bot.sandbox.secrets import Secrets, generate

PROJECT = "vcc-manager"
SERVICES = ("mongodb", "redis", "backend", "frontend")
# Below those that systems give to clients, or one of them could sit on a service's port while it is being restarted.
SERVER_PORTS = range(20_000, 32_000)
_DICE = random.SystemRandom()
# sun_path holds 108 bytes with the closing zero; a longer path is refused by bind().
LONGEST_SOCKET_PATH = 100


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths only; nothing is made by asking for one."""

    home: Path

    @property
    def root(self) -> Path:
        return self.home / "sandbox"

    @property
    def docker(self) -> Path:
        """Laid out as Docker's own data root, so that log files are found where a real host has them."""
        return self.root / "docker"

    @property
    def project(self) -> Path:
        return self.root / "project"

    @property
    def backups(self) -> Path:
        return self.home / "backups"

    @property
    def environment_file(self) -> Path:
        return self.home / "sandbox.env"

    @property
    def identity_file(self) -> Path:
        return self.root / "identity.json"

    @property
    def engine_record(self) -> Path:
        return self.root / "engine.json"

    @property
    def seeded_mark(self) -> Path:
        return self.root / "seeded"

    @property
    def uploads(self) -> Path:
        return self.volume("uploads_data")

    def volume(self, name: str) -> Path:
        return self.docker / "volumes" / f"{PROJECT}_{name}" / "_data"

    def tools(self, service: str) -> Path:
        """Programs found on the PATH of one container only."""
        return self.root / "tools" / service

    def container_log(self, container_id: str) -> Path:
        return self.docker / "containers" / container_id / f"{container_id}-json.log"


@dataclass(frozen=True, slots=True)
class Identity:
    """What stays the same for the whole life of one sandbox."""

    created: float
    socket: Path
    ports: Mapping[str, int]
    secrets: Secrets

    @property
    def mongodb_uri(self) -> str:
        return f"mongodb://admin:{self.secrets.mongo_password}@127.0.0.1:{self.ports['mongodb']}/{PROJECT}?authSource=admin"

    @property
    def redis_url(self) -> str:
        return f"redis://:{self.secrets.redis_password}@127.0.0.1:{self.ports['redis']}"

    def container_id(self, service: str) -> str:
        """64 hexadecimal digits, as Docker's are, the same after every restart."""
        return hashlib.sha256(f"{self.created}:{self.socket}:{service}".encode()).hexdigest()


def private_write(path: Path, text: str) -> None:
    """Write whole or not at all, readable by the owner only: these files hold passwords."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp makes it 0600
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(text)
    Path(temporary).replace(path)


def read_identity(layout: Layout) -> Identity | None:
    """The identity made earlier, or None for a home that never held a sandbox."""
    try:
        raw = json.loads(layout.identity_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return Identity(raw["created"], Path(raw["socket"]), raw["ports"], _as_changed(Secrets(**raw["secrets"]), layout.project / ".env"))


_VARIABLES = {
    "mongo_password": "MONGO_ROOT_PASSWORD",
    "redis_password": "REDIS_PASSWORD",
    "jwt_secret": "JWT_SECRET",
    "session_secret": "SESSION_SECRET",
}


def _as_changed(made: Secrets, path: Path) -> Secrets:
    """The project's ``.env`` has the last word, as it has with Compose: a secret may have been changed there."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return made
    told = dict(line.partition("=")[::2] for line in lines)
    found = {name: told[variable] for name, variable in _VARIABLES.items() if told.get(variable)}
    return replace(made, **found)


def establish_identity(layout: Layout) -> Identity:
    """The kept identity; new ports only when somebody else took one while the sandbox was down."""
    kept = read_identity(layout)
    if kept and all(_port_is_free(port) for port in kept.ports.values()) and kept.socket.parent.is_dir():
        return kept
    identity = Identity(
        created=kept.created if kept else time.time(),
        socket=_socket_path(layout),
        ports=_free_ports(),
        secrets=kept.secrets if kept else generate(),
    )
    document = {
        "created": identity.created,
        "socket": str(identity.socket),
        "ports": dict(identity.ports),
        "secrets": asdict(identity.secrets),
    }
    private_write(layout.identity_file, json.dumps(document, indent=1))
    return identity


def _socket_path(layout: Layout) -> Path:
    wanted = layout.root / "docker.sock"
    if len(os.fsencode(wanted)) <= LONGEST_SOCKET_PATH:
        layout.root.mkdir(parents=True, exist_ok=True)
        return wanted
    return Path(tempfile.mkdtemp(prefix="vcc-")) / "docker.sock"


def _free_ports() -> dict[str, int]:
    free = (port for port in _DICE.sample(SERVER_PORTS, len(SERVER_PORTS)) if _port_is_free(port))
    return dict(zip(SERVICES, free, strict=False))


def _port_is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
