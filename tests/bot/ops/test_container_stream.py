"""The engine's streams over unix and TCP: refusals raise, closing early lets go at once."""

from __future__ import annotations

import pytest
from aiohttp import web

from bot.errors import Denied, NotFound, Rejected
from bot.ops.container_stream import EngineStreams
from tests.bot.ops.fake_engine import FakeEngine, container, frame

LOGS = "/v1.41/containers/vcc-backend-1-id/logs"


async def test_chunks_come_as_the_engine_sends_them(engine: FakeEngine) -> None:
    engine.add(container("backend"))
    engine.logs = [frame(1, b"a\n"), frame(1, b"b\n")]
    async with EngineStreams(engine.host, 5).get(LOGS, {"tail": "2"}, 5) as chunks:
        assert b"".join([chunk async for chunk in chunks]) == frame(1, b"a\n") + frame(1, b"b\n")
    assert engine.queries[-1] == {"tail": "2"}


async def test_an_engine_on_tcp_is_spoken_to_alike() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=await request.read() or request.path.encode())

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        streams = EngineStreams(f"tcp://127.0.0.1:{runner.addresses[0][1]}", 5)
        async with streams.get("/x", {}, 5) as chunks:
            assert [chunk async for chunk in chunks] == [b"/x"]
        async with streams.post("/x", {"a": 1}, 5) as chunks:
            assert [chunk async for chunk in chunks] == [b'{"a": 1}']
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(("status", "kind"), [(403, Denied), (404, NotFound), (500, Rejected)])
async def test_a_refusal_raises_with_the_engines_words_for_the_log(engine: FakeEngine, status: int, kind: type[Exception]) -> None:
    engine.failure = lambda request: web.Response(status=status, text='{"message":"because"}', content_type="application/json")
    with pytest.raises(kind) as caught:
        async with EngineStreams(engine.host, 5).get(LOGS, {}, 5):
            raise AssertionError("opened")
    assert getattr(caught.value, "detail", "") == f"{status}: because"


async def test_an_address_of_no_known_kind_is_rejected() -> None:
    with pytest.raises(Rejected):
        async with EngineStreams("ssh://host", 5).get(LOGS, {}, 5):
            raise AssertionError("opened")
