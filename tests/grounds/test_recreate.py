"""One container made again with another environment: the same service in every other way, and the old one back when that fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot.errors import OutsideError
from bot.ops import recreate
from bot.ops.bundle import Ops
from bot.ops.container_making import Changes
from bot.ops.recreate import Recreate
from tests.grounds.ground import Ground


def environment(ground: Ground, service: str) -> dict[str, str]:
    entries: list[str] = ground.container(service).attrs["Config"]["Env"]
    return dict(entry.partition("=")[::2] for entry in entries)


def same_in_every_way(before: dict[str, Any], after: dict[str, Any]) -> None:
    for part in ("Labels", "Cmd", "User", "WorkingDir", "ExposedPorts", "Image"):
        assert after["Config"].get(part) == before["Config"].get(part), part
    for part in ("RestartPolicy", "PortBindings", "LogConfig", "NetworkMode"):
        assert after["HostConfig"].get(part) == before["HostConfig"].get(part), part
    assert (after["Name"], after["Image"]) == (before["Name"], before["Image"])
    mounts = [{(mount["Name"], mount["Destination"], mount["RW"]) for mount in each["Mounts"]} for each in (before, after)]
    assert mounts[0] == mounts[1]
    assert after["NetworkSettings"]["Networks"].keys() == before["NetworkSettings"]["Networks"].keys()


@pytest.fixture
def again(ops: Ops, tmp_path: Path) -> Recreate:
    return Recreate(ops.containers, tmp_path / "recreate")


async def test_a_recreated_container_has_the_new_value_and_everything_else_as_before(ground: Ground, again: Recreate) -> None:
    before, told = ground.container("backend").attrs, environment(ground, "backend")
    made = await again.again(ground.container_id("backend"), Changes({"JWT_SECRET": "0" * 64}))
    after = ground.container("backend").attrs
    assert made.container_id == after["Id"] != before["Id"]
    assert environment(ground, "backend")["JWT_SECRET"] == "0" * 64
    assert {name: value for name, value in environment(ground, "backend").items() if name not in ("JWT_SECRET", "HOSTNAME")} == {
        name: value for name, value in told.items() if name not in ("JWT_SECRET", "HOSTNAME")
    }
    same_in_every_way(before, after)
    assert ground.get("backend", "/health") == 200
    assert again.unfinished() == ()


async def test_a_container_that_does_not_become_well_gives_its_place_back(
    ground: Ground, again: Recreate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recreate, "WELL_WITHIN", 8.0)
    before = ground.container("backend").attrs
    with pytest.raises(OutsideError):
        await again.again(
            ground.container_id("backend"), Changes({"MONGODB_URI": "mongodb://a:b@127.0.0.1:1/x?serverSelectionTimeoutMS=500"})
        )
    ground.mend()
    after = ground.container("backend").attrs
    assert (after["Id"], after["Name"]) == (before["Id"], before["Name"])
    same_in_every_way(before, after)


async def test_a_stopped_container_is_made_again_and_stays_stopped(ground: Ground, ops: Ops, again: Recreate) -> None:
    """Somebody may have stopped it for a reason: new secrets are none to start it."""
    before = ground.container_id("backend")
    await ops.containers.stop(before)
    made = await again.again(before, Changes({"JWT_SECRET": "2" * 64}))
    assert (made.running, made.container_id != before) == (False, True)
    assert environment(ground, "backend")["JWT_SECRET"] == "2" * 64
    await ops.containers.start(made.container_id)
    ground.mend()
    assert ground.get("backend", "/health") == 200


class Killed(BaseException):
    """As if the bot had been killed here."""


@pytest.mark.parametrize("step", ["make", "stop", "start"])
async def test_what_a_crash_left_half_done_is_put_back_by_whoever_comes_next(
    ground: Ground, ops: Ops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    async def nothing(*_: object) -> None:
        return None

    def say(name: str, _service: str) -> None:
        if name == step:
            raise Killed

    before = ground.container_id("backend")
    dying = Recreate(ops.containers, tmp_path / "recreate", say)
    monkeypatch.setattr(dying, "_put_back", nothing)  # a killed program tidies nothing
    with pytest.raises(Killed):
        await dying.again(before, Changes({"JWT_SECRET": "1" * 64}))
    assert dying.unfinished() == ("backend",)
    assert await Recreate(ops.containers, tmp_path / "recreate").recover("backend") == "put_back"
    assert ground.container_id("backend") == before
    ground.mend()
    assert environment(ground, "backend")["JWT_SECRET"] != "1" * 64


async def test_redis_gets_another_password_by_its_command_and_keeps_its_volume(ground: Ground, ops: Ops, again: Recreate) -> None:
    """And back, as the rest of the deployment still knows the old one."""
    with ground.redis() as cache:
        cache.set("kept", "yes")
    command = ground.container("redis").attrs["Config"]["Cmd"]
    old = command[command.index("--requirepass") + 1]
    await again.again(ground.container_id("redis"), Changes(options={"--requirepass": "f" * 32}))
    changed = ground.container("redis").attrs["Config"]["Cmd"]
    assert changed[changed.index("--requirepass") + 1] == "f" * 32
    await again.again(ground.container_id("redis"), Changes(options={"--requirepass": old}))
    with ground.redis() as cache:
        assert cache.get("kept") == "yes"
