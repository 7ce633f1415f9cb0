"""One job per target at a time; a dead program holds nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.errors import Busy
from bot.figures import Figures
from bot.locks import EVERYTHING, Locks
from bot.model import Account, Invocation, Place
from bot.store import lock_rows
from bot.store.engine import Store
from bot.testing.clock import Clock


class House:
    """A state file and the programs on it that are alive."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.alive = {"one", "two"}
        self.clock = Clock()

    def locks(self, instance: str = "one") -> Locks:
        """The locks, as this program sees them."""
        return Locks(self.store, instance, lambda each: each in self.alive, Figures("en", "UTC"), self.clock)

    async def held(self) -> set[str]:
        """Targets that somebody holds."""
        return {lock.target for lock in await self.store.read(lock_rows.everything)}


def request(reference: str) -> Invocation:
    """A request of olga."""
    return Invocation("restart backend", Account("local", "olga"), Place("local", "console"), "", 0.0, reference=reference)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """An empty house."""
    store = Store(tmp_path / "vcc.db")
    store.open()
    yield House(store)
    store.close()


async def test_a_held_target_refuses_and_says_who_and_since_when(house: House) -> None:
    async with house.locks().hold(["backend"], request("R-1"), "olga"):
        house.clock.forward(42)
        with pytest.raises(Busy) as busy:
            async with house.locks("two").hold(["redis", "backend"], request("R-2"), "ada"):
                pass
    assert busy.value.values == {"target": "backend", "person": "olga", "line": "restart backend", "reference": "R-1", "since": "42s"}


async def test_who_cannot_have_all_takes_none(house: House) -> None:
    async with house.locks().hold(["backend"], request("R-1"), "olga"):
        with pytest.raises(Busy):
            async with house.locks().hold(["redis", "backend"], request("R-2"), "ada"):
                pass
        assert await house.held() == {"backend"}


async def test_other_targets_are_free(house: House) -> None:
    async with house.locks().hold(["backend"], request("R-1"), "olga"), house.locks().hold(["redis"], request("R-2"), "ada"):
        assert await house.held() == {"backend", "redis"}
    assert await house.held() == set()


@pytest.mark.parametrize(("first", "second"), [(EVERYTHING, "redis"), ("redis", EVERYTHING)])
async def test_who_holds_everything_is_alone(house: House, first: str, second: str) -> None:
    async with house.locks().hold([first], request("R-1"), "olga"):
        with pytest.raises(Busy):
            async with house.locks().hold([second], request("R-2"), "ada"):
                pass


async def test_a_target_is_free_after_a_failure(house: House) -> None:
    with pytest.raises(ZeroDivisionError):
        async with house.locks().hold(["backend"], request("R-1"), "olga"):
            raise ZeroDivisionError
    assert await house.held() == set()


async def test_a_dead_program_holds_nothing(house: House) -> None:
    holding = asyncio.Event()

    async def hold_for_ever() -> None:
        async with house.locks("two").hold(["backend", "redis"], request("R-1"), "olga"):
            holding.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hold_for_ever())
    await holding.wait()
    house.alive.discard("two")
    async with house.locks().hold(["backend"], request("R-2"), "ada"):
        assert await house.held() == {"backend"}
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_of_many_at_once_one_gets_it(house: House) -> None:
    inside = 0

    async def try_it(number: int) -> bool:
        nonlocal inside
        try:
            async with house.locks().hold(["backend"], request(f"R-{number}"), "olga"):
                inside += 1
                assert inside == 1
                await asyncio.sleep(0)
                inside -= 1
                return True
        except Busy:
            return False

    assert any(await asyncio.gather(*(try_it(number) for number in range(30))))


async def test_nothing_to_hold_holds_nothing(house: House) -> None:
    async with house.locks().hold([], request("R-1"), "olga"), house.locks().hold([], request("R-2"), "ada"):
        assert await house.held() == set()


async def test_what_is_held_is_what_a_living_program_works_on(house: House) -> None:
    async with house.locks("one").hold(("service:backend",), request("R1"), "Olga"):
        assert await house.store.read(house.locks("two").held) == {"service:backend"}
        house.alive.discard("one")
        assert await house.store.read(house.locks("two").held) == frozenset()
