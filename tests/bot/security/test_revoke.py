"""A revocation cut off at any point is gone on with: the same secret everywhere, each step in its order, nothing left behind."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from bot.errors import Conflict
from bot.ops.container_making import Changes
from bot.ops.container_networks import Attachment, Standing
from bot.ops.env_files import EnvFile
from bot.ops.small_record import SmallRecord
from bot.security.isolation import Held, Isolated
from bot.security.revoke import changes_for
from bot.security.revoke_journal import Kind, RevokeJournal
from tests.bot.security.revoke_world import NEW, OLD_FILE, Killed, World, a_revocation, a_revoking

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
    for number, kind in enumerate(kinds):  # the last one, also when the clock was ahead before
        assert (await revoking.run(replace(a_revocation(kind), copy=f"{9 - number}-{kind}.env"))).over
    assert sorted(each.name for each in (tmp_path / "revoked").iterdir()) == ["7-tokens.env", "8-mongodb-password.env"]
    assert revoking.journal.copy_before("tokens") == tmp_path / "revoked" / "7-tokens.env"


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
