"""The fake Slack a test talks to: one workspace, its people, its faults, and what it shows.

slack_bolt and slack_sdk connect to it through ``base_url`` and nothing of them is replaced.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from bot.testing.waiting import PATIENCE
from tests.platforms.slack.clock import Clock
from tests.platforms.slack.faults import Fault
from tests.platforms.slack.people import People
from tests.platforms.slack.rates import RateLimits
from tests.platforms.slack.server import Server
from tests.platforms.slack.site import Site
from tests.platforms.slack.wire import ApiCall
from tests.platforms.slack.world import BOT_USER, Channel, FakeFile, Group, Message, Notification, User, World


class FakeSlack(People):
    """``async with FakeSlack() as slack:`` and point the libraries at ``slack.base_url``."""

    def __init__(self) -> None:
        clock = Clock()
        super().__init__(Site(clock, World(clock.wall), RateLimits(clock.now)))
        self._server: Server | None = None

    # --- life

    async def start(self) -> Self:
        """Listen on a free loopback port; on the same one again after a stop."""
        self.hub.resume()
        self._server = Server(self.site, self.hub, self.response_urls)
        self.site.port = await self._server.start()
        return self

    async def stop(self) -> None:
        """Close every connection and stop listening."""
        await self.leave()
        self.site.faults.heal()
        self.hub.stop()
        if self._server is not None:
            await self._server.stop()
            self._server = None

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.stop()

    # --- addresses and credentials

    @property
    def base_url(self) -> str:
        """For ``AsyncWebClient(base_url=...)``."""
        return f"{self.site.origin}/api/"

    @property
    def bot_token(self) -> str:
        """The only bot token that is good."""
        return self.site.bot_token

    @property
    def app_token(self) -> str:
        """The only app-level token that is good."""
        return self.site.app_token

    @property
    def signing_secret(self) -> str:
        """Signs what comes over HTTP."""
        return self.site.signing_secret

    @property
    def bot_user(self) -> str:
        """The id of the bot itself."""
        return BOT_USER

    @property
    def clock(self) -> Clock:
        """``clock.advance(seconds)`` lets deadlines and limits pass."""
        return self.site.clock

    @property
    def limits(self) -> RateLimits:
        """The rate limits; set ``enforced`` to False when a test is not about them."""
        return self.site.limits

    @property
    def scopes(self) -> set[str]:
        """What the bot token may do; discard from it."""
        return self.site.scopes

    # --- the workspace

    def add_user(self, id: str, name: str) -> User:
        """A person joins."""
        self.site.world.users[id] = User(id, name)
        return self.site.world.users[id]

    def add_channel(
        self, id: str, name: str, members_include_bot: bool = True, private: bool = False, members: Iterable[str] | None = None
    ) -> Channel:
        """A channel; without ``members`` everybody is in it."""
        channel = Channel(id, name, private, members_include_bot, members=None if members is None else set(members))
        self.site.world.channels[id] = channel
        return channel

    def add_direct(self, user: str) -> Channel:
        """The direct messages between this person and the bot."""
        return self.site.world.direct(user)

    def add_group(self, id: str, handle: str, users: Iterable[str]) -> Group:
        """A user group; change ``users`` or set ``disabled`` on what is returned."""
        self.site.world.groups[id] = Group(id, handle, list(users))
        return self.site.world.groups[id]

    def remove_group(self, id: str) -> None:
        """The group is gone for good."""
        del self.site.world.groups[id]

    @property
    def plan_upgrade_required(self) -> bool:
        """True on a free plan: user groups answer ``plan_upgrade_required``."""
        return self.site.world.plan_upgrade_required

    @plan_upgrade_required.setter
    def plan_upgrade_required(self, value: bool) -> None:
        self.site.world.plan_upgrade_required = value

    # --- what is seen

    def messages(self, channel: str) -> list[Message]:
        """What everybody in the channel sees now, threads included, oldest first."""
        return self.site.world.visible(channel)

    def ephemerals(self, user: str) -> list[Message]:
        """What only this person sees now, Slackbot's complaints included."""
        return [message for message in self.site.world.messages if message.ephemeral_to == user and not message.deleted]

    def files(self, channel: str) -> list[FakeFile]:
        """The files shared in a channel."""
        return [file for file in self.site.world.files.values() if file.channel == channel]

    @property
    def calls(self) -> list[ApiCall]:
        """Every call: API methods, and ``upload`` and ``response_url``."""
        return self.site.calls

    def calls_of(self, method: str) -> list[ApiCall]:
        """The calls of one method."""
        return [call for call in self.site.calls if call.method == method]

    @property
    def notifications(self) -> list[Notification]:
        """Everybody any message would have called so far."""
        return self.site.world.notifications

    @property
    def connections(self) -> int:
        """Open Socket Mode connections that were not told to go."""
        return sum(not connection.draining for connection in self.hub.open)

    @property
    def opened(self) -> int:
        """How many Socket Mode connections there have been."""
        return len(self.hub.open) + len(self.hub.closed)

    async def until(self, condition: Callable[[], object], within: float = PATIENCE) -> None:
        """Wait for a condition; TimeoutError after ``within`` real seconds."""
        async with asyncio.timeout(within):
            while not condition():  # noqa: ASYNC110  (any condition can be waited for; it sets no event)
                await asyncio.sleep(0.005)

    # --- faults

    def fail(
        self, method: str = "*", *, status: int | str = 500, times: int = 1, retry_after: int = 1, after: bool = False, error: str = ""
    ) -> None:
        """Break the next ``times`` calls: an HTTP status, ``"hang"`` or ``"drop"``.

        ``after`` does the work first and loses only the answer. ``method`` may also be upload, response_url or socket.
        """
        self.site.faults.add(Fault(method, status, times, retry_after, after, error))

    def drop_sockets(self) -> None:
        """Cut every Socket Mode connection without a word."""
        self.hub.drop()

    async def disconnect(self, reason: str = "refresh_requested", *, close: bool = False) -> None:
        """Ask every connection to go (``warning``, ``refresh_requested``, ``link_disabled``), and close it if told so."""
        for connection in list(self.hub.open):
            await self.hub.tell_disconnect(connection, reason)
            if close:
                await connection.socket.close()

    def half_open(self, *, new_too: bool = False) -> None:
        """TCP stays up and nothing is said: no pongs, no envelopes; on new connections too if told so."""
        self.hub.mute(new_too)

    def heal(self) -> None:
        """End all faults. Connections already half open stay so; new ones work."""
        self.site.faults.heal()
        self.hub.mute_new = False
