"""The index of errors reads on from where it was, through rotations, recreations and other readers, and keeps no secret."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from bot.error_index import CountingGrouper, ErrorIndex
from bot.errors import RecordUnwritable, Unreachable
from bot.ops.container_values import LogLine, Service
from bot.ops.error_log import ErrorGrouper
from bot.ops.log_position import LogPosition
from bot.ops.log_text import LogText
from bot.store.engine import Store
from bot.testing.clock import Clock
from bot.testing.waiting import until
from tests.bot.demo import SECRET

CLOCK = Clock()


def container(number: int = 1, name: str = "backend") -> Service:
    """One container of a service."""
    identity = f"{name}{number}"
    return Service(name, identity, f"{name}-1", "image", "sha", "running", "", None, 0, False, 1.0, None, 1, 1, "vcc")


class FakeLogs:
    """Logs in memory. ``gone`` lines were rotated away; ``hangs`` never ends; ``breaks`` cannot be reached; ``puzzles`` raises."""

    def __init__(self) -> None:
        self.lines: dict[str, list[str]] = {}
        self.gone: dict[str, int] = {}
        self.hangs: set[str] = set()
        self.breaks: set[str] = set()
        self.puzzles: set[str] = set()
        self.read: list[tuple[str, int]] = []
        self.asked_since: list[float | None] = []

    def write(self, identity: str, *lines: str) -> None:
        """What a service says."""
        self.lines.setdefault(identity, []).extend(lines)

    async def errors(
        self,
        service: Service,
        grouper: ErrorGrouper,
        *,
        since: float | None = None,
        until: float | None = None,
        after: LogPosition | None = None,
    ) -> LogPosition:
        """As the real one: only what is new."""
        identity = service.container_id
        self.asked_since.append(since)
        if identity in self.breaks:
            raise Unreachable("docker")
        if identity in self.puzzles:
            raise ZeroDivisionError(identity)
        if identity in self.hangs:
            await asyncio.Event().wait()
        begin, lines = after.offset if after else 0, self.lines.get(identity, [])
        gap = begin < self.gone.get(identity, 0) and after is not None
        fresh = lines[max(begin, self.gone.get(identity, 0)) :]
        self.read.append((identity, len(fresh)))
        for line in fresh:
            grouper.feed(LogLine(service.name, service.container_name, "stdout", CLOCK(), line))
        return LogPosition(identity, "file", offset=len(lines), gap=gap)


@pytest.fixture
def logs() -> FakeLogs:
    """No lines yet."""
    return FakeLogs()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store."""
    store = Store(tmp_path / "vcc.db")
    store.open()
    yield store
    store.close()


class World:
    """An index and the containers it sees."""

    def __init__(self, store: Store, logs: FakeLogs) -> None:
        self.containers: Sequence[Service] = (container(),)
        self.index = ErrorIndex(store, self.present, logs, LogText(()), CLOCK)

    async def present(self) -> Sequence[Service]:
        """Those there are."""
        if not self.containers:
            raise Unreachable("docker")
        return self.containers

    async def catch_up(self, seconds: float = 5.0) -> None:
        """Read what is new of all of them."""
        await self.index.catch_up(self.containers, seconds)

    async def total(self, name: str = "backend") -> int:
        """All errors counted."""
        return sum(group.count for group in await self.index.groups((name,), 0))


@pytest.fixture
def world(store: Store, logs: FakeLogs) -> World:
    """One container."""
    return World(store, logs)


async def test_a_log_that_breaks_the_reader_keeps_no_other_from_being_read(world: World, logs: FakeLogs) -> None:
    world.containers = (container(1, "odd"), container(1, "backend"))
    logs.puzzles.add("odd1")
    running = asyncio.create_task(world.index.run(every=0.05))
    logs.write("backend1", "Error: a")

    async def counted() -> bool:
        return await world.total() == 1

    await until(counted, "the error of the other one is counted")
    logs.write("backend1", "Error: b")

    async def again() -> bool:
        return await world.total() == 2

    await until(again, "it goes on")
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_only_what_is_new_is_read(world: World, logs: FakeLogs) -> None:
    logs.write("backend1", "Error: a 1", "fine", "Error: a 2")
    await world.catch_up()
    logs.write("backend1", "Error: a 3")
    await world.catch_up()
    await world.catch_up()
    assert logs.read == [("backend1", 3), ("backend1", 1), ("backend1", 0)]
    (group,) = await world.index.groups(("backend",), 0)
    assert (group.count, group.example, group.kind) == (3, "Error: a 3", "application")


