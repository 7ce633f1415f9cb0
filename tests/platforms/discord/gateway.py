"""The WebSocket gateway: hello, identify, heartbeat, resume, chunks, and the ways it can fail. Knows no REST."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

from aiohttp import WSMsgType, web

from . import guild_shapes, shapes
from .clock import Changes
from .errors import Json
from .sessions import GUILD_MEMBERS, GUILD_PRESENCES, PRIVILEGED, Session
from .transport import Encoder, encoder_for
from .world import World

DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, VOICE, RESUME, RECONNECT, MEMBERS, INVALID, HELLO, ACK = (0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11)
UNKNOWN_OPCODE, DECODE_ERROR, NOT_AUTHENTICATED, BAD_TOKEN, AGAIN, BAD_INTENTS = 4001, 4002, 4003, 4004, 4005, 4014
KEEPS_SESSION = frozenset({1001, 4000, 4001, 4002, 4008})


class Connection:
    """One socket. ``deaf`` makes it half open: it stays up, and nothing comes out of it."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse, encoder: Encoder) -> None:
        self._request = request
        self.socket = socket
        self._encoder = encoder
        self._queue: asyncio.Queue[Json] = asyncio.Queue()
        self.session: Session | None = None
        self.deaf = False
        self.closed_by_us = 0

    def send(self, payload: Json) -> None:
        """Queue a payload, in order."""
        if not self.deaf:
            self._queue.put_nowait(payload)

    async def write(self) -> None:
        """Send what is queued, for as long as the socket lives."""
        while True:
            payload = await self._queue.get()
            frame = self._encoder.encode(json.dumps(payload))
            if isinstance(frame, str):
                await self.socket.send_str(frame)
            else:
                await self.socket.send_bytes(frame)

    async def close(self, code: int, reason: str = "") -> None:
        """Close as Discord does."""
        self.closed_by_us = code
        await self.socket.close(code=code, message=reason.encode())

    def abort(self) -> None:
        """Cut the wire: no close frame."""
        self.closed_by_us = 1006
        if self._request.transport is not None:
            self._request.transport.abort()


