"""Loading beside the live data and swapping it in: equal to the dump exactly, and back; killed at every step."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.errors import Conflict, OutsideError
from bot.ops.dump import Dump
from bot.ops.dump_names import JOURNAL, Side
from bot.ops.dump_source import Source, open_dump
from bot.ops.dump_values import LoadResult
from bot.ops.load import Load
from bot.ops.load_journal import Phase
from bot.ops.load_swap import Swap, unfinished
from tests.bot.ops.dump_parts import Content, content, fill, names
from tests.servers import RealMongod

SIDE = Side("vcc-manager", "r1")


async def dumped(server: RealMongod, target: Path) -> Source:
    dump = Dump(server.uri)
    try:
        await dump.run(target)
    finally:
        await dump.close()
    return open_dump(target)


async def loaded(server: RealMongod, source: Source, side: Side = SIDE, **options: Any) -> LoadResult:
    load = Load(server.uri, side)
    try:
        return await load.run(source, **options)
    finally:
        await load.close()


@contextlib.asynccontextmanager
async def swapping(server: RealMongod, kind: type[Swap] = Swap) -> AsyncIterator[Swap]:
    swap = kind(server.uri, SIDE)
    try:
        yield swap
    finally:
        await swap.close()


def change(server: RealMongod) -> None:
    """Documents added, changed and removed; collections added and removed; an index, a view and a name that changed kind."""
    with server.client() as client:
        database = client[server.database]
        database["imagegenerationjobs"].delete_many({"status": "failed"})
        database["imagegenerationjobs"].insert_one({"_id": "later"})
        database["imagegenerationjobs"].drop_index("partial")
        database["users"].update_one({"_id": 1}, {"$set": {"email": "changed@example.com"}})
        database["groups"].insert_one({"_id": "newer"})
        database["prompts"].drop()
        database["failedjobs"].drop()
        database["failedjobs"].insert_one({"_id": "a collection now"})
        database["empty"].drop()
        database.command("create", "empty", viewOn="users", pipeline=[])


def without_expiry(whole: Content) -> Content:
    """Before ``arm`` the expiry is far away on purpose."""
    indexes = {
        key: [{**index, "expireAfterSeconds": 0} if "expireAfterSeconds" in index else index for index in value[1]]
        for key, value in whole.items()
    }
    return {key: (value[0], indexes[key], value[2]) for key, value in whole.items()}


async def test_what_is_swapped_in_equals_the_dump_exactly_and_goes_back_exactly(real_mongod: RealMongod, tmp_path: Path) -> None:
    fill(real_mongod)
    as_dumped = content(real_mongod)
    source = await dumped(real_mongod, tmp_path)
    change(real_mongod)
    changed = content(real_mongod)
    result = await loaded(real_mongod, source)
    assert content(real_mongod) == changed, "loading touches nothing"
    async with swapping(real_mongod) as swap:
        await swap.begin(result)
        assert without_expiry(content(real_mongod)) == without_expiry(as_dumped)
        await swap.put_back()
        assert (content(real_mongod), await swap.state()) == (changed, None)
        await swap.begin(result)
        await swap.arm()
        assert content(real_mongod) == as_dumped
        assert "vccbot.old.r1.groups" in names(real_mongod)
        await swap.settle()
        assert (content(real_mongod), await swap.state()) == (as_dumped, None)
    assert [name for name in names(real_mongod) if name.startswith("vccbot")] == []
    found = await unfinished(real_mongod.uri, real_mongod.database)
    assert (found.swaps, found.loads, found.scratch) == ((), (), ())


class Killed(Exception):
    """Where a process would have ended."""


class KilledSwap(Swap):
    """Ends before its n-th effect on the server."""

    left = 10**6

    def _count(self) -> None:
        if KilledSwap.left == 0:
            raise Killed
        KilledSwap.left -= 1

    async def _rename(self, name: str, to: str) -> None:
        self._count()
        await super()._rename(name, to)

    async def _command(self, command: dict[str, object]) -> None:
        self._count()
        await super()._command(command)

    async def _enter(self, phase: Phase) -> None:
        self._count()
        await super()._enter(phase)


async def killed(server: RealMongod, steps: int, action: str, *arguments: object) -> bool:
    """Run one action until it is killed before its n-th step; False when it came to its end."""
    KilledSwap.left = steps
    async with swapping(server, KilledSwap) as swap:
        try:
            await getattr(swap, action)(*arguments)
        except Killed:
            return True
    return False


def fill_small(server: RealMongod) -> None:
    with server.client() as client:
        database = client[server.database]
        for name in ("jobs", "users"):
            database[name].insert_one({"_id": name})
        database.command("create", "view", viewOn="users", pipeline=[])


def change_small(server: RealMongod) -> None:
    with server.client() as client:
        database = client[server.database]
        database["jobs"].drop()
        database["users"].insert_one({"_id": "later"})
        database["groups"].insert_one({"_id": "groups"})
        database["view"].drop()
        database.command("create", "other", viewOn="users", pipeline=[])


async def small(server: RealMongod, target: Path) -> tuple[Content, Content, LoadResult]:
    fill_small(server)
    as_dumped = content(server)
    source = await dumped(server, target)
    change_small(server)
    return as_dumped, content(server), await loaded(server, source)


async def test_killed_before_any_step_of_the_swap_it_goes_on_or_back(real_mongod: RealMongod, tmp_path: Path) -> None:
    as_dumped, changed, result = await small(real_mongod, tmp_path)
    steps = 0
    while await killed(real_mongod, steps, "begin", result):
        async with swapping(real_mongod) as swap:
            state = await swap.state()
            assert state is not None
            assert state.phase == "swapping"
            with pytest.raises(Conflict, match="unfinished"):
                await dumped(real_mongod, tmp_path)
            await swap.put_back()
            assert content(real_mongod) == changed, f"back after {steps}"
        assert await killed(real_mongod, steps, "begin", result)
        async with swapping(real_mongod) as swap:
            await swap.finish()
            assert content(real_mongod) == as_dumped, f"on after {steps}"
            await swap.put_back()
            assert content(real_mongod) == changed
        steps += 1
    assert steps == 7


async def test_killed_before_any_step_of_the_way_back_or_of_settling_it_goes_on(real_mongod: RealMongod, tmp_path: Path) -> None:
    as_dumped, changed, result = await small(real_mongod, tmp_path)
    # Killed before its first step it was never begun.
    steps, more = 1, True
    while more:
        async with swapping(real_mongod) as swap:
            await swap.begin(result)
            more = await killed(real_mongod, steps, "put_back")
            await swap.finish()
            assert (content(real_mongod), await swap.state()) == (changed, None), f"after {steps}"
        steps += 1
    async with swapping(real_mongod) as swap:
        await swap.begin(result)
        settled = 0
        while await killed(real_mongod, settled, "settle"):
            assert content(real_mongod) == as_dumped
            settled += 1
        assert (content(real_mongod), await swap.state()) == (as_dumped, None)
    assert (steps, settled) == (8, 3)
    assert [name for name in names(real_mongod) if name.startswith("vccbot")] == []


async def test_an_empty_collection_that_somebody_makes_meanwhile_goes_and_one_with_documents_is_told(
    real_mongod: RealMongod, tmp_path: Path
) -> None:
    as_dumped, _, result = await small(real_mongod, tmp_path)
    # Dropped view, journal's groups moved, and then the application looks for its groups.
    assert await killed(real_mongod, 2, "begin", result)
    with real_mongod.client() as client:
        client[real_mongod.database]["groups"].create_index("name")
        client[real_mongod.database]["users"].update_many({}, {"$set": {"x": 1}})
    async with swapping(real_mongod) as swap:
        await swap.finish()
        assert content(real_mongod) == as_dumped
        await swap.put_back()
    assert await killed(real_mongod, 2, "begin", result)
    with real_mongod.client() as client:
        client[real_mongod.database]["groups"].insert_one({"_id": "stranger"})
    async with swapping(real_mongod) as swap:
        with pytest.raises(Conflict) as caught:
            await swap.finish()
        assert (caught.value.key, caught.value.values["name"]) == ("load.in_the_way", "groups")
        with real_mongod.client() as client:
            client[real_mongod.database]["groups"].delete_many({})
        await swap.finish()
        assert content(real_mongod) == as_dumped


async def test_one_collection_only_leaves_all_others_as_they_are(real_mongod: RealMongod, tmp_path: Path) -> None:
    fill_small(real_mongod)
    as_dumped = content(real_mongod)
    source = await dumped(real_mongod, tmp_path)
    change_small(real_mongod)
    changed = content(real_mongod)
    result = await loaded(real_mongod, source, only={"users"})
    async with swapping(real_mongod) as swap:
        await swap.begin(result, others_too=False)
        assert content(real_mongod) == {**changed, "users": as_dumped["users"]}
        await swap.settle()


async def test_what_is_not_finished_is_found_and_not_dropped(real_mongod: RealMongod, tmp_path: Path) -> None:
    _, _, result = await small(real_mongod, tmp_path)
    found = await unfinished(real_mongod.uri, real_mongod.database)
    assert (found.swaps, found.loads) == ((), ("r1",))
    async with swapping(real_mongod) as swap:
        await swap.begin(result)
        found = await unfinished(real_mongod.uri, real_mongod.database)
        assert (found.swaps, found.loads) == (("r1",), ())
        load = Load(real_mongod.uri, SIDE)
        for action in (load.drop(), swap.begin(result)):
            with pytest.raises(Conflict):
                await action
        await swap.put_back()
        await load.drop()
        await load.close()
    assert [name for name in names(real_mongod) if name.startswith("vccbot")] == []


async def test_nothing_is_begun_when_not_all_is_loaded_or_the_live_data_cannot_move(real_mongod: RealMongod, tmp_path: Path) -> None:
    _, changed, result = await small(real_mongod, tmp_path)
    with real_mongod.client() as client:
        database = client[real_mongod.database]
        database.create_collection("weather", timeseries={"timeField": "t"})
        async with swapping(real_mongod) as swap:
            with pytest.raises(OutsideError, match="timeseries"):
                await swap.begin(result)
            database["weather"].drop()
            database[SIDE.incoming("jobs")].drop()
            with pytest.raises(Conflict, match="not_loaded"):
                await swap.begin(result)
            with pytest.raises(Conflict, match="too_late"):
                await swap.put_back()
    assert (content(real_mongod), JOURNAL in names(real_mongod)) == (changed, False)


async def test_what_the_server_lets_nobody_rename_stays_as_it_is(real_mongod: RealMongod, tmp_path: Path) -> None:
    with real_mongod.client() as client:
        functions = client[real_mongod.database]["system.js"]
        functions.insert_one({"_id": "f", "value": 1})
        client[real_mongod.database]["users"].insert_one({"_id": 1})
        result = await loaded(real_mongod, await dumped(real_mongod, tmp_path))
        functions.update_one({"_id": "f"}, {"$set": {"value": 2}})
        async with swapping(real_mongod) as swap:
            await swap.begin(result)
            await swap.settle()
        assert functions.find_one() == {"_id": "f", "value": 2}
        assert [each.name for each in result.collections] == ["users"]
