"""A revocation cut off at any point is gone on with: the same secret everywhere, each step in its order, nothing left behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.errors import Conflict, Denied
from bot.ops import page_proxy
from bot.ops.bundle import Ops
from bot.ops.container_making import Changes
from bot.ops.container_networks import Attachment, Standing
from bot.ops.container_parse import service_from
from bot.ops.container_values import Service
from bot.ops.env_files import EnvFile
from bot.ops.small_record import SmallRecord
from bot.security import revoke
from bot.security.isolation import Held, Isolated
from bot.security.revoke import Revoking, changes_for
from bot.security.revoke_journal import Kind, Revocation, RevokeJournal
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


ORDER: dict[Kind, list[str]] = {
    "sessions": ["sessions"],
    "api-keys": ["keys"],
    "user": ["user u1 False", "sessions u1", "keys u1"],
    "tokens": ["again backend", "sessions", "page"],
    "mongodb-password": ["password", "again backend", "page"],
    "redis-password": ["pause", "again redis", "again backend", "resume", "page"],
}


@pytest.mark.parametrize("kind", ORDER)
async def test_the_steps_come_in_the_order_the_facts_ask_for(kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path)
    ending = await a_revoking(world, tmp_path, monkeypatch).run(a_revocation(kind))
    assert ending.over
    assert world.told == ORDER[kind]


@pytest.mark.parametrize(("kind", "at"), [(kind, at) for kind, told in ORDER.items() for at in range(len(told))])
async def test_killed_anywhere_it_is_gone_on_with(kind: Kind, at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path)
    world.dies_at = at
    with pytest.raises(Killed):
        await a_revoking(world, tmp_path, monkeypatch).run(a_revocation(kind))
    left = RevokeJournal(tmp_path).read(kind)
    assert left is not None
    assert left.left
    assert (await a_revoking(world, tmp_path, monkeypatch).run(left)).over
    assert list(dict.fromkeys(world.told)) == ORDER[kind]
    assert RevokeJournal(tmp_path).read(kind) is None
    assert all(world.open.values())
    for name, value in left.values.items():
        assert f"{name}={value}\n" in world.file.read_text()
        assert not changes_for(world.containers["backend"], {name: value}).environment
        assert (tmp_path / "revoked" / "1.env").read_text() == OLD_FILE


async def test_a_bot_started_again_with_its_old_settings_is_not_locked_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed right after the server took the new password, before that was noted: only the journal knows it."""
    world = World(tmp_path)
    world.password = NEW
    assert (await a_revoking(world, tmp_path, monkeypatch).run(a_revocation("mongodb-password"))).over
    assert (world.password, world.known) == (NEW, NEW)


def test_a_journal_from_another_version_is_told_and_not_forgotten(tmp_path: Path) -> None:
    (tmp_path / "revoke").mkdir()
    (tmp_path / "revoke" / "tokens.json").write_text('{"kind": "everything"}')
    with pytest.raises(Exception, match="record_unreadable"):
        RevokeJournal(tmp_path).read("tokens")


def isolated(service: str = "backend", identity: str = "") -> Isolated:
    standing = Standing(service, identity or service, f"vcc-{service}", "vcc_net", {"Name": "always"}, (Attachment("vcc_net", "n1"),))
    return Isolated(service, 1.0, "olga", 1, (Held(standing, running=True),))


def cut_off(home: Path, held: Isolated) -> None:
    SmallRecord(home / "isolated" / f"{held.service}.json").write(asdict(held))


async def test_while_a_service_is_cut_off_several_things_are_revoked_and_it_comes_back_with_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, held = World(tmp_path), isolated()
    cut_off(tmp_path, held)
    revoking = a_revoking(world, tmp_path, monkeypatch)
    assert (await revoking.run(a_revocation("tokens"))).waiting == ("backend",)
    assert (await revoking.run(replace(a_revocation("mongodb-password"), values={"MONGO_ROOT_PASSWORD": "e" * 64}))).waiting == ("backend",)
    assert [each.kind for each in RevokeJournal(tmp_path).all()] == ["tokens", "mongodb-password"]
    _, ending = await revoking.rejoin(held)
    assert ending.over
    assert world.told.count("again backend") == 1
    environment = world.containers["backend"]["Config"]["Env"]
    assert f"JWT_SECRET={NEW}" in environment
    assert f"MONGODB_URI=mongodb://admin:{'e' * 64}@mongodb/vcc" in environment
    assert RevokeJournal(tmp_path).all() == ()


