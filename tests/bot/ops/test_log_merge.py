"""Several logs as one: in the order of time, each in its own order, whatever breaks, in the memory of a line each."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing

from hypothesis import given
from hypothesis import strategies as st

from bot.errors import Unreachable
from bot.ops.container_logs import Limit, LogStream
from bot.ops.container_values import LogLine
from bot.ops.log_merge import MergedLogs


class Log:
    """A log in memory, that may break off; knows how far it was read and whether it was closed."""

    def __init__(self, name: str, times: Sequence[float], *, breaks: bool = False) -> None:
        self.name = name
        self.times = times
        self.breaks = breaks
        self.read = 0
        self.closed = False

    async def opened(self) -> LogStream:
        """As the adapters give it."""
        return LogStream(self._lines(), Limit(0))

    async def _lines(self) -> AsyncGenerator[LogLine, None]:
        try:
            for number, at in enumerate(self.times):
                self.read += 1
                yield LogLine(self.name, self.name, "stdout", at, str(number))
            if self.breaks:
                raise Unreachable("docker")
        finally:
            self.closed = True


def merged(*logs: Log) -> MergedLogs:
    """All of them."""
    sources: dict[str, Callable[[], Awaitable[LogStream]]] = {log.name: log.opened for log in logs}
    return MergedLogs(sources)


async def told(logs: MergedLogs, most: int = 1_000_000) -> list[tuple[str, float]]:
    """The first lines of what they give."""
    lines: list[tuple[str, float]] = []
    async with aclosing(logs.lines()) as given_lines:
        async for line in given_lines:
            lines.append((line.service, line.at))
            if len(lines) == most:
                break
    return lines


async def test_lines_come_in_the_order_of_time() -> None:
    assert await told(merged(Log("a", [1, 4, 5]), Log("b", [2, 3, 6]))) == [("a", 1), ("b", 2), ("b", 3), ("a", 4), ("a", 5), ("b", 6)]


async def test_the_lines_of_one_log_keep_their_order() -> None:
    assert [at for name, at in await told(merged(Log("a", [1, 5, 4, 6]), Log("b", [2, 7]))) if name == "a"] == [1, 5, 4, 6]


async def test_a_log_that_breaks_off_takes_no_other_with_it() -> None:
    logs = merged(Log("a", [1, 2], breaks=True), Log("b", [3]))
    assert await told(logs) == [("a", 1), ("a", 2), ("b", 3)]
    assert set(logs.failed) == {"a"}


async def test_a_log_that_cannot_be_opened_is_told() -> None:
    async def closed() -> LogStream:
        raise Unreachable("docker")

    logs = MergedLogs({"a": closed, "b": Log("b", [1]).opened})
    assert await told(logs) == [("b", 1)]
    assert set(logs.failed) == {"a"}


async def test_no_more_is_read_than_is_taken_and_everything_is_closed() -> None:
    one, two = Log("a", range(0, 10_000, 2)), Log("b", range(1, 10_000, 2))
    assert len(await told(merged(one, two), most=10)) == 10
    assert one.read + two.read <= 12
    assert (one.closed, two.closed) == (True, True)


@given(st.lists(st.lists(st.integers(0, 50)), max_size=5))
async def test_every_line_comes_once_and_sorted_logs_stay_sorted(times: list[list[int]]) -> None:
    logs = [Log(str(number), sorted(each)) for number, each in enumerate(times)]
    lines = await told(merged(*logs))
    assert [at for _, at in lines] == sorted(at for each in times for at in each)
