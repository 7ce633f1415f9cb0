"""Uploads out of a container, on the sandbox's engine and on a real one: nothing is mounted for the bot."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from bot.errors import NotFound
from bot.ops.container_copy import ContainerCopy
from bot.ops.snapshot_verify import verify
from bot.ops.tree_values import Snapshot
from tests.grounds.ground import Ground

UPLOADS = "/app/uploads"


def copier(ground: Ground, path: str = UPLOADS) -> contextlib.closing[ContainerCopy]:
    return contextlib.closing(ContainerCopy(ground.environment["DOCKER_HOST"], ground.container_id("backend"), path))


async def test_a_snapshot_out_of_the_container_is_whole_and_the_next_costs_links(ground: Ground, tmp_path: Path) -> None:
    with copier(ground) as copy:
        first = await copy.take(tmp_path / "one")
        again = await copy.take(tmp_path / "two", Snapshot(tmp_path / "one"))
    assert first.files > 0
    assert verify(Snapshot(tmp_path / "one")).faults == verify(Snapshot(tmp_path / "two")).faults == 0
    # What the workers wrote this very moment is new, and what is two seconds old is read again; the rest is shared.
    assert again.linked > 0


async def test_a_directory_the_container_has_not_is_not_found(ground: Ground, tmp_path: Path) -> None:
    with copier(ground, "/app/no-such-directory") as copy, pytest.raises(NotFound):
        await copy.take(tmp_path / "one")
