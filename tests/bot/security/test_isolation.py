"""An isolation that is killed at any call of the engine is undone, or gone on with: every network and the policy as before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.errors import Unreachable
from bot.ops.bundle import Ops
from bot.ops.container_networks import Attachment, Standing
from bot.ops.container_parse import service_from
from bot.ops.container_values import Service
from bot.security.isolation import Held, Isolated, Isolations
from tests.bot.ops.fake_engine import container

HOME = Attachment("vcc_net", "n1", ("backend", "api"), ("a:b",), "172.20.0.9", "", {"x": "y"}, "172.20.0.9")
OTHER = Attachment("other", "n2")
STANDING = Standing("backend", "c1", "vcc-backend", "vcc_net", {"Name": "always", "MaximumRetryCount": 0}, (HOME, OTHER))


class Killed(BaseException):
    """As if the bot had been killed here."""


class Engine:
    """One container in two networks; it dies before the call numbered ``dies_at``."""

    def __init__(self) -> None:
        self.now, self.calls, self.dies_at = STANDING, 0, -1
        self.networks = self

    def _called(self) -> None:
        if self.calls == self.dies_at:
            self.dies_at = -1
            raise Killed
        self.calls += 1

    async def standing(self, _service: str, _container_id: str) -> Standing:
        return self.now

    async def keep_down(self, _container_id: str) -> None:
        self._called()
        self.now = replace(self.now, policy={"Name": "no"})

    async def restore_policy(self, standing: Standing) -> None:
        self._called()
        self.now = replace(self.now, policy=standing.policy)

    async def leave(self, _container_id: str, attachment: Attachment) -> None:
        self._called()
        self.now = replace(self.now, attachments=tuple(each for each in self.now.attachments if each != attachment))

    async def join(self, _container_id: str, attachment: Attachment) -> None:
        self._called()
        if attachment not in self.now.attachments:
            self.now = replace(self.now, attachments=(*self.now.attachments, attachment))

    async def replicas(self, _name: str) -> list[Service]:
        return [service_from({**container("backend"), "Id": STANDING.container_id})]

    async def start(self, _container_id: str) -> None:
        self._called()

    async def wait_healthy(self, _container_id: str, _deadline: float) -> None:
        return None


def isolations(engine: Engine, home: Path) -> Isolations:
    async def down() -> Any:
        raise Unreachable("http", "gone")

    return Isolations(cast(Ops, SimpleNamespace(containers=engine, health=SimpleNamespace(check=down))), home)


@pytest.fixture(autouse=True)
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    async def reaches(_ops: object) -> bool:
        return True

    monkeypatch.setattr("bot.ops.page_proxy.reconnect", reaches)


def wanted() -> Isolated:
    return Isolated("backend", 1.0, "olga", 3, (Held(STANDING, running=True),))


def as_before(engine: Engine) -> bool:
    same = engine.now.policy == STANDING.policy and set(map(repr, engine.now.attachments)) == set(map(repr, STANDING.attachments))
    return same and engine.now.container_id == STANDING.container_id


@pytest.mark.parametrize("at", range(3))
async def test_killed_while_it_is_cut_off_it_is_gone_on_with_and_undone(at: int, tmp_path: Path) -> None:
    engine = Engine()
    engine.dies_at = at
    with pytest.raises(Killed):
        await isolations(engine, tmp_path).cut(wanted())
    kept = isolations(engine, tmp_path).kept("backend")
    assert kept == wanted()
    looked = await isolations(engine, tmp_path).look("backend")
    await isolations(engine, tmp_path).cut(replace(wanted(), containers=looked))
    assert (engine.now.attachments, engine.now.policy["Name"]) == ((), "no")
    kept = isolations(engine, tmp_path).kept("backend")
    assert kept is not None
    assert kept.containers == wanted().containers
    await isolations(engine, tmp_path).rejoin(kept)
    assert as_before(engine)
    assert isolations(engine, tmp_path).all() == ()


@pytest.mark.parametrize("at", range(4))
async def test_killed_while_it_is_put_back_it_is_put_back_by_the_next(at: int, tmp_path: Path) -> None:
    engine = Engine()
    await isolations(engine, tmp_path).cut(wanted())
    engine.dies_at = engine.calls + at
    kept = isolations(engine, tmp_path).kept("backend")
    assert kept is not None
    with pytest.raises(Killed):
        await isolations(engine, tmp_path).rejoin(kept)
    still = isolations(engine, tmp_path).kept("backend")
    assert still is not None
    await isolations(engine, tmp_path).rejoin(still)
    assert as_before(engine)
    assert isolations(engine, tmp_path).kept("backend") is None
