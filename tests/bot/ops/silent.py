"""Servers that accept and never answer: what hanging looks like from outside."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path


class Silence:
    """Holds each connection open without a word. ``connections`` counts them."""

    def __init__(self) -> None:
        self.connections = 0
        self._held: set[asyncio.Task[None]] = set()

    async def hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._held.add(task)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            while await reader.read(4096):
                pass
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    async def release(self) -> None:
        """Hang up on everybody."""
        for task in self._held:
            task.cancel()
        await asyncio.gather(*self._held, return_exceptions=True)


@contextlib.asynccontextmanager
async def silent_port() -> AsyncIterator[int]:
    """A loopback port that hangs."""
    silence = Silence()
    server = await asyncio.start_server(silence.hold, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await silence.release()
        await server.wait_closed()


@contextlib.asynccontextmanager
async def silent_socket(path: Path) -> AsyncIterator[Silence]:
    """A unix socket that hangs."""
    silence = Silence()
    server = await asyncio.start_unix_server(silence.hold, path)
    try:
        yield silence
    finally:
        server.close()
        await silence.release()
        await server.wait_closed()
