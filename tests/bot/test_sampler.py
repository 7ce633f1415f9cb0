"""Measuring on a schedule: on the clock, beside each other, never piling up; a system that is down leaves a gap."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.app import App
from bot.errors import Unreachable
from bot.history import History
from bot.ops.measures import HOURLY, Source, Values
from bot.sampler import FORGET_EVERY, STEADY_FOR, Sampler
from bot.series import Series
from bot.store.engine import Store
from bot.testing.bot import Bot, settings_for
from bot.testing.clock import Clock
from bot.testing.waiting import until

DAY = 86_400.0
NOON = 1_770_000_000.0 - 1_770_000_000 % 3_600


class System:
    """Something to measure; its value is how often it was asked."""

    def __init__(self, name: str) -> None:
        self.series = Series("service", name, "cpu_percent")
        self.name = name
        self.asked = 0
        self.down = False
        self.bug = False
        self.stuck: asyncio.Event | None = None

    async def measure(self) -> Values:
        """Count, or fail, or hang."""
        self.asked += 1
        if self.stuck is not None:
            await self.stuck.wait()
        if self.bug:
            raise ZeroDivisionError
        if self.down:
            raise Unreachable(self.name)
        return {self.series: float(self.asked)}

    def source(self, every: float = 0.0, deadline: float = 5.0) -> Source:
        """As the sampler sees it."""
        return Source(self.name, self.measure, deadline, every)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """An open state."""
    store = Store(tmp_path / "vcc.db")
    store.open()
    yield store
    store.close()


class Bench:
    """A sampler whose time stands still until it is moved; both of its clocks are one unless the wall clock is set."""

    def __init__(self, store: Store, *sources: Source) -> None:
        self.wall = Clock(NOON)
        self.ticks = Clock(0.0)
        self.history = History(store, self.wall)
        self.sampler = Sampler(sources, self.history, self.wall, 30.0, self.ticks)

    def forward(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self.wall.forward(seconds)
        self.ticks.forward(seconds)

    async def round(self, seconds: float = 30.0) -> None:
        """Let time pass, measure, and wait for what was measured."""
        self.forward(seconds)
        self.sampler.begin_round()
        await self.sampler.idle()

    async def values(self, system: System) -> list[tuple[float, float]]:
        """(seconds after noon, value) of what is on record."""
        found = await self.history.read([system.series], NOON - 3_600, self.wall() + 1, 10)
        return [(bucket.at - NOON, bucket.mean) for bucket in found[system.series]]


async def test_rounds_stand_on_the_clock_and_a_restart_doubles_none(store: Store) -> None:
    system = System("backend")
    bench = Bench(store, system.source())
    for seconds in (31, 30, 4, 30):  # the third falls into the round of the second
        await bench.round(seconds)
    assert await bench.values(system) == [(30, 1), (60, 2), (90, 4)]
    again = Sampler([system.source()], bench.history, bench.wall, 30.0, bench.ticks)
    again.begin_round()
    await again.idle()
    assert await bench.values(system) == [(30, 1), (60, 2), (90, 4)]


async def test_a_system_that_is_down_leaves_a_gap_and_the_others_are_measured(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "vcc.sampler")
    system, other = System("backend"), System("redis")
    bench = Bench(store, system.source(), other.source())
    for down in (False, True, True, False):
        system.down = down
        await bench.round()
    assert await bench.values(system) == [(30, 1), (120, 4)]
    assert await bench.values(other) == [(30, 1), (60, 2), (90, 3), (120, 4)]
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2, said  # once when it went down, once when it came back
    assert said[1] == "measuring backend: well again"


async def test_a_system_that_hangs_holds_up_nobody_and_does_not_pile_up(store: Store) -> None:
    system, other = System("docker"), System("redis")
    system.stuck = asyncio.Event()
    bench = Bench(store, system.source(), other.source())
    for number in range(1, 4):
        bench.forward(30)
        bench.sampler.begin_round()
        await until(lambda number=number: other.asked == number, "the other one is asked")  # type: ignore[misc]
        await until(lambda: not bench.sampler._busy("redis"), "what it said is kept")
    assert system.asked == 1
    system.stuck.set()
    await bench.sampler.idle()
    system.stuck = None
    await bench.round()
    assert await bench.values(other) == [(30, 1), (60, 2), (90, 3), (120, 4)]
    assert await bench.values(system) == [(30, 1), (120, 2)]


async def test_a_system_that_hangs_is_given_up_at_its_deadline(store: Store) -> None:
    system = System("docker")
    system.stuck = asyncio.Event()
    bench = Bench(store, system.source(deadline=0.05))
    await bench.round()
    assert await bench.values(system) == []


async def test_a_bug_in_one_source_is_told_and_ends_nothing(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    system, other = System("docker"), System("redis")
    bench = Bench(store, system.source(), other.source())
    system.bug = True
    bench.forward(30)
    bench.sampler.begin_round()
    await until(lambda: other.asked == 1 and system.asked == 1, "both are asked")
    with pytest.raises(ZeroDivisionError):
        await bench.sampler.idle()
    system.bug = False
    await bench.round()
    assert await bench.values(system) == [(60, 2)]
    assert any("measuring docker failed" in record.getMessage() and record.exc_info for record in caplog.records)


async def test_what_is_measured_hourly_is_asked_once_an_hour(store: Store) -> None:
    system = System("uploads")
    bench = Bench(store, system.source(every=HOURLY))
    for _ in range(2 * 120 + 10):
        await bench.round()
    assert [at for at, _ in await bench.values(system)] == [0, 3_600, 7_200]  # read back by the minute


async def test_a_clock_that_jumps_back_doubles_nothing_and_one_that_jumps_ahead_empties_nothing(store: Store) -> None:
    system = System("backend")
    bench = Bench(store, system.source())
    for _ in range(20):
        await bench.round()
    bench.wall.forward(-300)
    for _ in range(15):
        await bench.round()
    assert [at for at, _ in await bench.values(system)] == [30 * number for number in range(1, 26)]
    bench.ticks.forward(STEADY_FOR)
    bench.wall.forward(STEADY_FOR)
    bench.wall.forward(3_650 * DAY)
    await bench.round()
    bench.wall.forward(-3_650 * DAY)
    await bench.round()
    assert len(await bench.values(system)) == 26
    assert all(each >= 0 for _, each in await bench.values(system))


async def test_what_is_old_is_forgotten_once_the_clock_was_steady(store: Store) -> None:
    system = System("backend")
    bench = Bench(store, system.source())
    await bench.round()
    bench.forward(3 * DAY)
    for _ in range(int((STEADY_FOR + FORGET_EVERY) / 30) + 1):
        await bench.round()
    raw = await store.read(lambda db: db.execute("SELECT MIN(at) FROM samples WHERE resolution = 0").fetchone()[0])
    hours = await store.read(lambda db: db.execute("SELECT MIN(at) FROM samples WHERE resolution = 3600").fetchone()[0])
    assert raw >= NOON + 3 * DAY
    assert hours == NOON


async def test_it_waits_for_the_next_round_and_ends_when_cancelled(store: Store) -> None:
    system = System("backend")
    waited: list[float] = []
    bench = Bench(store)
    bench.wall.now = NOON + 12.5

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        bench.forward(seconds)
        await asyncio.sleep(0)

    sampler = Sampler([system.source()], bench.history, bench.wall, 30.0, bench.ticks, sleep)
    running = asyncio.create_task(sampler.run())
    await until(lambda: system.asked >= 3, "three rounds")
    system.stuck = asyncio.Event()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert waited[:3] == [17.5, 30.0, 30.0]


async def test_a_state_that_cannot_be_written_costs_the_round_and_not_the_program(tmp_path: Path) -> None:
    store = Store(tmp_path / "vcc.db")
    store.open()
    system = System("backend")
    bench = Bench(store, system.source())
    store.close()
    await bench.round()
    await bench.round()
    assert system.asked == 2


class Noted:
    """Stands where the sampler stands."""

    ran = False

    async def run(self) -> None:
        """Note it, then go on as the sampler does."""
        self.ran = True
        await asyncio.Event().wait()


async def test_only_a_bot_that_runs_measures(tmp_path: Path) -> None:
    app = App(settings_for(tmp_path))
    noted = app.sampler = Noted()  # type: ignore[assignment]
    await app.open()
    await Bot(app, {}, app.clock).types("local:vera", "help")  # type: ignore[arg-type]
    assert not noted.ran
    running = asyncio.create_task(app.run())
    await until(lambda: noted.ran, "the bot measures")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await app.close()
