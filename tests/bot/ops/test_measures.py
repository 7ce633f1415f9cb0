"""What is measured: counters as rates that survive resets, queues that come and go; and all of it on a real deployment."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot import config
from bot.errors import NotFound
from bot.history import History
from bot.ops.bull_values import Finished, QueueStatus
from bot.ops.bundle import Ops
from bot.ops.measures import LONGEST_RATE, NAMES_FOR, Queues, Rates, Source, of_service, sources
from bot.sandbox.deployment import Deployment
from bot.series import Series
from bot.store.engine import Store
from bot.testing.clock import Clock


def test_a_counter_becomes_a_rate_once_it_was_seen_twice() -> None:
    ticks = Clock(0)
    rates = Rates(ticks)
    assert rates.per_second(("a", "rx"), 100) is None
    ticks.forward(10)
    assert rates.per_second(("a", "rx"), 150) == 5
    assert rates.per_second(("a", "tx"), 0) is None
    ticks.forward(10)
    assert rates.per_second(("a", "rx"), 150) == 0


def test_a_counter_that_began_anew_is_no_negative_rate() -> None:
    ticks = Clock(0)
    rates = Rates(ticks)
    rates.per_second(("a", "rx"), 1_000_000)
    ticks.forward(30)
    assert rates.per_second(("a", "rx"), 10) is None
    ticks.forward(30)
    assert rates.per_second(("a", "rx"), 40) == 1


def test_a_rate_over_a_long_silence_says_nothing_about_now() -> None:
    ticks = Clock(0)
    rates = Rates(ticks)
    rates.per_second(("a", "rx"), 0)
    ticks.forward(LONGEST_RATE + 1)
    assert rates.per_second(("a", "rx"), 10) is None


def test_counters_of_what_is_gone_are_forgotten() -> None:
    ticks = Clock(0)
    rates = Rates(ticks)
    rates.per_second(("a", "rx"), 0)
    rates.keep({"b"})
    ticks.forward(10)
    assert rates.per_second(("a", "rx"), 10) is None


def test_a_replica_is_named_with_its_number() -> None:
    assert [of_service("web", number) for number in (0, 1, 2)] == ["web", "web", "web#2"]


class FakeBull:
    """Queues by name; counts how often it had to look for them."""

    def __init__(self, *names: str) -> None:
        self.there = list(names)
        self.looked = 0
        self.ended = Finished(0, 0, False, 0.0)
        self.asked_since: list[float] = []

    async def names(self) -> tuple[str, ...]:
        """All of them."""
        self.looked += 1
        return tuple(self.there)

    async def queue(self, name: str) -> QueueStatus:
        """Three wait, two of them while it is paused, the oldest since the moment 40."""
        if name not in self.there:
            raise NotFound("redis", name)
        return QueueStatus(name, 1, 4, 5, 6, 7, 2, True, 8, 40.0)

    async def finished_since(self, name: str, since: float) -> Finished:
        """What the test says."""
        self.asked_since.append(since)
        return self.ended


def queue_meter(bull: FakeBull, clock: Clock) -> Queues:
    return Queues(lambda: bull, clock, clock)  # type: ignore[arg-type, return-value]


async def test_a_queue_is_told_by_its_counts_and_how_long_the_oldest_waits() -> None:
    clock = Clock(100)
    values = await queue_meter(FakeBull("q"), clock).measure()
    assert {series.figure: value for series, value in values.items()} == {
        "waiting": 3,
        "active": 4,
        "delayed": 5,
        "failed": 7,
        "stalled": 8,
        "oldest_waiting_s": 60,
    }


async def test_ended_jobs_are_counted_from_round_to_round_and_only_where_bull_kept_them_all() -> None:
    clock, bull = Clock(1_000), FakeBull("q")
    meter = queue_meter(bull, clock)
    await meter.measure()
    assert bull.asked_since == []
    bull.ended = Finished(9, 1, False, 1_000.0)
    clock.forward(30)
    values = await meter.measure()
    assert (values[Series("queue", "q", "finished_per_min")], values[Series("queue", "q", "failed_per_min")]) == (20, 2)
    bull.ended = Finished(50, 0, True, 1_050.0)
    clock.forward(30)
    assert (await meter.measure())[Series("queue", "q", "finished_per_min")] == 300
    bull.ended = Finished(50, 0, True, None)
    clock.forward(30)
    assert Series("queue", "q", "finished_per_min") not in await meter.measure()
    assert bull.asked_since == [1_000, 1_030, 1_060]


async def test_a_queue_whose_name_is_no_text_keeps_no_other_off_the_record(tmp_path: Path) -> None:
    store, clock = Store(tmp_path / "vcc.db"), Clock(100)
    store.open()
    values = await queue_meter(FakeBull("\udcff", "even"), clock).measure()
    assert await History(store, clock).add(100, values) == len(values)
    store.close()
    assert {series.subject for series in values} == {"?", "even"}


async def test_queues_are_looked_for_now_and_then_and_when_one_is_gone() -> None:
    clock, bull = Clock(0), FakeBull("a", "b")
    meter = queue_meter(bull, clock)
    for _ in range(3):
        await meter.measure()
    assert bull.looked == 1
    bull.there.remove("a")
    assert {series.subject for series in await meter.measure()} == {"b"}
    await meter.measure()
    assert bull.looked == 2
    clock.forward(NAMES_FOR + 1)
    await meter.measure()
    assert bull.looked == 3


@pytest.fixture
async def ops(sandbox: Deployment, tmp_path: Path) -> AsyncIterator[Ops]:
    """The adapters on the sandbox."""
    adapters = Ops(config.read({**sandbox.env, "VCC_HOME": str(tmp_path)}, dotenv=None))
    yield adapters
    await adapters.close()


async def test_everything_of_a_real_deployment_is_measured(ops: Ops) -> None:
    ticks = Clock(0)
    listed: dict[str, Source] = {source.name: source for source in sources(ops, ticks)}
    first = {name: await source.measure() for name, source in listed.items()}
    ticks.forward(10)
    second = {**first, "docker": await listed["docker"].measure()}
    services = {series.figure for series in second["docker"] if series.subject == "backend"}
    rates = {"network_received_per_s", "network_sent_per_s", "block_read_per_s", "block_written_per_s"}
    assert services == {"cpu_percent", "memory_bytes", "memory_limit_bytes", "processes", "restarts"} | rates
    assert not rates & {series.figure for series in first["docker"]}
    assert {series.subject for series in first["docker"]} == {"backend", "frontend", "mongodb", "redis"}
    assert {series.figure for series in first["host"] if series.part == "disk"} >= {"percent", "used_bytes", "free_bytes"}
    assert first["host"][Series("host", "", "memory_available_bytes")] > 0
    assert first["mongodb"][Series("mongodb", "", "connections")] > 0
    assert first["mongodb"][Series("mongodb", "", "resident_bytes")] > 1 << 20
    assert first["redis"][Series("redis", "", "keys")] > 0
    assert first["uploads"][Series("uploads", "", "files")] > 0
    assert Series("queue", "image generation", "waiting") in first["queues"]
    assert all(value >= 0 for values in second.values() for value in values.values())


async def test_a_restarted_container_leaves_a_gap_and_no_spike(ops: Ops) -> None:
    ticks = Clock(0)
    docker = next(source for source in sources(ops, ticks) if source.name == "docker")
    await docker.measure()
    service = await ops.containers.service("frontend")
    await ops.containers.restart(service.container_id, timeout=5)
    await ops.containers.wait_healthy(service.container_id, 30, stable=0.5)
    ticks.forward(10)
    after = await docker.measure()
    assert Series("service", "frontend", "memory_bytes") in after
    assert Series("service", "frontend", "cpu_percent") not in after
    assert Series("service", "frontend", "network_received_per_s") not in after
    assert Series("service", "backend", "cpu_percent") in after