class Gateway:
    """All sessions and connections."""

    def __init__(self, world: World, token: str, changes: Changes) -> None:
        self._world = world
        self._token = token
        self._changes = changes
        self.url = ""
        # Discord says 41.25. A client cancelled while it connects leaves its heartbeat thread behind, which
        # would trip over a closed event loop in some later test: so it sleeps longer than any test run.
        self.heartbeat_interval = 3600.0
        self.allowed_privileged = PRIVILEGED
        self.blocked = False
        self.sessions: dict[str, Session] = {}
        self.connections: list[Connection] = []
        self.refused = 0
        self.identifies = 0
        self.resumes = 0
        self.heartbeats = 0
        self.compressions: list[str | None] = []

    def dispatch(self, event: str, data: Json) -> None:
        """To every session, connected or not."""
        for session in self.sessions.values():
            session.dispatch(event, data)
        self._changes.tell()

    @property
    def listening(self) -> list[Connection]:
        """Connections that are identified and hear."""
        return [connection for connection in self.connections if connection.session is not None and not connection.deaf]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One client, from the upgrade to the end."""
        wanted = request.query.get("compress")
        encoder = encoder_for(wanted)
        if self.blocked or encoder is None:
            self.refused += 1
            self._changes.tell()
            return web.Response(status=503 if self.blocked else 501, text="the gateway is down")
        self.compressions.append(wanted)
        socket = web.WebSocketResponse(compress=False, timeout=2.0)
        await socket.prepare(request)
        connection = Connection(request, socket, encoder)
        self.connections.append(connection)
        writer = asyncio.create_task(connection.write())
        connection.send({"op": HELLO, "s": None, "t": None, "d": {"heartbeat_interval": int(self.heartbeat_interval * 1000)}})
        try:
            await self._converse(connection)
        finally:
            writer.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):
                await writer
            self._forget(connection)
        return socket

    async def _converse(self, connection: Connection) -> None:
        async for frame in connection.socket:
            if frame.type is not WSMsgType.TEXT or connection.deaf:
                continue
            try:
                payload = json.loads(frame.data)
                opcode, data = int(payload["op"]), payload.get("d")
            except (ValueError, KeyError, TypeError):
                await connection.close(DECODE_ERROR, "Error while decoding payload.")
                return
            await self._take(connection, opcode, data)
            self._changes.tell()

    def _forget(self, connection: Connection) -> None:
        """A client that says goodbye with 1000 or 1001 ends its session; any other loss can be resumed."""
        self.connections.remove(connection)
        session = connection.session
        if session is not None and session.line is connection:
            session.line = None
            left = not connection.closed_by_us and connection.socket.close_code in (1000, 1001)
            if left or (connection.closed_by_us and connection.closed_by_us not in KEEPS_SESSION | {1006}):
                self.sessions.pop(session.id, None)
        self._changes.tell()

    async def _take(self, connection: Connection, opcode: int, data: Json) -> None:
        if opcode == HEARTBEAT:
            self.heartbeats += 1
            connection.send({"op": ACK, "s": None, "t": None, "d": None})
        elif opcode == IDENTIFY:
            await self._identify(connection, data)
        elif opcode == RESUME:
            await self._resume(connection, data)
        elif opcode not in (PRESENCE, VOICE, MEMBERS):
            await connection.close(UNKNOWN_OPCODE, "Unknown opcode.")
        elif connection.session is None:
            await connection.close(NOT_AUTHENTICATED, "Not authenticated.")
        elif opcode == MEMBERS:
            await self._send_members(connection, connection.session, data)

    async def _identify(self, connection: Connection, data: Json) -> None:
        self.identifies += 1
        intents = int(data.get("intents") or 0)
        if connection.session is not None:
            await connection.close(AGAIN, "Already authenticated.")
        elif data.get("token") != self._token:
            await connection.close(BAD_TOKEN, "Authentication failed.")
        elif intents & PRIVILEGED & ~self.allowed_privileged:
            await connection.close(BAD_INTENTS, "Disallowed intent(s).")
        else:
            session = Session(intents, self._world.bot.id, connection)
            self.sessions[session.id] = session
            session.dispatch("READY", self._ready(session))
            everyone = bool(intents & GUILD_MEMBERS and intents & GUILD_PRESENCES)
            session.dispatch("GUILD_CREATE", guild_shapes.guild_create(self._world, all_members=everyone))
            connection.session = session

    def _ready(self, session: Session) -> Json:
        return {
            "v": 10,
            "user": shapes.user(self._world.bot) | {"mfa_enabled": True, "verified": True, "email": None},
            "guilds": [{"id": str(self._world.guild_id), "unavailable": True}],
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "application": {"id": str(self._world.application_id), "flags": 0},
        }

    async def _resume(self, connection: Connection, data: Json) -> None:
        self.resumes += 1
        session = self.sessions.get(str(data.get("session_id")))
        after = data.get("seq")
        if data.get("token") != self._token:
            await connection.close(BAD_TOKEN, "Authentication failed.")
        elif session is None or not isinstance(after, int) or not session.can_replay(after):
            connection.send({"op": INVALID, "s": None, "t": None, "d": False})
        else:
            if isinstance(session.line, Connection):
                session.line.session = None
            for event in session.missed(after):
                connection.send(event)
            session.line = connection
            connection.session = session
            session.dispatch("RESUMED", {"_trace": []})

    async def _send_members(self, connection: Connection, session: Session, data: Json) -> None:
        identities = data.get("user_ids")
        wanted = {str(identity) for identity in (identities if isinstance(identities, list) else [identities])} if identities else None
        query = str(data.get("query") or "")
        if wanted is None and not query and not session.intents & GUILD_MEMBERS:
            await connection.close(BAD_INTENTS, "Disallowed intent(s).")
            return
        found = [
            member
            for member in self._world.members.values()
            if (str(member.id) in wanted if wanted is not None else member.name.startswith(query))
        ]
        limit = int(data.get("limit") or 0) or len(found)
        chunk: Json = {
            "guild_id": str(self._world.guild_id),
            "members": [shapes.member(member) for member in found[:limit]],
            "chunk_index": 0,
            "chunk_count": 1,
            "not_found": sorted((wanted or set()) - {str(member.id) for member in found}),
        }
        session.dispatch("GUILD_MEMBERS_CHUNK", chunk | ({"nonce": data["nonce"]} if data.get("nonce") else {}))

    async def close_all(self, code: int) -> None:
        """Close every connection with a code; what is not resumable loses its session."""
        await asyncio.gather(*(connection.close(code) for connection in list(self.connections)))

    def drop_all(self) -> None:
        """Cut every wire."""
        for connection in list(self.connections):
            connection.abort()

    def deafen_all(self) -> None:
        """Half open: the sockets stay up, no ACK and no event comes out of them. New connections work."""
        for connection in self.connections:
            connection.deaf = True

    def announce_all(self, opcode: int, data: bool | None = None) -> None:
        """Send a control opcode to every connection; an invalid session that cannot be resumed is forgotten."""
        if opcode == INVALID and not data:
            self.sessions.clear()
        for connection in self.connections:
            connection.send({"op": opcode, "s": None, "t": None, "d": data})
