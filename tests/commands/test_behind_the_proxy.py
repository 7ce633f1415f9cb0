"""The socket proxy of the README: its allow-list, enforced in front of the sandbox engine, lets every command through and no more."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from bot.model import Outcome
from bot.sandbox.deployment import Deployment
from tests.commands.conftest import MakeBot

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
ALLOWED = {method: re.compile(pattern) for method, pattern in re.findall(r"^ *- '-allow([A-Z]+)=(.+)'", README, re.MULTILINE)}
LOOKS = ("status", "stats", "disk", "logs tail --lines 5", "logs errors --since 1h", "check connections", "check health", "check setup")


def allowed(method: str, path: str) -> bool:
    """As that proxy decides: a pattern for each method, which must fit the whole path."""
    return method in ALLOWED and ALLOWED[method].fullmatch(path) is not None


@asynccontextmanager
async def proxied(socket: str, refused: list[str]) -> AsyncIterator[str]:
    """A reverse proxy on loopback in front of an engine; the address to reach it. What it refuses is remembered."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if not allowed(request.method, request.path):
            refused.append(f"{request.method} {request.path}")
            return web.Response(status=403, text="Forbidden")
        body = await request.read()
        headers = {"Content-Type": request.headers.get("Content-Type", "application/json")}
        async with session.request(request.method, f"http://engine{request.path_qs}", data=body or None, headers=headers) as answer:
            response = web.StreamResponse(status=answer.status, headers={"Content-Type": answer.headers.get("Content-Type", "text/plain")})
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            return response

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app)
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(socket)) as session:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        try:
            yield f"tcp://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


async def test_every_command_works_behind_it(sandbox: Deployment, whole_sandbox: None, make_bot: MakeBot) -> None:
    refused: list[str] = []
    async with proxied(sandbox.env["DOCKER_HOST"].removeprefix("unix://"), refused) as address:
        bot = await make_bot(DOCKER_HOST=address)
        for line in LOOKS:
            assert (await bot(line)).outcome is Outcome.DONE, line
        assert (await bot.approved("restart frontend")).outcome is Outcome.DONE
        await bot.app.ops.close()
    assert refused == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1.41/containers/create"),
        ("POST", "/v1.41/containers/abc/update"),
        ("POST", "/v1.41/containers/abc/kill"),
        ("POST", "/v1.41/images/create"),
        ("POST", "/v1.41/build"),
        ("DELETE", "/v1.41/containers/abc"),
        ("PUT", "/v1.41/containers/abc/archive"),
        ("GET", "/v1.41/containers/abc/export"),
        ("GET", "/v1.41/secrets"),
        ("POST", "/v1.41/containers/abc/start/../../create"),
    ],
)
def test_what_no_command_needs_is_refused(method: str, path: str) -> None:
    assert not allowed(method, path)
