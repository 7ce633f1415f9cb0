"""FakeDiscord: a real HTTP and WebSocket server on loopback that behaves as Discord does, and the handles tests turn.

The composition root of the fake; everything else here knows only its own part.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from bot.testing.waiting import PATIENCE

from . import shapes
from .channel_routes import ChannelRoutes
from .clock import Changes, Clock
from .command_tree import CommandTree
from .deliveries import Delivery
from .errors import Json
from .faults import Failure, Fault
from .gateway import INVALID, RECONNECT, Gateway
from .guild_routes import GuildRoutes
from .interactions import InteractionDesk
from .message_desk import MessageDesk
from .oracle import Oracle
from .people import People
from .records import VIEW_CHANNEL, Call, Channel, Message, Role
from .rest import BODY_LIMIT, PREFIX, Rest
from .webhook_routes import WebhookRoutes
from .world import World

TOKEN = "MTAwMDAwMDAwMDAwMDAwMDAwMA.fake.discord-token-of-the-tests"


class FakeDiscord:
    """One guild, one application. ``async with FakeDiscord() as discord: ...``

    ``oracle=True`` also asks Discord's own description about every request and every answer, where that file is
    present; what it finds is in ``violations``, and a faulty request is refused.
    """

    def __init__(self, *, token: str = TOKEN, oracle: bool = False) -> None:
        self.token = token
        self.clock = Clock()
        self.changes = Changes()
        self.world = World(self.clock)
        self.gateway = Gateway(self.world, token, self.changes)
        self.rest = Rest(self.clock, token, self.changes, Oracle() if oracle and Oracle.present() else None)
        self.desk = MessageDesk(self.world, self.gateway.dispatch)
        self.tree = CommandTree(self.world)
        self.interactions = InteractionDesk(self.world, self.desk, self.changes)
        self.people = People(self.world, self.tree, self.interactions, self.gateway.dispatch)
        self._guild_routes = GuildRoutes(self.world, self.tree, self.gateway.dispatch)
        self._runner: web.AppRunner | None = None
        self.api_url = ""
        self.gateway_url = ""

    # life

    async def start(self) -> None:
        """Listen on a free port of the loopback interface."""
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.desk.base = f"http://{host}:{port}"
        self.api_url = f"{self.desk.base}{PREFIX}"
        self.gateway_url = self.gateway.url = self._guild_routes.gateway_url = f"ws://{host}:{port}/"

    async def stop(self) -> None:
        """Cut every connection and free the port."""
        self.rest.release()
        self.gateway.drop_all()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.stop()

    def _application(self) -> web.Application:
        app = web.Application(client_max_size=BODY_LIMIT)
        app.router.add_get("/", self.gateway.handle)
        app.router.add_get("/attachments/{channel_id}/{file_id}/{filename}", self._attachment)
        channels = ChannelRoutes(self.world, self.desk, self.gateway.dispatch)
        for method, route, function in [*self._guild_routes.table(), *channels.table()]:
            self.rest.add(app, method, route, function)
        for method, route, function in WebhookRoutes(self.interactions, self.desk).table():
            self.rest.add(app, method, route, function, tokenless=True)
        app.router.add_route("*", PREFIX + "/{rest:.*}", self.rest.unknown_route)
        return app

    async def _attachment(self, request: web.Request) -> web.Response:
        file = self.world.files.get(int(request.match_info["file_id"]))
        return web.Response(body=file.data, content_type="application/octet-stream") if file else web.Response(status=404)

    # the guild

    @property
    def guild_id(self) -> int:
        """The only guild."""
        return self.world.guild_id

    @property
    def application_id(self) -> int:
        """The application; the bot's user has the same id."""
        return self.world.application_id

    def add_member(self, name: str, *, roles: Iterable[int] = (), id: int | None = None) -> int:
        """A person joins."""
        member = self.world.add_member(name, roles, id)
        self.gateway.dispatch("GUILD_MEMBER_ADD", shapes.member(member) | {"guild_id": str(self.guild_id)})
        return member.id

    def remove_member(self, member_id: int) -> None:
        """A person leaves."""
        self.people.leave(member_id)

    def add_role(self, name: str, members: Iterable[int] = (), *, permissions: int = 0, id: int | None = None) -> int:
        """A role, given to some members."""
        role: Role = self.world.add_role(name, permissions, id)
        self.gateway.dispatch("GUILD_ROLE_CREATE", {"guild_id": str(self.guild_id), "role": shapes.role(self.world, role)})
        for member in members:
            self.set_roles(member, [*self.world.members[member].roles, role.id])
        return role.id

    def set_roles(self, member_id: int, roles: Iterable[int]) -> None:
        """Exactly these roles; the bot hears GUILD_MEMBER_UPDATE."""
        self.people.give_roles(member_id, list(roles))

    def remove_role(self, member_id: int, role_id: int) -> None:
        """Take one role away."""
        self.set_roles(member_id, [role for role in self.world.members[member_id].roles if role != role_id])

    def add_channel(self, name: str, id: int | None = None) -> int:
        """A text channel."""
        channel = self.world.add_channel(Channel(id or self.world.mint.next(), name))
        self.gateway.dispatch("CHANNEL_CREATE", shapes.channel(self.world, channel))
        return channel.id

    def deny(self, channel_id: int, bits: int = VIEW_CHANNEL) -> None:
        """Take rights from the bot in a channel: 50001 when it is VIEW_CHANNEL, 50013 otherwise."""
        channel = self.world.channels[channel_id]
        channel.denied = bits
        self.gateway.dispatch("CHANNEL_UPDATE", shapes.channel(self.world, channel))

    @property
    def commands(self) -> list[Json]:
        """What the bot registered, the guild's commands first."""
        return self.tree.everything

    # people

    async def slash(self, member_id: int, channel_id: int, path: str, options: Mapping[str, Any] | None = None) -> Delivery:
        """Type ``/path`` with options; NotOffered when Discord's client would not send it."""
        return self.people.slash(member_id, channel_id, path, options or {})

    async def autocomplete(
        self, member_id: int, channel_id: int, path: str, options: Mapping[str, Any] | None = None, *, focused: str
    ) -> list[Json]:
        """What is offered for the ``focused`` option, whose text so far is in ``options``."""
        return await self.people.autocomplete(member_id, channel_id, path, options or {}, focused)

    async def press(self, member_id: int, message_id: int, wanted: str, values: list[str] | None = None) -> Delivery:
        """Press a button (or choose ``values``) by custom id or label."""
        return self.people.press(member_id, message_id, wanted, values)

    async def submit(self, opened: Delivery, values: Mapping[str, str]) -> Delivery:
        """Send the modal opened by an interaction."""
        return self.people.submit(opened, values)

    async def say(self, member_id: int, channel_id: int, content: str) -> Message:
        """Write an ordinary message."""
        return self.desk.said_by(self.world.channels[channel_id], member_id, content)

    async def pin(self, member_id: int, message: Message) -> Message:
        """Pin a message: the channel is told by a message of whoever did."""
        message.pinned = True
        reference = {"type": 0, "message_id": str(message.id), "channel_id": str(message.channel_id), "guild_id": str(self.guild_id)}
        return self.desk.told_pinned(self.world.channels[message.channel_id], member_id, reference)

    async def redeliver(self, delivery: Delivery) -> None:
        """Deliver the same interaction once more."""
        self.people.send(delivery)

    # what the bot did

    def messages(self, channel_id: int) -> list[Message]:
        """A channel's messages, oldest first, ephemeral ones (``ephemeral_to``) among them."""
        return self.world.messages_in(channel_id)

    @property
    def notifications(self) -> list[tuple[int, str]]:
        """(message id, target) for each mention by the bot that would notify."""
        said = [message for message in self.world.messages.values() if message.author == self.world.bot.id]
        return [(message.id, target) for message in said for target in message.mentions.targets()]

    @property
    def calls(self) -> list[Call]:
        """Every REST request so far."""
        return self.rest.calls

    @property
    def violations(self) -> list[str]:
        """What Discord's own description found wrong, with requests and with our answers."""
        return self.rest.violations

    async def until(self, condition: Callable[[], object], seconds: float = PATIENCE) -> None:
        """Wait for something to be true of this fake."""
        await self.changes.until(condition, seconds)

    async def until_connected(self, sessions: int = 1, seconds: float = PATIENCE) -> None:
        """Wait until that many clients are identified and listening."""
        await self.changes.until(lambda: len(self.gateway.listening) >= sessions, seconds)

    # what goes wrong

    def fail(self, route: str, status: Failure = 500, times: int = 1, retry_after: float = 0.1, *, everywhere: bool = False) -> None:
        """Let requests fail whose ``METHOD /path`` (without /api/v10) the pattern is found in.

        ``status``: an HTTP status, or "hang" (no answer until ``heal``), "drop" (cut before), "lost" (done, then cut).
        """
        self.rest.faults.plan(Fault(re.compile(route), status, times, retry_after, everywhere))

    async def close_gateway(self, code: int = 4000) -> None:
        """Close as Discord does: 4000 and 1001 can be resumed, 4009 not, 4004 is final."""
        await self.gateway.close_all(code)

    def drop_gateway(self) -> None:
        """Cut the wire without a close frame."""
        self.gateway.drop_all()

    def half_open(self) -> None:
        """The present sockets stay up and say nothing any more, not even heartbeat ACKs."""
        self.gateway.deafen_all()

    def block_gateway(self) -> None:
        """New gateway connections get 503 until ``heal``."""
        self.gateway.blocked = True

    def invalidate_session(self, *, resumable: bool = False) -> None:
        """Opcode 9."""
        self.gateway.announce_all(INVALID, resumable)

    def ask_reconnect(self) -> None:
        """Opcode 7."""
        self.gateway.announce_all(RECONNECT)

    def heal(self) -> None:
        """End every planned failure; hanging requests are cut, half-open sockets too."""
        self.rest.faults.forget()
        self.rest.release()
        self.gateway.blocked = False
        for connection in list(self.gateway.connections):
            if connection.deaf:
                connection.abort()
