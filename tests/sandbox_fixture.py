"""A real sandbox deployment for tests: the fixture ``sandbox`` (one per session), and waiting for a condition, bounded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

from bot.errors import NotFound
from bot.sandbox.binaries import find_binaries
from bot.sandbox.deployment import Deployment, start_detached, stop
from bot.testing.waiting import PATIENCE
from tests.parts import absent

T = TypeVar("T")


def wait_until(condition: Callable[[], T], within: float = PATIENCE, every: float = 0.1) -> T:
    """The first true answer of ``condition``; a failure of the test when there is none in time."""
    end = time.monotonic() + within
    while not (answer := condition()):
        if time.monotonic() > end:
            pytest.fail(f"not within {within} s: {condition}")
        time.sleep(every)
    return answer


# Nobody asks for a picture of their own accord, or no two looks at the database would show the same.
NOBODY_ASKS = {"VCC_SANDBOX_NEW_JOB_SECONDS": "86400"}


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """All four services up and seeded, in a home of their own; gone afterwards."""
    home = tmp_path_factory.mktemp("sandbox")
    try:
        find_binaries(home / "bin")
    except NotFound as missing:
        absent(f"no sandbox here: {missing.detail}")
    # What a dead worker held is free again after three seconds instead of Bull's thirty: tests stop and restart workers.
    deployment = start_detached(home, tuning={"VCC_SANDBOX_STALLED_SECONDS": "3", **NOBODY_ASKS})
    yield deployment
    stop(home)