async def test_a_container_that_was_recreated_goes_on_under_the_same_service(world: World, logs: FakeLogs) -> None:
    logs.write("backend1", "Error: a 1")
    await world.catch_up()
    world.containers = (container(2),)
    logs.write("backend2", "Error: a 2", "Error: a 3")
    await world.catch_up()
    (group,) = await world.index.groups(("backend",), 0)
    assert group.count == 3
    assert await world.index.services() == ["backend"]


async def test_what_was_rotated_away_after_it_was_read_is_still_there_and_before_is_told(world: World, logs: FakeLogs) -> None:
    logs.write("backend1", *(f"Error: a {number}" for number in range(5)))
    await world.catch_up()
    logs.gone["backend1"] = 5
    logs.write("backend1", "Error: a 5")
    await world.catch_up()
    assert await world.total() == 6
    assert (await world.index.losses(("backend",), 0)).gaps == {}
    logs.write("backend1", "Error: a 6", "Error: a 7")
    logs.gone["backend1"] = 7
    await world.catch_up()
    assert await world.total() == 7
    assert (await world.index.losses(("backend",), 0)).gaps == {"backend": CLOCK()}


async def test_many_readers_at_once_count_every_error_once(world: World, logs: FakeLogs, store: Store) -> None:
    others = [ErrorIndex(store, world.present, logs, LogText(()), CLOCK) for _ in range(4)]
    for _ in range(5):
        logs.write("backend1", *(f"Error: a {number}" for number in range(10)))
        await asyncio.gather(world.catch_up(), *(each.catch_up(world.containers, 5) for each in others))
    await world.catch_up()
    assert await world.total() == 50


async def test_one_log_that_hangs_or_fails_keeps_no_other_waiting(world: World, logs: FakeLogs) -> None:
    world.containers = (container(), container(name="redis"), container(name="mongodb"))
    logs.hangs.add("redis1")
    logs.breaks.add("mongodb1")
    logs.write("backend1", "Error: a")
    caught = await world.index.catch_up(world.containers, 0.2)
    assert (caught.late, set(caught.failed)) == ({"redis1"}, {"mongodb1"})
    assert await world.total() == 1
    logs.hangs.clear()
    logs.write("redis1", "Error: b")
    assert not (await world.index.catch_up(world.containers, 5)).late
    assert await world.total("redis") == 1


async def test_what_cannot_be_kept_is_raised_and_counted_later(world: World, logs: FakeLogs, store: Store) -> None:
    logs.write("backend1", "Error: a")
    await store.write(lambda db: db.execute("ALTER TABLE error_counts RENAME TO away"))
    with pytest.raises(RecordUnwritable):
        await world.catch_up()
    await store.write(lambda db: db.execute("ALTER TABLE away RENAME TO error_counts"))
    await world.catch_up()
    assert await world.total() == 1


async def test_a_place_that_nobody_understands_is_no_reason_to_read_all_again(world: World, logs: FakeLogs, store: Store) -> None:
    await world.catch_up()
    await store.write(lambda db: db.execute("UPDATE error_positions SET position = '{\"what\": 1}'"))
    await world.catch_up()
    assert logs.asked_since[-1] == CLOCK()


async def test_no_secret_is_kept(world: World, logs: FakeLogs) -> None:
    logs.write("backend1", f"Error: {SECRET}", f"    at {SECRET}")
    await world.catch_up()
    (group,) = await world.index.groups(("backend",), 0)
    assert "hunter22" not in str(group)


async def test_the_loop_finds_containers_as_they_come_and_outlives_the_engine(world: World, logs: FakeLogs) -> None:
    containers, world.containers = world.containers, ()
    running = asyncio.create_task(world.index.run(every=0.01))
    try:
        world.containers = containers
        logs.write("backend1", "Error: a")
        await until(lambda: _is(world, 1), "the first error is counted")
        world.containers = ()
        world.containers = (*containers, container(2))
        logs.write("backend2", "Error: a")
        await until(lambda: _is(world, 2), "the second error is counted")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _is(world: World, count: int) -> bool:
    return await world.total() == count


def test_more_spans_than_there_is_room_for_are_counted_coarser() -> None:
    grouper = CountingGrouper(buckets_at_most=10)
    line = LogLine("backend", "backend-1", "stdout", 0.0, "Error: a")
    for minute in range(24 * 60):
        grouper.feed(line._replace(at=minute * 60.0))
    (found,) = grouper.found(LogText(()))
    assert found.counts == {(0, 86_400): 24 * 60}
    assert sum(found.counts.values()) == 24 * 60
