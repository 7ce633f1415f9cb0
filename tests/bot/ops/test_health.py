"""HTTP health: up is only what says so itself, and nothing that is down breaks the asking."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web

from bot.errors import OutsideError, TimedOut
from bot.ops.health import HTTP, HealthProbes, HealthReason, HealthResult, fetch, harmless, judge, translate
from tests.bot.ops.silent import silent_port
from tests.bot.ops.vendor_errors import instances_of

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@contextlib.asynccontextmanager
async def site(handler: Handler) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def vcc(request: web.Request) -> web.StreamResponse:
    """The back end at ``/health``, a single-page front end everywhere else, as deployed."""
    match request.path:
        case "/health":
            return web.json_response({"status": "OK"})
        case "/spa/health" | "/":
            return web.Response(text="<html>", content_type="text/html")
        case "/moved":
            raise web.HTTPFound("/health?sig=secret")
        case "/loop":
            raise web.HTTPFound("/loop")
        case "/sick/health":
            return web.json_response({"status": "DOWN"})
        case "/late":
            await asyncio.sleep(30)
    return web.json_response({"message": "Route not found"}, status=404)


async def probe(address: str, deadline: float = 5) -> HealthResult:
    (result,) = await HealthProbes({"it": address}, deadline).check()
    return result


@pytest.mark.parametrize(
    ("path", "up", "status", "reason"),
    [
        ("/health", True, 200, HealthReason.OK),
        ("/", True, 200, HealthReason.OK),
        ("/api/health", False, 404, HealthReason.STATUS),
        ("/spa/health", False, 200, HealthReason.NOT_HEALTH),
        ("/sick/health", False, 200, HealthReason.SAYS_DOWN),
        ("/moved", True, 200, HealthReason.OK),
        ("/loop", False, 0, HealthReason.FAILED),
    ],
)
async def test_an_answer_is_judged_by_what_it_says(path: str, up: bool, status: int, reason: HealthReason) -> None:
    async with site(vcc) as address:
        result = await probe(address + path)
    assert (result.name, result.up, result.status, result.reason) == ("it", up, status, reason)
    assert result.latency_ms > 0


async def test_where_a_redirect_led_is_told_without_its_secrets() -> None:
    async with site(vcc) as address:
        assert (await probe(address + "/moved")).redirected_to == address + "/health"


async def test_nobody_there_a_silent_one_and_nonsense_are_told_apart() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert (await probe(f"http://127.0.0.1:{taken.getsockname()[1]}/health")).reason is HealthReason.UNREACHABLE
    async with silent_port() as port:
        started = time.monotonic()
        assert (await probe(f"http://127.0.0.1:{port}/health", 0.3)).reason is HealthReason.TIMED_OUT
        assert time.monotonic() - started < 20
    assert (await probe("not an address")).reason is HealthReason.FAILED


async def test_all_are_asked_side_by_side_and_answered_in_order() -> None:
    async with site(vcc) as address:
        probes = HealthProbes({"late": address + "/late", "later": address + "/late", "good": address + "/health"}, 0.5)
        started = time.monotonic()
        results = await probes.check()
        assert time.monotonic() - started < 20
    assert [(result.name, result.up) for result in results] == [("late", False), ("later", False), ("good", True)]


def test_an_address_is_shown_without_password_and_query() -> None:
    assert harmless("http://me:word@h:1/health?token=x#y") == "http://h:1/health"


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"message":"x"}', b'"OK"'])
def test_what_is_no_health_answer_is_none(body: bytes) -> None:
    assert judge("http://h/health?x=1", 200, body) is HealthReason.NOT_HEALTH


async def test_one_answer_is_handed_over_whatever_it_means() -> None:
    async with site(vcc) as address:
        missing, page = await fetch(address + "/api/health", 5), await fetch(address + "/", 5)
        with pytest.raises(TimedOut):
            await fetch(address + "/late", 0.2)
    assert (missing.status, missing.told) == (404, {"message": "Route not found"})
    assert (page.status, page.told) == (200, None)
    assert page.took_ms > 0


@pytest.mark.parametrize("error", instances_of(aiohttp, aiohttp.ClientError), ids=lambda error: type(error).__name__)
def test_every_error_of_the_client_is_caught_and_translated(error: Exception) -> None:
    assert isinstance(error, HTTP.errors)
    assert isinstance(translate(error, 1), OutsideError)
