"""The engine's long answers over a socket of our own, drained in big gulps: a short pause lets the buffer fill, and both sides work less.

Speaks as much HTTP as that takes: one GET, its status, a body in chunks whose end is known from a lost connection. Whoever asks
says who takes the chunks apart. Knows nothing of what is in the body.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import time
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import NamedTuple, Protocol, Self, TypeVar
from urllib.parse import urlencode, urlsplit

from bot.errors import Rejected
from bot.ops.bounded import within
from bot.ops.container_chunks import Dechunker
from bot.ops.container_errors import DOCKER, SYSTEM, from_status

GULP = 1 << 20
PAUSE = 0.0002  # seconds, to begin with
LONGEST_PAUSE = 0.0005
COLLECTED = 0.2  # seconds at most before what came is handed on
HEAD_CAP = 1 << 16
EXPLANATION_CAP = 4096
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})")

Taken = TypeVar("Taken", covariant=True)


class Unwrapping(Protocol[Taken]):
    """Takes a body in HTTP's chunks as it comes; ``ended`` after the last chunk."""

    @property
    def ended(self) -> bool: ...

    def feed(self, data: bytes) -> Taken: ...


class Asked(NamedTuple):
    """A GET: the path and the query. ``idle`` is the longest silence in seconds."""

    path: str
    query: Mapping[str, str]
    idle: float


@contextlib.asynccontextmanager
async def gulps(host: str, asked: Asked, deadline: float, unwrapping: Unwrapping[Taken]) -> AsyncIterator[AsyncIterator[Taken]]:
    """What ``unwrapping`` makes of the answer's body, given at the engine's address. ``deadline`` is for connecting, in seconds."""
    async with asyncio.timeout(deadline):
        connection = await _connected(host)
    with contextlib.closing(connection):
        request = f"GET {asked.path}?{urlencode(asked.query)} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n"
        await asyncio.get_running_loop().sock_sendall(connection, request.encode())
        head, rest = await _head(connection, asked.idle)
        async with _Drain(connection, asked.idle) as drain:
            await _accept(head, drain, rest)
            yield _body(drain, head, rest, unwrapping)


async def _connected(host: str) -> socket.socket:
    place, loop = urlsplit(host), asyncio.get_running_loop()
    if place.scheme == "unix":
        connection = socket.socket(socket.AF_UNIX)
        address: str | tuple[str, int] = place.path
    elif place.scheme in ("tcp", "http"):
        family, kind, _, _, found = (await loop.getaddrinfo(place.hostname, place.port or 2375, type=socket.SOCK_STREAM))[0]
        connection, address = socket.socket(family, kind), (str(found[0]), int(found[1]))
    else:
        raise Rejected(SYSTEM, f"unsupported address scheme {place.scheme}")
    connection.setblocking(False)
    with contextlib.ExitStack() as undo:
        undo.callback(connection.close)
        await loop.sock_connect(connection, address)
        undo.pop_all()
    return connection


async def _head(connection: socket.socket, idle: float) -> tuple[bytes, bytes]:
    """The answer's head, and what came behind it."""
    data = b""
    while b"\r\n\r\n" not in data:
        async with asyncio.timeout(idle):
            more = await asyncio.get_running_loop().sock_recv(connection, HEAD_CAP)
        if not more:
            raise ConnectionResetError("no answer")
        data += more
        if len(data) > 4 * HEAD_CAP:
            raise Rejected(SYSTEM, "not an HTTP answer")
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


async def _body(drain: _Drain, head: bytes, rest: bytes, unwrapping: Unwrapping[Taken]) -> AsyncIterator[Taken]:
    chunked = b"transfer-encoding: chunked" in head.lower()
    length = re.search(rb"\r\ncontent-length: *(\d+)", head.lower())
    left = int(length[1]) if length else -1
    while True:
        if rest:
            left -= len(rest)
            yield unwrapping.feed(rest if chunked else b"%x\r\n%b\r\n" % (len(rest), rest))
        if unwrapping.ended if chunked else left == 0:
            return
        if drain.ended:
            if chunked or left > 0:
                raise ConnectionResetError("the answer broke off")
            return
        rest = await drain.gulp()


class _Drain:
    """Empties a socket in a thread of its own, as only there a pause can be short enough; ``ended`` when there is no more.

    The next gulp is collected while one is digested. Leaving the block lets the thread go at once, whatever it waits for.
    """

    def __init__(self, connection: socket.socket, idle: float) -> None:
        self._connection = connection
        self._connection.settimeout(idle)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="docker-gulps")
        self._room = memoryview(bytearray(2 * GULP))
        self._upcoming: Future[tuple[bytes, bool]] | None = None
        self._pause = PAUSE
        self._most = 1
        self.ended = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        try:
            if self._upcoming is not None:
                await asyncio.gather(asyncio.wrap_future(self._upcoming), return_exceptions=True)
        finally:
            self._pool.shutdown()

    async def gulp(self) -> bytes:
        """What came, collected for a moment. TimeoutError when nothing did."""
        upcoming = self._upcoming or self._pool.submit(self._collect)
        self._upcoming = upcoming
        data, self.ended = await asyncio.shield(asyncio.wrap_future(upcoming))
        self._upcoming = None if self.ended else self._pool.submit(self._collect)
        return data

    def _collect(self) -> tuple[bytes, bool]:
        got, ends, ended = 0, time.monotonic() + COLLECTED, False
        while got < GULP and time.monotonic() < ends:
            count = self._connection.recv_into(self._room[got:])
            if not count:
                ended = True
                break
            got += count
            self._rest_for(count)
        return bytes(self._room[:got]), ended

    def _rest_for(self, count: int) -> None:
        """Longer while the buffer comes half empty, shorter when it comes fuller: full, it would hold up the engine."""
        self._most = max(self._most, count)
        self._pause = min(LONGEST_PAUSE, self._pause * (0.9 if 2 * count > self._most else 1.1))
        time.sleep(self._pause)


async def _accept(head: bytes, drain: _Drain, rest: bytes) -> None:
    """Raise what the engine says when it is not a success."""
    status = _STATUS.match(head)
    if status is None:
        raise Rejected(SYSTEM, "not an HTTP answer")
    if int(status[1]) < 400:
        return
    explanation = b""
    async with within(DOCKER, 1.0):
        async for piece in _body(drain, head, rest, Dechunker()):
            explanation += piece
            if len(explanation) > EXPLANATION_CAP:
                break
    raise from_status(int(status[1]), message_in(explanation.decode("utf-8", "replace")))


def message_in(body: str) -> str:
    """The engine answers ``{"message": "..."}``; cut without a parser, for the body may be cut itself."""
    _, found, rest = body.partition('"message":"')
    return rest.partition('"')[0] if found else body
