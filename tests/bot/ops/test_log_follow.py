"""Live lines through everything that happens to a container: each once, in order, from the engine that is faked here line by line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from bot.errors import NotFound, Unreachable
from bot.ops.container_logs import Limit, LogStream, LogWindow
from bot.ops.container_values import LogLine, Service
from bot.ops.log_follow import RECENT_AT_MOST, LiveLogs, LivePace, Seam, Start
from bot.testing.waiting import until

FAST = LivePace(look=0.01, silence=0.05)
BEGAN = 1_000.0


def line(number: int, *, at: float | None = None, stream: str = "stdout", container: str = "backend-1") -> LogLine:
    """The line with this number, written at this second."""
    return LogLine("backend", container, stream, BEGAN + number if at is None else at, f"line {number}")


@dataclass
class FakeContainer:
    """A container with a log. ``deaf`` streams never tell what is written later; ``repeats`` gives each line twice."""

    service: Service
    lines: list[LogLine] = field(default_factory=list)
    deaf: bool = False
    repeats: bool = False

    def stop(self) -> None:
        """Streams end."""
        self.service = replace(self.service, state="exited")

    def start(self) -> None:
        """Run again."""
        self.service = replace(self.service, state="running", started_at=(self.service.started_at or 0) + 1)


class FakeEngine:
    """An engine with such containers, that can be away."""

    def __init__(self, *containers: FakeContainer) -> None:
        self.containers = list(containers)
        self.away = False
        self.opened: list[LogWindow] = []
        self.ended = 0

    async def services(self) -> tuple[Service, ...]:
        """Those there are."""
        if self.away:
            raise Unreachable("docker")
        return tuple(each.service for each in self.containers)

    async def logs(self, container_id: str, window: LogWindow) -> LogStream:
        """A stream, as the real one gives it."""
        found = [each for each in self.containers if each.service.container_id == container_id]
        if not found:
            raise NotFound("docker", container_id)
        if window.follow:
            self.opened.append(window)
        return LogStream(self._lines(found[0], window), Limit(0))

    async def _lines(self, container: FakeContainer, window: LogWindow) -> AsyncGenerator[LogLine, None]:
        given = max(0, len(container.lines) - window.tail) if window.tail else 0
        deaf_from = len(container.lines) if container.deaf else None
        while True:
            for each in container.lines[given:deaf_from]:
                if window.since is None or each.at >= window.since:
                    yield each
                    if container.repeats:
                        yield each
            given = max(given, len(container.lines[:deaf_from]))
            if not window.follow or not container.service.running:
                self.ended += window.follow
                return
            if self.away:
                raise Unreachable("docker")
            await asyncio.sleep(0.002)


def container(identity: str = "c1", name: str = "backend") -> FakeContainer:
    """A running one."""
    return FakeContainer(Service(name, identity, f"{name}-1", "image", "sha", "running", "", None, 0, False, 1.0, None, 1, 1, "vcc"))


@asynccontextmanager
async def followed(engine: FakeEngine, names: Sequence[str] = (), tail: int = 10) -> AsyncIterator[tuple[LiveLogs, list[str]]]:
    """A follow, and the lines it gave."""
    taken: list[str] = []
    live = LiveLogs(engine, names, lambda line: taken.append(line.text), Start(BEGAN, tail), FAST)
    running = asyncio.create_task(live.run())
    try:
        yield live, taken
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def until_taken(taken: list[str], count: int) -> None:
    """Wait for so many lines; then they are just these, in their order."""
    await until(lambda: len(taken) >= count, f"{count} lines, of which {len(taken)} came")
    assert taken == [f"line {number}" for number in range(count)]


async def test_it_begins_with_the_newest_lines_and_goes_on() -> None:
    one = container()
    one.lines = [line(number - 100) for number in range(95)] + [line(0)._replace(text="line 0")]
    async with followed(FakeEngine(one), tail=1) as (_, taken):
        await until_taken(taken, 1)
        one.lines += [line(1), line(2)]
        await until_taken(taken, 3)


async def test_a_restart_loses_and_doubles_nothing() -> None:
    one = container()
    engine = FakeEngine(one)
    async with followed(engine) as (live, taken):
        one.lines += [line(0), line(1)]
        await until_taken(taken, 2)
        one.lines.append(line(2))
        one.stop()
        await until(lambda: engine.ended == 1, "its stream ended")
        one.lines += [line(3), line(4)]
        one.start()
        await until_taken(taken, 5)
        assert live.reconnects >= 1


async def test_a_recreated_container_is_found_by_its_service() -> None:
    one, other = container(), container("c9", "frontend")
    engine = FakeEngine(one, other)
    async with followed(engine, ["backend"]) as (_, taken):
        one.lines.append(line(0))
        other.lines.append(line(7))
        await until_taken(taken, 1)
        one.stop()
        engine.containers = [other]
        two = container("c2")
        two.lines = [line(1, at=BEGAN + 500), line(2, at=BEGAN + 501)]
        engine.containers.append(two)
        await until_taken(taken, 3)


async def test_an_engine_that_is_away_is_told_and_forgiven() -> None:
    one = container()
    engine = FakeEngine(one)
    async with followed(engine) as (live, taken):
        one.lines.append(line(0))
        await until_taken(taken, 1)
        engine.away = True
        await until(lambda: live.trouble is not None, "it is noticed")
        one.lines.append(line(1))
        engine.away = False
        await until_taken(taken, 2)
        await until(lambda: live.trouble is None, "it is forgiven")


async def test_a_stream_that_lost_its_log_is_opened_again() -> None:
    one = container()
    one.lines.append(line(0))
    one.deaf = True
    async with followed(FakeEngine(one)) as (live, taken):
        await until_taken(taken, 1)
        one.lines += [line(1), line(2)]
        await until_taken(taken, 3)
        assert live.reconnects >= 1


async def test_a_silent_log_is_left_alone() -> None:
    one = container()
    one.lines.append(line(0))
    engine = FakeEngine(one)
    async with followed(engine) as (live, taken):
        await until_taken(taken, 1)
        await asyncio.sleep(4 * FAST.silence)
        assert (len(engine.opened), live.reconnects) == (1, 0)


async def test_lines_that_an_engine_gives_twice_at_a_rotation_are_given_once() -> None:
    one = container()
    one.repeats = True
    async with followed(FakeEngine(one)) as (_, taken):
        one.lines += [line(0), line(1), line(2)]
        await until_taken(taken, 3)


async def test_a_container_that_stays_stopped_is_not_asked_again_and_again() -> None:
    one = container()
    one.lines.append(line(0))
    one.stop()
    engine = FakeEngine(one)
    async with followed(engine) as (_, taken):
        await until_taken(taken, 1)
        await asyncio.sleep(10 * FAST.look)
        assert len(engine.opened) == 1


def test_the_same_words_at_another_time_or_on_the_other_stream_are_another_line() -> None:
    seam = Seam()
    assert all(seam.passes(each) for each in (line(1), line(1, at=BEGAN + 2), line(1, at=BEGAN + 2, stream="stderr")))
    assert not seam.passes(line(1))


def test_streams_that_overtake_each_other_lose_nothing_at_the_seam() -> None:
    seam = Seam()
    assert seam.passes(line(1, at=BEGAN + 1.002))
    assert seam.since() == BEGAN + 1.002
    assert not seam.passes(line(1, at=BEGAN + 1.002))
    assert not seam.passes(line(2, at=BEGAN + 0.5))  # from before what was asked for
    assert seam.passes(line(3, at=BEGAN + 1.003))


def test_what_is_remembered_is_bounded() -> None:
    seam = Seam()
    for number in range(3 * RECENT_AT_MOST):
        seam.passes(line(number, at=BEGAN + number / 1e6))
    assert len(seam._recent) == len(seam._known) == RECENT_AT_MOST
    since = seam.since()
    assert since is not None
    assert since > BEGAN
