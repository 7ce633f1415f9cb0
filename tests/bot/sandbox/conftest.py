"""A sandbox that works its queue briskly for those who wait for jobs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.sandbox.deployment import Deployment, start_detached, stop


@pytest.fixture(scope="session")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """Jobs take less than half a second here, and a stalled one is found after one."""
    home = tmp_path_factory.mktemp("quick")
    yield start_detached(home, tuning={"VCC_SANDBOX_JOB_SECONDS": "0.4", "VCC_SANDBOX_STALLED_SECONDS": "1"})
    stop(home)