async def test_a_rejoin_killed_after_the_container_was_made_again_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old container is gone then, and the record of the isolation names only that one."""
    world, held = World(tmp_path), isolated()
    cut_off(tmp_path, held)
    revoking = a_revoking(world, tmp_path, monkeypatch)
    await revoking.run(a_revocation("tokens"))
    await world.again("backend", Changes({"JWT_SECRET": NEW}), None)
    world.containers["backend.new"] = world.containers.pop("backend")
    rejoined, ending = await revoking.rejoin(held)
    assert (rejoined.missing, ending.over) == ((), True)
    assert world.told.count("again backend") == 1
    assert (revoking.isolations.all(), RevokeJournal(tmp_path).all()) == ((), ())


async def test_a_service_does_not_get_a_password_that_its_server_does_not_have_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path)
    world.dies_at = 0
    revoking = a_revoking(world, tmp_path, monkeypatch)
    with pytest.raises(Killed):
        await revoking.run(a_revocation("redis-password"))
    cut_off(tmp_path, isolated())
    assert not revoking.waits_for("backend")


async def test_a_revocation_that_was_never_possible_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path)

    async def read_only(_names: object) -> EnvFile:
        raise Conflict("revoke.read_only", file=".env")

    monkeypatch.setattr(world, "holding", read_only)
    revoking = a_revoking(world, tmp_path, monkeypatch)
    for kind in ("tokens", "mongodb-password", "redis-password"):
        ending = await revoking.run(a_revocation(kind))
        assert ending.failure is not None
    assert (world.told, RevokeJournal(tmp_path).all()) == ([], ())


async def test_the_value_before_is_put_back_by_a_bot_that_knows_neither(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Started again half-way, with settings of before: only the journal knows the password in force, and ``--back`` takes its place."""
    world = World(tmp_path)
    world.dies_at = 1
    with pytest.raises(Killed):
        await a_revoking(world, tmp_path, monkeypatch).run(a_revocation("mongodb-password"))
    assert (world.password, world.known) == (NEW, NEW)
    world.known = "old"
    unfinished = RevokeJournal(tmp_path).read("mongodb-password")
    assert unfinished is not None
    back = replace(a_revocation("mongodb-password"), values={"MONGO_ROOT_PASSWORD": "old"}, copy="2.env", before=(NEW,))
    assert (await a_revoking(world, tmp_path, monkeypatch).run(back)).over
    assert (world.password, world.known, world.file.read_text()) == ("old", "old", OLD_FILE)


async def test_of_the_files_before_only_the_newest_of_each_kind_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path)
    revoking = a_revoking(world, tmp_path, monkeypatch)
    kinds: tuple[Kind, ...] = ("tokens", "mongodb-password", "tokens")
    for number, kind in enumerate(kinds):
        assert (await revoking.run(replace(a_revocation(kind), copy=f"{number}-{kind}.env"))).over
    assert sorted(each.name for each in (tmp_path / "revoked").iterdir()) == ["1-mongodb-password.env", "2-tokens.env"]
    assert revoking.journal.copy_before("tokens") == tmp_path / "revoked" / "2-tokens.env"


async def test_the_bots_own_container_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would stop itself half-way."""
    world = World(tmp_path)
    before = list(world.containers["backend"]["Config"]["Env"])
    monkeypatch.setattr("socket.gethostname", lambda: "backend")
    assert (await a_revoking(world, tmp_path, monkeypatch).run(a_revocation("tokens"))).over
    assert world.told == ["sessions", "page"]
    assert world.containers["backend"]["Config"]["Env"] == before


@pytest.mark.parametrize(("account", "known"), [("admin", NEW), ("reader", "own")])
async def test_only_the_account_that_is_changed_tries_its_new_password(
    account: str, known: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bot with an account of its own that is refused for another reason keeps its own password."""
    world = World(tmp_path)
    world.password, world.known = NEW, "own"
    revoking = a_revoking(world, tmp_path, monkeypatch)
    revoking.journal.write(a_revocation("mongodb-password"))
    world.account = account
    await revoking.know()
    assert world.known == known


def test_another_accounts_password_is_left_alone() -> None:
    inspected = {"Config": {"Env": ["MONGODB_URI=mongodb://reader:own@mongodb/vcc"]}}
    assert changes_for(inspected, {"MONGO_ROOT_PASSWORD": NEW}, "admin") == Changes()
    assert changes_for(inspected, {"MONGO_ROOT_PASSWORD": NEW}, "reader").environment
