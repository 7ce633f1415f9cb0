"""A deployment in a few dictionaries for the tests of revocations, which dies where a test says so."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.errors import Denied
from bot.ops import page_proxy
from bot.ops.bundle import Ops
from bot.ops.container_making import Changes
from bot.ops.container_parse import service_from
from bot.ops.container_values import Service
from bot.ops.env_files import EnvFile
from bot.security import revoke
from bot.security.revoke import Revoking
from bot.security.revoke_journal import Kind, Revocation
from tests.bot.ops.fake_engine import container

NEW = "f" * 64
OLD_FILE = "JWT_SECRET=old\nMONGO_ROOT_PASSWORD=old\nREDIS_PASSWORD=old\n"


class Killed(BaseException):
    """As if the bot had been killed here."""


class World:
    """A deployment in a few dictionaries. ``told`` is what was done to it, in order; it dies before the step numbered ``dies_at``."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / ".env"
        self.file.write_text(OLD_FILE)
        self.told: list[str] = []
        self.dies_at = -1
        self.password, self.account, self.known = "old", "admin", "old"
        self.open = {"image generation": True}
        self.containers: dict[str, dict[str, Any]] = {
            "redis": {"Config": {"Env": [], "Cmd": ["redis-server", "--requirepass", "old"]}},
            "backend": {
                "Config": {"Env": ["JWT_SECRET=old", "MONGODB_URI=mongodb://admin:old@mongodb/vcc", "REDIS_URL=redis://:old@redis:6379"]}
            },
        }

    def does(self, what: str) -> None:
        if self.dies_at == len(self.told):
            self.dies_at = -1
            raise Killed
        self.told.append(what)

    async def holding(self, _names: object) -> EnvFile:
        return EnvFile(self.file, ".env", self.file.read_bytes())

    async def end_sessions(self, who: str) -> int:
        self.does(f"sessions {who}".strip())
        return 3

    async def revoke_keys(self, who: str) -> int:
        self.does(f"keys {who}".strip())
        return 1

    async def set_active(self, who: str, *, active: bool) -> None:
        self.does(f"user {who} {active}")

    async def change_password(self, account: str, password: str) -> None:
        assert account == self.account
        if self.known != self.password:
            raise Denied("mongodb")
        self.does("password")
        self.password = password

    async def replicas(self, name: str) -> list[Service]:
        return [service_from({**container(name), "Id": identity}) for identity in self.containers if identity.partition(".")[0] == name]

    async def inspect(self, container_id: str) -> Mapping[str, Any]:
        return self.containers[container_id]

    async def again(self, container_id: str, changes: Changes, _standing: object = None, *, running: object = None) -> None:
        self.does(f"again {container_id.partition('.')[0]}")
        config = self.containers[container_id]["Config"]
        kept = [entry for entry in config["Env"] if entry.partition("=")[0] not in changes.environment]
        config["Env"] = [*kept, *(f"{name}={value}" for name, value in changes.environment.items())]
        if changes.options:
            config["Cmd"] = ["redis-server", "--requirepass", changes.options["--requirepass"]]

    async def recover(self, _service: str) -> str:
        return "nothing"

    async def pause(self, name: str) -> None:
        self.does("pause")
        self.open[name] = False

    async def resume(self, name: str) -> None:
        self.does("resume")
        self.open[name] = True

    async def queue(self, _name: str) -> SimpleNamespace:
        return SimpleNamespace(active=0, stalled=0)

    async def ping(self) -> None:
        return None

    async def log_in(self) -> None:
        if self.known != self.password:
            raise Denied("mongodb")

    async def id_of(self, name: str) -> str:
        return next((identity for identity in self.containers if name in (identity, f"vcc-{identity.partition('.')[0]}")), "")

    async def check(self) -> list[object]:
        return []

    async def rekey(self, *, mongodb: str = "", redis: str = "") -> None:
        self.known = mongodb or self.known

    def logs_in_as(self) -> str:
        return self.account


def a_revoking(world: World, home: Path, monkeypatch: pytest.MonkeyPatch) -> Revoking:
    async def reaches(_ops: object) -> bool:
        world.does("page")
        return True

    monkeypatch.setattr(page_proxy, "reconnect", reaches)
    monkeypatch.setattr(revoke, "Recreate", lambda *_: world)
    mongo = SimpleNamespace(access=world, ping=world.log_in)
    adapters = SimpleNamespace(
        mongo=mongo,
        bull=world,
        redis=world,
        env_files=world,
        health=world,
        containers=SimpleNamespace(replicas=world.replicas, inspect=world.inspect, making=world),
        rekey=world.rekey,
        logs_in_as=world.logs_in_as,
    )
    return Revoking(cast(Ops, adapters), home, lambda secrets: None)


def a_revocation(kind: Kind) -> Revocation:
    names: dict[Kind, str] = {"tokens": "JWT_SECRET", "mongodb-password": "MONGO_ROOT_PASSWORD", "redis-password": "REDIS_PASSWORD"}
    services = {"tokens": ("backend",), "mongodb-password": ("backend",), "redis-password": ("redis", "backend")}
    return Revocation(
        kind,
        1.0,
        "olga",
        1,
        "R-1",
        who="u1" if kind == "user" else "",
        account="admin" if kind == "mongodb-password" else "",
        values={names[kind]: NEW} if kind in names else {},
        services=services.get(kind, ()),
        queues=("image generation",) if kind == "redis-password" else (),
        copy="1.env",
    )
