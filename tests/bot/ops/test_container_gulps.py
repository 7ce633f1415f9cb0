"""One that breaks off is never taken for the end; whoever leaves early leaves at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.errors import NotFound, Rejected
from bot.ops.container_chunks import Dechunker
from bot.ops.container_gulps import GULP, Asked, gulps
from tests.bot.ops.log_samples import chunked

Peer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@asynccontextmanager
async def answering(directory: Path, peer: Peer) -> AsyncIterator[str]:
    async def served(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await peer(reader, writer)
        writer.close()

    server = await asyncio.start_unix_server(served, directory / "s")
    async with server:
        yield f"unix://{directory}/s"


async def body(host: str, idle: float = 5) -> bytes:
    async with gulps(host, Asked("/x", {"a": "b"}, idle), 5, Dechunker()) as parts:
        return b"".join([part async for part in parts])


def says(data: bytes) -> Peer:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return peer


@pytest.mark.parametrize(
    "answer",
    [
        HEAD + chunked(b"one", b"two" * 9_000),
        b"HTTP/1.1 200 OK\r\nContent-Length: 27003\r\n\r\none" + b"two" * 9_000,
        b"HTTP/1.0 200 OK\r\n\r\none" + b"two" * 9_000,
    ],
)
async def test_every_way_to_end_a_body_is_understood(socket_directory: Path, answer: bytes) -> None:
    async with answering(socket_directory, says(answer)) as host:
        assert await body(host) == b"one" + b"two" * 9_000


@pytest.mark.parametrize(
    "answer", [b"", HEAD[:20], HEAD, HEAD + b"5\r\nab", HEAD + b"2\r\nab\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"]
)
async def test_an_answer_that_breaks_off_is_a_lost_connection(socket_directory: Path, answer: bytes) -> None:
    async with answering(socket_directory, says(answer)) as host:
        with pytest.raises(ConnectionResetError):
            await body(host)


async def test_a_refusal_is_told_in_our_words(socket_directory: Path) -> None:
    refusal = b'HTTP/1.1 404 Not Found\r\nContent-Length: 38\r\n\r\n{"message":"No such container: abc"}\r\n'
    async with answering(socket_directory, says(refusal)) as host:
        with pytest.raises(NotFound) as caught:
            await body(host)
    assert caught.value.values["name"] == "abc"


@pytest.mark.parametrize("answer", [b"SSH-2.0-x\r\n\r\n", b"x" * 400_000])
async def test_what_is_no_http_is_rejected(socket_directory: Path, answer: bytes) -> None:
    async with answering(socket_directory, says(answer)) as host:
        with pytest.raises(Rejected):
            await body(host)


async def test_silence_ends_in_time_and_leaving_closes_the_connection(socket_directory: Path) -> None:
    gone = asyncio.Event()

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD)
        await reader.read()
        gone.set()

    async with answering(socket_directory, peer) as host:
        with pytest.raises(TimeoutError):
            await body(host, idle=0.05)
        await asyncio.wait_for(gone.wait(), 60)
        gone.clear()
        waiting = asyncio.create_task(body(host, idle=30))
        await asyncio.wait([waiting], timeout=0.1)
        assert not waiting.done()
        waiting.cancel()
        await asyncio.wait_for(gone.wait(), 60)


def collecting() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("docker-gulps")]


async def test_the_next_gulp_is_read_while_one_is_digested(socket_directory: Path) -> None:
    sent = asyncio.Event()

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + chunked(*[bytes(GULP // 8)] * 12))
        await writer.drain()
        sent.set()

    async with answering(socket_directory, peer) as host, gulps(host, Asked("/x", {}, 5), 5, Dechunker()) as parts:
        got = len(await anext(parts))
        got += len(await anext(parts))
        await asyncio.wait_for(sent.wait(), 60)
        assert got < 12 * GULP // 8
        assert got + sum([len(part) async for part in parts]) == 12 * GULP // 8


async def test_leaving_while_the_next_gulp_is_waited_for_lets_the_thread_go_at_once(socket_directory: Path) -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"3\r\none\r\n" + b"3\r\ntwo\r\n")
        await reader.read()

    before = collecting()
    async with answering(socket_directory, peer) as host, asyncio.timeout(60):
        async with gulps(host, Asked("/x", {}, 60), 5, Dechunker()) as parts:
            assert await anext(parts)
            second = asyncio.ensure_future(anext(parts))
            await asyncio.wait([second], timeout=0.1)
            assert not second.done()
            assert len(collecting()) == len(before) + 1
            second.cancel()
        assert collecting() == before


async def test_an_address_of_another_kind_is_rejected() -> None:
    with pytest.raises(Rejected):
        await body("ssh://nobody")
