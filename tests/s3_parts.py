"""An S3 service on loopback (moto), and a proxy before it that fails as it is told. Knows nothing of backups."""

from __future__ import annotations

import asyncio
import contextlib
import io
import logging
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.ops.remote_values import Address, Limits
from tests.parts import absent

# Answers the request itself, or lets it pass with this body (None: as it came).
Fault = Callable[[web.Request, bytes], Any]
_HOP = {"host", "content-length", "connection", "transfer-encoding", "expect", "content-encoding"}
# Times over there are whole seconds: with a grace of -1, what was stored in this very second is old enough to be collected.
QUICK = Limits(part_bytes=5 << 20, multipart_from=6 << 20, attempts=2, tries=3, connect_s=2, read_s=5, grace_s=-1)


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    """The address of a real-enough S3 service that keeps everything in memory."""
    try:
        from moto.moto_server.threaded_moto_server import ThreadedMotoServer  # noqa: PLC0415 - a second and more, for few tests
    except ImportError as missing:
        absent(f"no S3 service here: {missing}")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def s3_client(s3_endpoint: str) -> Iterator[Any]:
    """The service as its owner sees it, past every proxy."""
    import boto3  # noqa: PLC0415 - a third of a second, for few tests

    login = {"aws_access_key_id": "x", "aws_secret_access_key": "y"}
    client: Any = boto3.client("s3", endpoint_url=s3_endpoint, region_name="us-east-1", **login)
    yield client
    client.close()


def an_address(endpoint: str, *, bucket: str = "", prefix: str = "vcc/") -> Address:
    """An address in a bucket that nobody else uses."""
    return Address(bucket or f"b{uuid.uuid4().hex}", prefix, endpoint, "us-east-1", "AKIATESTTESTTEST", "secret-of-the-key", "the-token")


@dataclass
class Proxy:
    """Passes requests on to ``target``. ``faults`` are asked one after the other; the first that gives something decides."""

    target: str
    url: str = ""
    faults: list[Fault] = field(default_factory=list)
    seen: list[tuple[str, str]] = field(default_factory=list)
    session: aiohttp.ClientSession | None = None

    def count(self, method: str, part: str = "") -> int:
        """How many requests of this kind came."""
        return sum(1 for each, path in self.seen if each == method and part in path)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.seen.append((request.method, request.path_qs))
        for fault in self.faults:
            answer = fault(request, body)
            answer = await answer if asyncio.iscoroutine(answer) else answer
            if isinstance(answer, bytes):
                body = answer
            elif answer is not None:
                return answer if isinstance(answer, web.StreamResponse) else web.Response()
        return await self.passed(request, body)

    async def passed(self, request: web.Request, body: bytes, cut: bool = False) -> web.StreamResponse:
        """What the service answers; ``cut``: half of it, and then the connection ends."""
        assert self.session is not None
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        async with self.session.request(
            request.method, f"{self.target}{request.path_qs}", headers=headers, data=io.BytesIO(body)
        ) as answer:
            content = await answer.read()
            kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP or request.method == "HEAD"}
            if not cut:
                return web.Response(status=answer.status, headers=kept, body=None if request.method == "HEAD" else content)
            response = web.StreamResponse(status=answer.status, headers={**kept, "Content-Length": str(len(content))})
            await response.prepare(request)
            await response.write(content[: len(content) // 2])
            assert request.transport is not None
            request.transport.close()
            return response


@contextlib.asynccontextmanager
async def a_proxy(target: str) -> AsyncIterator[Proxy]:
    """A proxy on a free port."""
    proxy = Proxy(target)
    application = web.Application(client_max_size=1 << 28)
    application.router.add_route("*", "/{path:.*}", proxy.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    proxy.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession(auto_decompress=False) as proxy.session:
        yield proxy
    await runner.cleanup()


def refusal(status: int, code: str) -> web.Response:
    """A refusal as S3 writes it."""
    text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no: secret-of-the-key</Message></Error>"
    return web.Response(status=status, text=text, content_type="application/xml")
