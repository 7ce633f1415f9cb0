"""What dies is started again, and takes nothing with it."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from bot.supervisor import supervise
from bot.testing.waiting import until


class Part:
    """Dies or ends some times, then runs."""

    def __init__(self, *ends: Exception | None) -> None:
        self.ends = list(ends)
        self.starts = 0

    async def run(self) -> None:
        """Once."""
        self.starts += 1
        if not self.ends:
            await asyncio.Event().wait()
        end = self.ends.pop(0)
        if end is not None:
            raise end


@pytest.mark.parametrize("ends", [(RuntimeError("one"), OSError("two")), (None, None)])
async def test_what_dies_or_ends_is_started_again(ends: tuple[Exception | None, ...]) -> None:
    part = Part(*ends)
    task = asyncio.create_task(supervise("part", part.run, first=0.001))
    await until(lambda: part.starts == 3, "it runs for the third time")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_one_parts_death_touches_no_other(caplog: pytest.LogCaptureFixture) -> None:
    weak, strong = Part(RuntimeError("boom")), Part()
    tasks = [asyncio.create_task(supervise(name, part.run, first=0.001)) for name, part in (("weak", weak), ("strong", strong))]
    await until(lambda: weak.starts == 2, "the weak one is back")
    assert strong.starts == 1
    assert any("weak died" in record.getMessage() and record.exc_info for record in caplog.records)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_part_that_loses_its_cancellation_is_cancelled_again() -> None:
    begun, lost = asyncio.Event(), asyncio.Event()

    async def run() -> None:
        begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        lost.set()  # as a library does whose answer came in the same moment
        await asyncio.Event().wait()

    task = asyncio.create_task(supervise("part", run, insist=0.01))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 60)
    assert lost.is_set()
