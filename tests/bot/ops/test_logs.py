"""One log, read from its files and through the API: the same lines and the same errors, again and on through rotations."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.ops.container_logs import LogWindow
from bot.ops.container_values import LogLine, Service
from bot.ops.containers import Containers
from bot.ops.error_log import ErrorGrouper
from bot.ops.log_match import Matcher
from bot.ops.log_position import LogPosition
from bot.ops.logs import Logs
from tests.bot.ops.fake_engine import FakeEngine
from tests.bot.ops.log_deployment import IDENTITY, Deployment
from tests.bot.ops.log_samples import BEGIN, Said
from tests.bot.ops.test_log_errors import a_log, told
from tests.bot.ops.test_log_files import rotate


@pytest.fixture
def deployment(engine: FakeEngine, tmp_path: Path) -> Deployment:
    return Deployment(engine, tmp_path)


@pytest.fixture
async def by_file(deployment: Deployment, containers: Containers, tmp_path: Path) -> AsyncIterator[Logs]:
    logs = Logs(containers, tmp_path)
    yield logs
    logs.close()


@pytest.fixture
async def by_api(deployment: Deployment, containers: Containers) -> AsyncIterator[Logs]:
    logs = Logs(containers, None)
    yield logs
    logs.close()


@pytest.fixture
async def backend(deployment: Deployment, containers: Containers) -> Service:
    return await containers.service("backend")


async def read(logs: Logs, service: Service, window: LogWindow | None = None) -> list[LogLine]:
    return [line async for line in await logs.read(service, window or LogWindow())]


async def counted(logs: Logs, service: Service, after: LogPosition | None = None, **window: Any) -> tuple[int, LogPosition]:
    """How many errors there are after a position, which goes through a store on the way."""
    grouper = ErrorGrouper()
    kept_position = None if after is None else LogPosition.from_json(json.loads(json.dumps(after.to_json())))
    reached = await logs.errors(service, grouper, after=kept_position, **window)
    return sum(group.count for group in grouper.groups()), reached


@pytest.mark.parametrize(
    "window",
    [LogWindow(), LogWindow(since=BEGIN + 0.02), LogWindow(until=BEGIN + 0.05), LogWindow(since=BEGIN + 0.02, until=BEGIN + 0.05),
     LogWindow(tail=30),
     LogWindow(since=BEGIN + 0.1, tail=60), LogWindow(since=BEGIN + 9), LogWindow(since=BEGIN + 1, until=BEGIN)],
)  # fmt: skip
async def test_the_lines_are_the_same_either_way(
    deployment: Deployment, by_file: Logs, by_api: Logs, backend: Service, window: LogWindow
) -> None:
    deployment.say(*a_log(5))
    assert (await by_file.source(backend), await by_api.source(backend)) == ("file", "api")
    assert await read(by_file, backend, window) == await read(by_api, backend, window)


@pytest.mark.parametrize("seed", range(3))
async def test_the_errors_are_the_same_either_way(deployment: Deployment, by_file: Logs, by_api: Logs, backend: Service, seed: int) -> None:
    deployment.say(*a_log(seed))
    for logs in (by_file, by_api):
        grouper = ErrorGrouper()
        await logs.errors(backend, grouper)
        assert {group.fingerprint: group.count for group in grouper.groups(known=True)} == {
            group.fingerprint: group.count for group in told(deployment.said)
        }


async def test_asking_again_gives_only_what_is_new_from_whichever_source(
    deployment: Deployment, by_file: Logs, by_api: Logs, backend: Service
) -> None:
    for first in (by_file, by_api):
        for second in (by_file, by_api):
            moment = len(deployment.said) * 1_000
            deployment.say(Said("Error: one\n", "stderr", moment), Said("usual\n", "stdout", moment + 1))
            position = (await counted(first, backend))[1]
            assert (await counted(second, backend, position))[0] == 0
            deployment.say(Said("Error: two\n", "stderr", moment + 2), Said("Error: three\n", "stderr", moment + 3))
            new, again = await counted(second, backend, position)
            assert (new, again.gap) == (2, False)
            assert (await counted(first, backend, again))[0] == 0


async def test_a_position_outlives_rotation_and_packing(deployment: Deployment, by_file: Logs, backend: Service) -> None:
    deployment.say(Said("Error: one\n"))
    position = (await counted(by_file, backend))[1]
    deployment.say(Said("Error: two\n", after=1))
    rotate(deployment.path)
    deployment.say(Said("Error: three\n", after=2))
    assert await counted_new(by_file, backend, position) == (2, False)
    first = deployment.path.with_name(deployment.path.name + ".1")
    first.with_name(first.name + ".gz").write_bytes(gzip.compress(first.read_bytes()))
    first.unlink()
    assert await counted_new(by_file, backend, position) == (2, False)


async def counted_new(logs: Logs, service: Service, position: LogPosition) -> tuple[int, bool]:
    count, reached = await counted(logs, service, position)
    return count, reached.gap


async def test_what_was_rotated_away_or_cut_off_is_told_as_a_gap(deployment: Deployment, by_file: Logs, backend: Service) -> None:
    deployment.say(Said("Error: one\n"))
    position = (await counted(by_file, backend))[1]
    for number in range(4):
        rotate(deployment.path)
        deployment.say(Said(f"Error: {number}\n", after=number + 1))
    assert await counted_new(by_file, backend, position) == (3, True)
    position = (await counted(by_file, backend))[1]
    os.truncate(deployment.path, 0)
    assert (await counted(by_file, backend, position))[1].gap


async def test_the_api_says_when_what_was_read_is_gone(deployment: Deployment, by_api: Logs, backend: Service) -> None:
    deployment.say(*(Said(f"Error: {number}\n", after=number) for number in range(10)))
    position = (await counted(by_api, backend))[1]
    del deployment.said[:5]
    deployment.say(Said("Error: new\n", after=20))
    assert await counted_new(by_api, backend, position) == (1, False)
    deployment.said[:] = [Said("Error: newest\n", after=30)]
    assert await counted_new(by_api, backend, position) == (1, True)


async def test_another_container_is_read_from_its_beginning(deployment: Deployment, by_file: Logs, backend: Service) -> None:
    deployment.say(Said("Error: one\n"))
    assert await counted_new(by_file, backend, LogPosition("another", "file", offset=5)) == (1, True)


async def test_an_empty_log_has_a_position_too(deployment: Deployment, by_file: Logs, by_api: Logs, backend: Service) -> None:
    for logs in (by_file, by_api):
        position = (await counted(logs, backend))[1]
        deployment.say(Said("Error: one\n", after=len(deployment.said)))
        assert await counted_new(logs, backend, position) == (len(deployment.said), False)
        deployment.said.clear()
        os.truncate(deployment.path, 0)


async def test_a_trace_that_comes_later_belongs_to_its_error(deployment: Deployment, by_file: Logs, by_api: Logs, backend: Service) -> None:
    for logs in (by_file, by_api):
        deployment.say(Said("Error: one\n", "stderr", len(deployment.said)))
        grouper = ErrorGrouper()
        position = await logs.errors(backend, grouper)
        deployment.say(Said("    at here\n", "stderr", len(deployment.said)))
        await logs.errors(backend, grouper, after=position)
        assert [group.trace for group in grouper.groups()] == [("    at here",)]


@pytest.mark.parametrize("driver", ["local", "journald", ""])
async def test_another_driver_is_read_through_the_api(
    deployment: Deployment, by_file: Logs, containers: Containers, engine: FakeEngine, driver: str
) -> None:
    engine.containers[IDENTITY]["HostConfig"]["LogConfig"]["Type"] = driver
    deployment.say(Said("Error: one\n"))
    service = await containers.service("backend")
    assert await by_file.source(service) == "api"
    assert (await counted(by_file, service))[0] == 1


async def test_a_file_that_is_gone_or_unreadable_is_read_through_the_api_until_it_is_back(
    deployment: Deployment, by_file: Logs, backend: Service
) -> None:
    deployment.say(Said("Error: one\n"))
    aside = deployment.path.rename(deployment.path.parent / "aside")
    assert (await by_file.source(backend), (await counted(by_file, backend))[0]) == ("api", 1)
    aside.rename(deployment.path)
    assert (await by_file.source(backend), (await counted(by_file, backend))[0]) == ("file", 1)


async def test_a_terminal_has_no_frames_to_jump_between_and_yet_its_errors(
    deployment: Deployment, by_api: Logs, containers: Containers, engine: FakeEngine
) -> None:
    engine.containers[IDENTITY]["Config"]["Tty"] = True
    service = await containers.service("backend")

    def bare(request: web.Request) -> None:
        deployment.sent(request)
        engine.logs = [each[8:] for each in engine.logs]

    engine.failure = bare
    deployment.say(Said("Error: one\r\n", after=1_000_000))
    count, position = await counted(by_api, service)
    deployment.say(Said("Error: two\r\n", after=2_000_000))
    assert (count, (await counted(by_api, service, position))[0]) == (1, 1)


async def test_a_reading_that_is_left_early_lets_everything_go(deployment: Deployment, by_file: Logs, backend: Service) -> None:
    deployment.say(*(Said("usual\n", after=number) for number in range(20_000)))
    open_before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    stream = await by_file.read(backend, LogWindow(max_bytes=1_000))
    assert (await anext(stream)).text == "usual"
    await stream.aclose()
    clipped = await by_file.read(backend, LogWindow(max_bytes=1_000))
    assert 0 < len([line async for line in clipped]) < 20_000
    assert clipped.clipped
    assert len(os.listdir("/proc/self/fd")) <= open_before + 1  # noqa: PTH208


async def test_a_search_for_errors_that_is_cancelled_ends_its_thread(deployment: Deployment, by_file: Logs, backend: Service) -> None:
    deployment.say(*(Said("Error: x\n", after=number) for number in range(30_000)))
    searching = asyncio.create_task(by_file.errors(backend, ErrorGrouper()))
    await asyncio.wait([searching], timeout=0.05)
    searching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await searching
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("logs-ahead")] == []


async def test_a_search_finds_words_in_any_case_and_patterns_and_stops_when_it_costs_too_much(
    deployment: Deployment, by_file: Logs, by_api: Logs, backend: Service
) -> None:
    deployment.say(*(Said(f"Job {number} said <Hello>\n", after=number) for number in range(500)), Said("JOB [7]\n", after=999))
    deployment.say(*(Said("a job like any other\n", after=number) for number in range(1_000, 6_500)))
    for logs in (by_file, by_api):
        assert len(await found(logs, backend, Matcher("job 7"))) == 12 - 1
        assert await found(logs, backend, Matcher("job [7]")) == ["JOB [7]"]
        assert await found(logs, backend, Matcher("Job [7]", exact_case=True)) == []
        assert await found(logs, backend, Matcher(r"^job 49\d said <h", pattern=True)) == [f"Job 49{n} said <Hello>" for n in range(10)]
        stream = await logs.search(backend, LogWindow(), Matcher("job", max_bytes=100))
        assert 0 < len([line async for line in stream]) < 6_000
        assert stream.clipped


async def found(logs: Logs, service: Service, matcher: Matcher) -> list[str]:
    stream = await logs.search(service, LogWindow(), matcher)
    lines = [line.text async for line in stream]
    assert not stream.clipped
    return lines


@pytest.mark.parametrize(("new", "tails"), [(10, ["4096"]), (3_000, ["4096", "8192"]), (9_000, ["4096", "8192", "all"])])
async def test_asking_the_engine_again_costs_it_about_what_is_new(
    deployment: Deployment,
    by_api: Logs,
    backend: Service,
    engine: FakeEngine,
    new: int,
    tails: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.ops.logs.TAILS", (4_096, 8_192))
    deployment.say(*(Said("usual\n", after=number) for number in range(2_000)))
    position = (await counted(by_api, backend))[1]
    engine.queries.clear()
    deployment.say(*(Said("usual\n", after=number) for number in range(2_000, 2_000 + new)), Said("Error: x\n", after=90_000))
    assert await counted_new(by_api, backend, position) == (1, False)
    assert [query["tail"] for query in engine.queries if "tail" in query] == tails


async def test_words_are_found_in_a_line_that_was_stored_in_pieces(deployment: Deployment, by_file: Logs, backend: Service) -> None:
    deployment.say(Said("usual\n"), Said("x" * 16_380 + "need", after=1), Said("le here\n", after=2), Said("need", "stderr", 3))
    deployment.say(*(Said("usual\n", after=number) for number in range(4, 9_000)), Said("le there\n", "stderr", 9_000))
    assert [line[-12:] for line in await found(by_file, backend, Matcher("NEEDLE"))] == ["xxneedle here"[-12:], "needle there"]


async def test_files_that_begin_with_the_same_long_text_are_told_apart(deployment: Deployment, by_file: Logs, backend: Service) -> None:
    for number in range(3):
        rotate(deployment.path)
        deployment.say(Said("x" * 16_384, after=number * 10), Said("\n", after=number * 10 + 1), Said("Error: y\n", after=number * 10 + 2))
    position = (await counted(by_file, backend))[1]
    assert await counted_new(by_file, backend, position) == (0, False)
    rotate(deployment.path)
    deployment.say(Said("x" * 16_384, after=90), Said("\n", after=91), Said("Error: z\n", after=92))
    assert await counted_new(by_file, backend, position) == (1, False)
