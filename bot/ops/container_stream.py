"""The Docker engine's long answers (logs, output of a command) as chunks of bytes, over unix or TCP.

Asynchronous to the bottom, so that a stream that hangs or never ends holds no thread and closes at once. Knows nothing of
what is in the chunks.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager

import aiohttp

from bot.errors import Rejected
from bot.ops.bounded import within
from bot.ops.container_errors import DOCKER, from_status
from bot.ops.container_gulps import EXPLANATION_CAP, Asked, Taken, Unwrapping, gulps, message_in

CHUNK = 1 << 18


class EngineStreams:
    """Opens streams at the engine's address: ``unix:///path`` or ``tcp://host:port``. ``deadline`` is for connecting."""

    def __init__(self, host: str, deadline: float) -> None:
        self._host = host
        self._deadline = deadline

    @contextlib.asynccontextmanager
    async def get(self, path: str, query: Mapping[str, str], idle: float | None) -> AsyncIterator[AsyncIterator[bytes]]:
        """Chunks of a GET. ``idle`` is the longest silence in seconds; None waits for ever (a followed log)."""
        async with self._session(idle) as (session, base), session.get(base + path, params=query) as response:
            await _accept(response)
            yield response.content.iter_any()

    def gulps(self, asked: Asked, unwrapping: Unwrapping[Taken]) -> AbstractAsyncContextManager[AsyncIterator[Taken]]:
        """The same as ``get``, for an answer of gigabytes: see there."""
        return gulps(self._host, asked, self._deadline, unwrapping)

    @contextlib.asynccontextmanager
    async def post(self, path: str, body: Mapping[str, object], idle: float | None) -> AsyncIterator[AsyncIterator[bytes]]:
        """Chunks of the answer to a POST of JSON."""
        async with self._session(idle) as (session, base), session.post(base + path, json=body) as response:
            await _accept(response)
            yield response.content.iter_any()

    @contextlib.asynccontextmanager
    async def _session(self, idle: float | None) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
        scheme, _, rest = self._host.partition("://")
        if scheme not in ("unix", "tcp", "http"):
            raise Rejected("docker", f"unsupported address scheme {scheme}")
        connector = aiohttp.UnixConnector(path=rest) if scheme == "unix" else aiohttp.TCPConnector()
        base = "http://docker" if scheme == "unix" else f"http://{rest.rstrip('/')}"
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=self._deadline, sock_read=idle)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout, read_bufsize=CHUNK) as session:
            yield session, base


async def _accept(response: aiohttp.ClientResponse) -> None:
    """Raise what the engine says when it is not a success."""
    if response.status < 400:
        return
    async with within(DOCKER, 1.0):
        explanation = (await response.content.read(EXPLANATION_CAP)).decode("utf-8", "replace")
    raise from_status(response.status, message_in(explanation))
