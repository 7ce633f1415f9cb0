"""Socket Mode as the server sees it: one-use addresses, hello, pings, envelopes to any one connection, disconnects.

Knows no payload; whoever sends gives a frame, and hears of every acknowledgement.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMessage, WSMsgType, web

from tests.platforms.slack.site import Site
from tests.platforms.slack.world import APP

MOST_CONNECTIONS = 10
DEBUG_INFO = {"host": "applink-fake", "build_number": 1, "approximate_connection_time": 18060}


@dataclass
class Connection:
    """One open WebSocket. ``muted`` is half open: TCP is up and nothing is said. ``draining`` was told to go."""

    number: int
    socket: web.WebSocketResponse
    request: web.Request
    muted: bool = False
    draining: bool = False
    pongs: int = 0
    pings: int = 0
    closed_by_app: bool = False

    def abort(self) -> None:
        """Cut the TCP connection."""
        if self.request.transport is not None:
            self.request.transport.abort()


class SocketHub:
    """All connections of the app."""

    def __init__(self, site: Site, on_ack: Callable[[str, Any], None]) -> None:
        self._site = site
        self._on_ack = on_ack
        self._opened = 0
        self._turn = 0
        self._stopping = asyncio.Event()
        self.open: list[Connection] = []
        self.closed: list[Connection] = []
        self.mute_new = False
        self.ping_every = 5.0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """The life of one connection."""
        refused = await self._refuse(request)
        if refused is not None:
            return refused
        socket = web.WebSocketResponse(autoping=False, autoclose=False, timeout=0.2)
        await socket.prepare(request)
        self._opened += 1
        connection = Connection(self._opened, socket, request, muted=self.mute_new)
        self.open.append(connection)
        pinging = asyncio.create_task(self._ping(connection))
        try:
            await self._serve(connection)
        finally:
            pinging.cancel()
            self.open.remove(connection)
            self.closed.append(connection)
        return socket

    async def _refuse(self, request: web.Request) -> web.Response | None:
        """A ticket is spent by the attempt, whether it succeeds or meets a fault."""
        ticket, fault = request.query.get("ticket", ""), self._site.faults.take("socket")
        known = ticket in self._site.tickets
        self._site.tickets.discard(ticket)
        if fault is None:
            return None if known else web.Response(status=404, text="invalid ticket")
        if fault.what == "hang":
            await self._site.faults.hang()
        if isinstance(fault.what, int):
            return web.Response(status=fault.what)
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    async def _serve(self, connection: Connection) -> None:
        if len(self.open) > MOST_CONNECTIONS:
            await self.tell_disconnect(connection, "too_many_websockets")
            await connection.socket.close()
            return
        if not connection.muted:
            hello = {"type": "hello", "num_connections": len(self.open), "debug_info": DEBUG_INFO, "connection_info": {"app_id": APP}}
            await connection.socket.send_json(hello)
        while not connection.socket.closed:
            message = await connection.socket.receive()
            if message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
                connection.closed_by_app = message.type is WSMsgType.CLOSE
                break
            if not connection.muted:
                await self._take(connection, message)
        while connection.muted and not self._gone(connection):  # noqa: ASYNC110  (a transport tells nobody that it closed)
            await asyncio.sleep(0.02)
        if not connection.muted:
            await connection.socket.close()

    def _gone(self, connection: Connection) -> bool:
        transport = connection.request.transport
        return self._stopping.is_set() or transport is None or transport.is_closing()

    async def _take(self, connection: Connection, message: WSMessage) -> None:
        if message.type is WSMsgType.PING:
            await connection.socket.pong(message.data)
        elif message.type is WSMsgType.PONG:
            connection.pongs += 1
        elif message.type is WSMsgType.TEXT:
            frame = json.loads(message.data)
            self._on_ack(str(frame.get("envelope_id", "")), frame.get("payload"))

    async def _ping(self, connection: Connection) -> None:
        while True:
            if not connection.muted and not connection.socket.closed:
                connection.pings += 1
                try:
                    await connection.socket.ping(b"fake")
                except ConnectionError:
                    return
            await asyncio.sleep(self.ping_every)

    async def send(self, frame: dict[str, Any], number: int | None = None) -> int | None:
        """Hand a frame to one connection, in turn, or to the one told; its number, None when there is none."""
        connection = self._choose(number)
        if connection is None:
            return None
        if not connection.muted:
            try:
                await connection.socket.send_json(frame)
            except ConnectionError:
                return None
        return connection.number

    def _choose(self, number: int | None) -> Connection | None:
        alive = [connection for connection in self.open if not connection.socket.closed]
        if number is not None:
            return next((connection for connection in alive if connection.number == number), None)
        wanted = [connection for connection in alive if not connection.draining] or alive
        if not wanted:
            return None
        self._turn += 1
        return wanted[self._turn % len(wanted)]

    async def tell_disconnect(self, connection: Connection, reason: str) -> None:
        """Ask one connection to go."""
        connection.draining = True
        await connection.socket.send_json({"type": "disconnect", "reason": reason, "debug_info": DEBUG_INFO})

    def drop(self) -> None:
        """Cut every connection without a word."""
        for connection in list(self.open):
            connection.abort()

    def mute(self, new_too: bool) -> None:
        """Say nothing more on the open connections, and on new ones if told so."""
        self.mute_new = new_too
        for connection in self.open:
            connection.muted = True

    def stop(self) -> None:
        """Close everything; what is half open is let go."""
        self._stopping.set()
        self.drop()

    def resume(self) -> None:
        """Take connections again after a stop."""
        self._stopping.clear()
