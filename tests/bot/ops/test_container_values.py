"""The few figures that the Docker adapter's values reckon themselves."""

from __future__ import annotations

import pytest

from bot.ops.container_parse import service_from
from bot.ops.container_values import DockerDisk, Usage, VolumeUse
from tests.bot.ops.fake_engine import container


@pytest.mark.parametrize(("limit", "percent"), [(0, 0.0), (400, 25.0)])
def test_the_share_of_memory_needs_a_limit(limit: int, percent: float) -> None:
    assert Usage("a", "i", "n", 1, 0, 100, limit, 0, 0, 0, 0, 0).memory_percent == percent


@pytest.mark.parametrize("running", [True, False])
def test_running_is_dockers_word(running: bool) -> None:
    assert service_from(container("a", running=running)).running is running


def test_volumes_of_unknown_size_do_not_count() -> None:
    disk = DockerDisk(0, 0, 0, 0, 0, 0, (VolumeUse("a", 3, 1), VolumeUse("b", None, 0)), 0, 0)
    assert disk.volumes_bytes == 3
