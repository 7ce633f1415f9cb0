"""Signs of life: renewed while they are held, given back, and not believed when they are old."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from bot.errors import Busy, Conflict, Unreachable
from bot.ops.bounded import Workers
from bot.ops.remote_lease import COLLECT, PUSH, Lease
from bot.ops.remote_values import Limits, StoredObject
from tests.bot.ops.waiting import until


@dataclass
class Shelf:
    """A bucket with nothing but leases in it."""

    limits: Limits
    keys: dict[str, float] = field(default_factory=dict)
    puts: int = 0
    broken: bool = False

    def put(self, key: str, body: bytes, sha256: str) -> None:
        if self.broken:
            raise Unreachable("s3")
        self.keys[key] = self.now()
        self.puts += 1

    def listed(self, beginning: str) -> Iterator[StoredObject]:
        return (StoredObject(key, 2, at) for key, at in self.keys.items() if key.startswith(beginning))

    def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            self.keys.pop(key, None)

    def now(self) -> float:
        return time.time() + 500  # its clock is not ours


@pytest.fixture
def workers() -> Iterator[Workers]:
    workers = Workers("test", 2)
    yield workers
    workers.close()


def lease(shelf: Shelf, workers: Workers, kind: str) -> Lease:
    return Lease(cast(Any, shelf), workers, kind)


async def test_it_is_renewed_while_it_is_held_and_gone_afterwards(workers: Workers) -> None:
    shelf = Shelf(Limits(lease_s=0.2))
    async with lease(shelf, workers, PUSH).held():
        await until(lambda: shelf.puts >= 3, "it is renewed")
        assert len(shelf.keys) == 1
    assert shelf.keys == {}


async def test_the_two_sides_never_both_go_on(workers: Workers) -> None:
    shelf = Shelf(Limits())
    for first, second in ((PUSH, COLLECT), (COLLECT, PUSH)):
        async with lease(shelf, workers, first).held():
            with pytest.raises(Busy):
                await lease(shelf, workers, second).held().__aenter__()
    assert shelf.keys == {}


async def test_two_pushes_do_not_hinder_each_other(workers: Workers) -> None:
    shelf = Shelf(Limits())
    async with lease(shelf, workers, PUSH).held(), lease(shelf, workers, PUSH).held():
        assert len(shelf.keys) == 2


async def test_what_a_dead_machine_left_is_not_believed_for_ever(workers: Workers) -> None:
    shelf = Shelf(Limits())
    shelf.keys["leases/push-dead"] = shelf.now() - 901
    async with lease(shelf, workers, COLLECT).held():
        shelf.keys["leases/push-alive"] = shelf.now() - 10
        with pytest.raises(Busy):
            await lease(shelf, workers, COLLECT).held().__aenter__()


async def test_who_was_silent_for_too_long_does_not_go_on(workers: Workers) -> None:
    shelf = Shelf(Limits(lease_s=0.1))
    async with lease(shelf, workers, PUSH).held() as held:
        shelf.broken = True
        before = time.monotonic()
        await until(lambda: time.monotonic() - before > 0.2, "it is believed no more")
        with pytest.raises(Conflict):
            await held.alone()
