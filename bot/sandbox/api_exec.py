"""Docker Engine API: commands run inside a container, over a connection taken out of HTTP's hands as Docker does."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from aiohttp import web

from bot.sandbox.api_common import API_VERSION, DockerError, Routes, container_of, engine_of, frame, json_answer
from bot.sandbox.execution import Execution, Wish

MULTIPLEXED = "application/vnd.docker.multiplexed-stream"
RAW = "application/vnd.docker.raw-stream"
BODY_WITHIN = 10.0
# Making a process in a container takes a real engine longer than this. Clients rely on it: docker-py loses output
# that reaches it in one piece with the answer's head.
HEAD_START = 0.03


async def create(request: web.Request) -> web.Response:
    container, engine = container_of(request), engine_of(request)
    document: dict[str, Any] = await request.json()
    argv = document.get("Cmd") or []
    if not argv:
        raise DockerError(400, "No exec command specified")
    if not container.running:
        raise DockerError(409, f"container {container.id} is not running")
    variables = dict(str(one).partition("=")[::2] for one in document.get("Env") or [])
    wish = Wish(tuple(argv), variables, document.get("WorkingDir") or "", bool(document.get("AttachStdin")), bool(document.get("Tty")))
    execution = Execution(container, wish)
    engine.register(execution)
    engine.events.emit("container", f"exec_create: {' '.join(argv)}", container.id, {"execID": execution.id, **container.service.labels})
    return json_answer({"Id": execution.id}, status=201)


def _execution_of(request: web.Request) -> Execution:
    identity = request.match_info["exec"]
    found = engine_of(request).executions.get(identity)
    if found is None:
        raise DockerError(404, f"No such exec instance: {identity}")
    return found


async def start(request: web.Request) -> web.StreamResponse:
    execution = _execution_of(request)
    if execution.started:
        raise DockerError(409, f"Error: Exec command {execution.id} has already run")
    if "tcp" in request.headers.get("Upgrade", "").lower():
        return await _hijack(request, execution)
    document = await request.json() if request.can_read_body else {}
    engine = engine_of(request)
    if document.get("Detach"):
        engine.run(execution, lambda _stream, _data: None)
        return web.Response(status=200)
    response = web.StreamResponse(headers={"Content-Type": _content_type(execution)})
    await response.prepare(request)
    chunks: asyncio.Queue[bytes] = asyncio.Queue()
    task = engine.run(execution, lambda stream, data: chunks.put_nowait(_framed(execution, stream, data)))
    task.add_done_callback(lambda _: chunks.put_nowait(b""))
    while chunk := await chunks.get():
        await response.write(chunk)
    await asyncio.shield(task)
    await response.write_eof()
    return response


def _content_type(execution: Execution) -> str:
    return RAW if execution.wish.tty else MULTIPLEXED


def _framed(execution: Execution, stream: str, data: bytes) -> bytes:
    return data if execution.wish.tty else frame(stream, data)


class _Hijacked(asyncio.Protocol):
    """Takes the connection over from the HTTP server: what the client sends is the command's input.

    ``skip`` bytes are still the request's body; a half-closed connection ends the input and keeps the output open.
    """

    def __init__(self, execution: Execution, skip: int, before: asyncio.Protocol) -> None:
        self._execution = execution
        self._skip = skip
        self._before = before
        self._body_seen = asyncio.Event()
        if not skip:
            self._body_seen.set()

    async def wait_for_body(self) -> None:
        """A connection closed before the client has sent its body would be an error to the client, whatever was answered."""
        await asyncio.wait_for(self._body_seen.wait(), BODY_WITHIN)

    def data_received(self, data: bytes) -> None:
        body, data = data[: self._skip], data[self._skip :]
        self._skip -= len(body)
        if not self._skip:
            self._body_seen.set()
        if data:
            self._execution.feed(data)

    def eof_received(self) -> bool:
        self._execution.end_input()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        self._execution.end_input()
        self._body_seen.set()
        self._before.connection_lost(exc)

    def pause_writing(self) -> None:
        """Output piles up in memory meanwhile; nothing here is big enough to hold the command back for."""

    def resume_writing(self) -> None:
        """See pause_writing."""


async def _hijack(request: web.Request, execution: Execution) -> web.StreamResponse:
    transport = request.transport
    if transport is None:
        raise DockerError(500, "the client left")
    # The HTTP parser stops at an upgrade: the JSON body is then the first thing on the raw connection.
    body = await request.read() if request.can_read_body else b""
    unread = max((request.content_length or 0) - len(body), 0)
    hijacked = _Hijacked(execution, unread, cast("asyncio.Protocol", transport.get_protocol()))
    transport.set_protocol(hijacked)
    head = f"HTTP/1.1 101 UPGRADED\r\nApi-Version: {API_VERSION}\r\nContent-Type: {_content_type(execution)}\r\n"
    transport.write(f"{head}Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n".encode())

    def send(stream: str, data: bytes) -> None:
        if not transport.is_closing():  # the client may leave first; the command goes on
            transport.write(_framed(execution, stream, data))

    await hijacked.wait_for_body()
    await asyncio.sleep(HEAD_START)
    await asyncio.shield(engine_of(request).run(execution, send))
    transport.close()
    # aiohttp wants an answer; the connection it would go to is closed.
    response = web.Response(status=200)
    response.force_close()
    return response


async def inspect(request: web.Request) -> web.Response:
    execution = _execution_of(request)
    argv = execution.wish.argv
    return json_answer(
        {
            "ID": execution.id,
            "Running": execution.running,
            "ExitCode": execution.exit_code,
            "ProcessConfig": {"tty": execution.wish.tty, "entrypoint": argv[0], "arguments": list(argv[1:]), "privileged": False},
            "OpenStdin": execution.wish.stdin,
            "OpenStderr": True,
            "OpenStdout": True,
            "CanRemove": False,
            "ContainerID": execution.container.id,
            "Pid": execution.pid,
        }
    )


async def resize(request: web.Request) -> web.Response:
    _execution_of(request)
    return web.Response(status=200)


ROUTES: Routes = (
    ("POST", "/containers/{name}/exec", create),
    ("POST", "/exec/{exec}/start", start),
    ("POST", "/exec/{exec}/resize", resize),
    ("GET", "/exec/{exec}/json", inspect),
)
