"""Services by the name a person typed."""

from __future__ import annotations

from typing import cast

import pytest

from bot.errors import Conflict, Usage
from bot.ops.container_values import Service
from bot.ops.containers import Containers
from bot.ops.named import chosen, resolve

NAMES = ("backend", "frontend", "mongodb", "redis")


class FakeContainers:
    """A project with these services, and how many replicas of each."""

    def __init__(self, **replicas: int) -> None:
        self._replicas = replicas

    async def services(self) -> tuple[Service, ...]:
        return tuple(
            Service(name, f"{name}{number}", f"vcc-{name}-{number}", "i", "i", "running", "", None, 0, False, 1.0, None, 1, number, "vcc")
            for name, count in self._replicas.items()
            for number in range(1, count + 1)
        )


@pytest.mark.parametrize(("typed", "meant"), [("backend", "backend"), ("Redis", "redis"), ("MONGODB", "mongodb")])
def test_any_case_is_understood(typed: str, meant: str) -> None:
    assert resolve(NAMES, typed) == meant


@pytest.mark.parametrize(("typed", "near"), [("bakend", "backend"), ("mongo", "mongodb"), ("zzz", " · ".join(NAMES))])
def test_an_unknown_name_is_refused_with_what_is_near(typed: str, near: str) -> None:
    with pytest.raises(Usage) as refused:
        resolve(NAMES, typed)
    assert refused.value.values["near"] == near


async def test_a_service_means_all_its_replicas() -> None:
    containers = cast(Containers, FakeContainers(backend=3, redis=1))
    assert [each.container_id for each in await chosen(containers, "backend")] == ["backend1", "backend2", "backend3"]
    assert len(await chosen(containers, None)) == 4


async def test_no_service_at_all_is_a_conflict_rather_than_a_misspelling() -> None:
    with pytest.raises(Conflict):
        await chosen(cast(Containers, FakeContainers()), "backend")
