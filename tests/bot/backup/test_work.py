"""Work that is ended has ended: no thread goes on behind the back of whoever cleans up."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from bot.backup.work import EndedBy, Hooks, Threads, endable, to_the_end


async def test_a_cancelled_call_is_told_to_end_and_has_ended_before_the_cancellation_goes_on() -> None:
    threads, begun, seen = Threads(), threading.Event(), list[str]()

    def work() -> None:
        begun.set()
        while not threads.stopping():
            time.sleep(0.001)
        seen.append("ended")

    task = asyncio.create_task(threads.run(work))
    await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["ended"]
    threads.close()


async def test_what_must_be_done_is_done_though_the_caller_is_cancelled_twice() -> None:
    go_on, seen = asyncio.Event(), list[str]()

    async def clean_up() -> None:
        await go_on.wait()
        seen.append("cleaned")

    task = asyncio.create_task(to_the_end(clean_up()))
    for _ in range(2):
        await asyncio.sleep(0)
        task.cancel()
    await asyncio.sleep(0)
    assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["cleaned"]


async def ada() -> str:
    return "ada"


async def test_whoever_wants_it_to_end_is_named() -> None:
    with pytest.raises(EndedBy) as ended:
        await asyncio.wait_for(endable(asyncio.Event().wait(), Hooks(asked_to_end=ada), lambda: True), 60)
    assert ended.value.person == "ada"


async def test_past_the_point_of_no_return_it_goes_on() -> None:
    asked = asyncio.Event()

    async def ben() -> str:
        asked.set()
        return "ben"

    may_end = True

    async def work() -> str:
        nonlocal may_end
        may_end = False
        await asyncio.sleep(0.9)  # longer than the wish is looked for
        return "made"

    assert await endable(work(), Hooks(asked_to_end=ben), lambda: may_end) == "made"
    assert not asked.is_set()


async def test_what_the_work_fails_of_is_raised_as_it_is() -> None:
    async def work() -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await endable(work(), Hooks(asked_to_end=ada), lambda: True)
