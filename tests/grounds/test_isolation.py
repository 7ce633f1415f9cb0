"""A service cut off from its networks: nobody reaches it, its container and its state stay, and it comes back as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import NotFound
from bot.ops.bundle import Ops
from bot.security.isolation import Isolated, Isolations
from tests.grounds.ground import Ground


def answers(ground: Ground, service: str, path: str = "/") -> bool:
    try:
        return ground.get(service, path) == 200
    except OSError:
        return False


@pytest.fixture
def isolations(ops: Ops, tmp_path: Path) -> Isolations:
    return Isolations(ops, tmp_path)


async def cut(isolations: Isolations, service: str) -> bool | None:
    return await isolations.cut(Isolated(service, 1.0, "olga", 1, await isolations.look(service)))


@pytest.mark.parametrize("service", ["frontend", "backend"])
async def test_an_isolated_service_is_unreachable_its_container_intact_and_comes_back(
    ground: Ground, isolations: Isolations, service: str
) -> None:
    path = "/" if service == "frontend" else "/health"
    before = ground.container(service).attrs
    assert answers(ground, service, path)
    assert await cut(isolations, service) is False
    try:
        during = ground.container(service).attrs
        assert not answers(ground, service, path)
        assert during["NetworkSettings"]["Networks"] == {}
        assert (during["Id"], during["State"]["Pid"], during["State"]["Running"]) == (before["Id"], before["State"]["Pid"], True)
        kept = isolations.kept(service)
        assert kept is not None
    finally:
        rejoined = await isolations.rejoin(isolations.kept(service) or Isolated(service, 1.0, "", 1, ()))
    assert (rejoined.missing, rejoined.answers, rejoined.page) == ((), True, True)
    after = ground.container(service).attrs
    assert after["HostConfig"]["RestartPolicy"] == before["HostConfig"]["RestartPolicy"]
    names = {name: set(told["Aliases"] or ()) for name, told in after["NetworkSettings"]["Networks"].items()}
    assert names.keys() == before["NetworkSettings"]["Networks"].keys()
    assert all(service in aliases for aliases in names.values())
    assert answers(ground, service, path)
    ground.wait_for_page()
    assert isolations.kept(service) is None


async def test_a_process_that_dies_in_isolation_does_not_walk_out_of_it(ground: Ground, isolations: Isolations) -> None:
    await cut(isolations, "frontend")
    try:
        ground.container("frontend").kill()
        after = ground.container("frontend").attrs
        assert after["State"]["Running"] is False
        assert after["NetworkSettings"]["Networks"] == {}
    finally:
        await isolations.rejoin(isolations.kept("frontend") or Isolated("frontend", 1.0, "", 1, ()))
    assert answers(ground, "frontend")


async def test_what_was_cut_off_half_way_is_gone_on_with_and_still_knows_its_networks(ground: Ground, isolations: Isolations) -> None:
    looked = await isolations.look("frontend")
    await cut(isolations, "frontend")
    assert (await isolations.look("frontend"))[0].standing.attachments == ()
    assert await cut(isolations, "frontend") is False
    kept = isolations.kept("frontend")
    assert kept is not None
    assert kept.containers == looked
    await isolations.rejoin(kept)
    assert answers(ground, "frontend")


async def test_a_service_that_is_not_there_cannot_be_cut_off(isolations: Isolations) -> None:
    with pytest.raises(NotFound):
        await isolations.look("nginx")
