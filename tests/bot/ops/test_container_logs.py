"""A container's log, read through the engine's socket, is its lines with their times: no more, no less, in bounded memory."""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

import pytest
from aiohttp import web

from bot.errors import NotFound, Rejected, TimedOut, Unreachable
from bot.ops.container_logs import LogWindow, StampReader
from bot.ops.containers import Containers
from tests.bot.ops.fake_engine import FakeEngine, container, frame

BACKEND = "vcc-backend-1-id"
AT = 1769076000.0
STAMP = b"2026-01-22T10:00:00.250000000Z "


async def read(containers: Containers, window: LogWindow | None = None) -> list[tuple[str, float, str]]:
    stream = await containers.logs(BACKEND, window or LogWindow())
    return [(line.stream, line.at, line.text) async for line in stream]


async def test_lines_come_with_stream_time_and_text_however_the_bytes_are_cut(engine: FakeEngine, containers: Containers) -> None:
    engine.add(container("backend"))
    data = frame(1, STAMP + "작업 1 완료\n".encode()) + frame(2, STAMP + b"boom\n")
    engine.logs = [data[at : at + 3] for at in range(0, len(data), 3)]
    assert await read(containers) == [("stdout", AT + 0.25, "작업 1 완료"), ("stderr", AT + 0.25, "boom")]


async def test_bytes_that_are_no_text_are_shown_as_such_and_lose_nothing_else(engine: FakeEngine, containers: Containers) -> None:
    engine.add(container("backend"))
    engine.logs = [frame(1, STAMP + b"a\xff\xfeb\n")]
    assert [text for _, _, text in await read(containers)] == ["a\ufffd\ufffdb"]


async def test_a_container_with_a_terminal_sends_no_frames(engine: FakeEngine, containers: Containers) -> None:
    engine.add(container("backend", terminal=True))
    engine.logs = [STAMP + b"one\r\n", STAMP + b"two\r\n"]
    assert [text for _, _, text in await read(containers)] == ["one", "two"]


async def test_a_line_of_megabytes_is_cut_and_marked(engine: FakeEngine, containers: Containers) -> None:
    engine.add(container("backend"))
    engine.logs = [frame(1, STAMP + b"x" * 16384)] + [frame(1, STAMP + b"x" * 16384)] * 99 + [frame(1, STAMP + b"\n")]
    stream = await containers.logs(BACKEND, LogWindow())
    lines = [line async for line in stream]
    assert [(len(line.text) <= 65536, line.truncated) for line in lines] == [(True, True)]
    assert "2026" not in lines[0].text


async def test_the_window_is_asked_of_the_engine(engine: FakeEngine, containers: Containers) -> None:
    engine.add(container("backend"))
    await read(containers, LogWindow(since=AT + 0.5, until=AT + 9, tail=20))
    query = next(query for query in engine.queries if "timestamps" in query)
    assert query == {
        **{"stdout": "1", "stderr": "1", "timestamps": "1", "follow": "0", "tail": "20"},
        **{"since": "1769076000.500000000", "until": "1769076009.000000000"},
    }


async def test_reading_ends_at_the_limit_and_says_so(engine: FakeEngine, containers: Containers) -> None:
    engine.add(container("backend"))
    engine.logs = [frame(1, STAMP + b"y" * 1000 + b"\n")] * 2000
    stream = await containers.logs(BACKEND, LogWindow(max_bytes=300_000))
    count = len([line async for line in stream])
    assert stream.clipped
    assert 100 < count < 2000


async def test_a_followed_log_gives_each_line_as_it_comes_and_can_be_left(engine: FakeEngine, containers: Containers) -> None:
    engine.add(container("backend"))
    engine.logs, engine.log_gap = [frame(1, STAMP + b"one\n"), frame(1, STAMP + b"two\n")] * 500, 0.01
    stream = await containers.logs(BACKEND, LogWindow(follow=True))
    assert [(await asyncio.wait_for(anext(stream), 60)).text for _ in range(2)] == ["one", "two"]
    await stream.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_a_log_that_falls_silent_times_out(engine: FakeEngine, containers: Containers) -> None:
    engine.add(container("backend"))
    engine.logs, engine.log_gap = [frame(1, STAMP + b"one\n")] * 2, 30
    with pytest.raises(TimedOut):
        await read(containers, LogWindow(idle=0.2))


async def test_what_is_no_log_is_rejected(engine: FakeEngine, containers: Containers) -> None:
    engine.add(container("backend"))
    engine.logs = [b"<html>a proxy was here</html>"]
    with pytest.raises(Rejected):
        await read(containers)


async def test_a_log_driver_that_cannot_be_read_is_rejected_with_the_engines_words_for_the_log(
    engine: FakeEngine, containers: Containers
) -> None:
    engine.add(container("backend"))
    body = {"message": "configured logging driver does not support reading"}
    engine.failure = lambda request: web.json_response(body, status=501) if request.path.endswith("/logs") else None
    with pytest.raises(Rejected) as caught:
        await read(containers)
    assert "does not support reading" in caught.value.detail


async def test_no_container_and_no_engine_are_told_apart(engine: FakeEngine, containers: Containers, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        await read(containers)
    absent = Containers(f"unix://{tmp_path}/none", "vcc")
    with pytest.raises(Unreachable):
        await read(absent)
    absent.close()


def test_a_line_without_a_stamp_takes_the_time_of_the_one_before() -> None:
    stamps = StampReader()
    assert stamps.split(STAMP + b"a b") == (AT + 0.25, b"a b")
    assert stamps.split(b"no stamp here") == (AT + 0.25, b"no stamp here")
    assert stamps.split(STAMP.strip()) == (AT + 0.25, b"")
    assert stamps.split(b"") == (AT + 0.25, b"")


def test_each_second_of_a_minute_has_its_own_time_and_no_minute_has_sixty_one() -> None:
    stamps, minute = StampReader(), STAMP[:17].decode()
    begun = datetime.fromisoformat(f"{minute}00+00:00").timestamp()
    for second in (0, 59, 7, 30):
        assert stamps.moment(f"{minute}{second:02d}.5Z".encode()) == begun + second + 0.5
    assert stamps.moment(f"{minute}60.0Z".encode()) == begun + 30.5
    assert stamps.moment(f"{minute}1.0Z".encode()) == begun + 30.5
