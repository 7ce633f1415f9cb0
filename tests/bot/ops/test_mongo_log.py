"""The slow operations in mongod's log are found through its container; without one there is nothing to find."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from bot.ops.containers import Containers
from bot.ops.logs import Logs
from bot.ops.mongo_log import logged
from tests.bot.ops.fake_engine import FakeEngine, container, frame
from tests.bot.ops.test_mongo_slow import AT, log_line

STAMP = b"2026-01-22T10:00:00.250000000Z "


@pytest.fixture
def logs(containers: Containers) -> Iterator[Logs]:
    """Without files: everything comes from the engine."""
    with contextlib.closing(Logs(containers, None)) as logs:
        yield logs


def lines(*texts: str) -> list[bytes]:
    return [frame(1, STAMP + text.encode() + b"\n") for text in texts]


async def test_only_the_slow_operations_of_the_database_are_taken(engine: FakeEngine, containers: Containers, logs: Logs) -> None:
    engine.add(container("backend"))
    engine.add(container("mongodb"))
    engine.logs = lines(
        "plain text", '{"id":22943,"msg":"Connection accepted"}', log_line(), log_line(ns="other.x"), log_line(appName="vcc-ops-bot")
    )
    found = await logged(containers, logs, "vcc-manager", AT - 60, 10)
    assert found is not None
    assert (found.service, found.partial, [each.milliseconds for each in found.operations]) == ("mongodb", False, [97])


async def test_the_container_is_known_by_its_image_when_the_service_is_called_otherwise(
    engine: FakeEngine, containers: Containers, logs: Logs
) -> None:
    other = container("database")
    other["Config"]["Image"] = "registry.example:5000/mongo:7.0@sha256:abc"
    engine.add(other)
    engine.logs = lines(log_line())
    found = await logged(containers, logs, "vcc-manager", AT - 60, 10)
    assert found is not None
    assert (found.service, len(found.operations)) == ("database", 1)


async def test_a_deployment_without_mongod_in_a_container_has_no_such_log(engine: FakeEngine, containers: Containers, logs: Logs) -> None:
    engine.add(container("backend"))
    assert await logged(containers, logs, "vcc-manager", AT - 60, 10) is None
