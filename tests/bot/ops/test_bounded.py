"""The deadline, the translation and the threads that every adapter stands on."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from bot.errors import OutsideError, Rejected, TimedOut
from bot.ops.bounded import Vendor, Workers, within


class VendorError(Exception):
    """What a library throws."""


def translate(error: Exception, seconds: float) -> OutsideError:
    return Rejected("thing", f"{error} within {seconds}")


VENDOR = Vendor("thing", (VendorError,), translate)


async def test_what_takes_too_long_ends_as_timed_out_with_its_deadline() -> None:
    with pytest.raises(TimedOut) as caught:
        async with within(VENDOR, 0.1):
            await asyncio.Event().wait()
    assert caught.value.system == "thing"
    assert caught.value.values["seconds"] == 0.1


async def test_the_vendors_error_leaves_as_ours_with_the_vendors_words_for_the_log_only() -> None:
    with pytest.raises(Rejected) as caught:
        async with within(VENDOR, 1):
            raise VendorError("secret")
    assert caught.value.detail == "secret within 1"
    assert "secret" not in str(caught.value)


async def test_a_bug_of_ours_is_not_dressed_up_as_the_vendors() -> None:
    with pytest.raises(ZeroDivisionError):
        async with within(VENDOR, 1):
            _ = 1 / 0


async def test_being_cancelled_from_outside_stays_a_cancellation() -> None:
    async def work() -> None:
        async with within(VENDOR, 30):
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_hanging_thread_neither_holds_the_caller_nor_lets_calls_queue_up_behind_it() -> None:
    workers, release, begun = Workers("test", 1), threading.Event(), []

    def hang() -> None:
        release.wait(60)

    def count() -> None:
        begun.append(1)

    started = time.monotonic()
    for work in (hang, count, count):
        with pytest.raises(TimedOut):
            async with within(VENDOR, 0.1):
                await workers.run(work)
    assert time.monotonic() - started < 30
    release.set()
    assert await workers.run(lambda: "free again") == "free again"
    assert begun == []
    workers.close()
