"""Slack's door: hears people over Socket Mode or signed HTTP, and puts its parts together. Translates, and decides nothing."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping, Sequence

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_sdk.web.async_client import AsyncWebClient

from bot.connectors.slack_check import SlackCheck
from bot.connectors.slack_courier import SlackCourier
from bot.connectors.slack_errors import TIMEOUT, VENDOR, outside
from bot.connectors.slack_inbox import Inbox
from bot.connectors.slack_link import Pace, SocketLink
from bot.connectors.slack_rooms import SlackRooms, lost
from bot.connectors.slack_roster import SlackRoster, wanted_groups
from bot.doors import Connector, Doors
from bot.errors import Denied, OutsideError, Unreachable
from bot.model import Account, Place
from bot.outbox import Checkpoint
from bot.rooms import RoomWish
from bot.services import Finding
from bot.store.message_rows import Message
from bot.words import Words


class SlackConnector:
    """One workspace."""

    platform = "slack"

    def __init__(self, doors: Doors, pace: Pace) -> None:
        settings = doors.settings
        address = settings.slack_api_url.rstrip("/") + "/"
        # No retry handlers: theirs post twice when only the answer is lost. The outbox retries, and looks before it does.
        self._client = AsyncWebClient(settings.slack_bot_token.get_secret_value(), address, TIMEOUT, retry_handlers=[])
        app_client = AsyncWebClient(settings.slack_app_token.get_secret_value(), address, TIMEOUT, retry_handlers=[])
        self._pace = pace
        self._secret = settings.slack_signing_secret.get_secret_value()
        self._inbox = Inbox(doors.dispatch, doors.words, self._client, doors.notes)
        self._app = self._inbox.app(self._secret)
        self._link = SocketLink(self._app, app_client, pace) if app_client.token else None
        self._courier = SlackCourier(self._client, doors.words)
        self._roster = SlackRoster(self._client, wanted_groups(settings))
        self._rooms = SlackRooms(self._client, self._roster)
        self._check = SlackCheck(settings, self._client, app_client, self._roster)
        self._probed_well_at = -math.inf

    async def run(self) -> None:
        """Listen until cancelled; OutsideError when the token is no good or the connection stays away."""
        try:
            await self._identify()
            if self._link is not None:
                await self._link.run(self._probe)
            while True:
                await asyncio.sleep(self._pace.probe)
                await self._probe()
        finally:
            self._probed_well_at = -math.inf
            await self._inbox.close()

    async def _identify(self) -> None:
        """Who we are. Raises what is wrong with the token."""
        try:
            async with asyncio.timeout(TIMEOUT):
                answer = await self._client.auth_test()
        except VENDOR as error:
            raise outside(error) from error
        self._inbox.identity = {name: str(answer.get(name) or "") for name in ("user_id", "bot_id", "team_id")}
        self._probed_well_at = time.monotonic()

    async def _probe(self) -> None:
        """A round trip; a token that is no good any more ends the run, an outage shows in the health only."""
        try:
            await self._identify()
        except Denied:
            raise
        except OutsideError:
            return

    def healthy(self) -> bool:
        """Whether people can be heard now."""
        answers = time.monotonic() - self._probed_well_at < 2 * self._pace.probe + TIMEOUT
        if self._link is not None:
            return answers and self._link.healthy()
        return answers and bool(self._secret)

    def routes(self) -> Sequence[web.RouteDef]:
        """Signed requests, when that is the way in; Bolt checks signature and age of each."""
        return [web.post("/slack/events", self._receive)] if self._link is None and self._secret else []

    async def _receive(self, request: web.Request) -> web.Response:
        if not self._inbox.identity:
            return web.Response(status=503, text="starting")
        return await to_aiohttp_response(await self._app.async_dispatch(await to_bolt_request(request)))

    def lane(self, message: Message) -> str:
        """Slack limits messages by channel. One message never changes its lane, or two of its versions could cross."""
        return message.place.channel

    async def deliver(self, message: Message, checkpoint: Checkpoint) -> Mapping[str, str]:
        """Post, change or whisper."""
        return await self._courier.deliver(message, checkpoint)

    async def find(self, message: Message) -> Mapping[str, str] | None:
        """What was posted of a message in doubt."""
        return await self._courier.find(message)

    async def open_room(self, wish: RoomWish) -> Place | None:
        """A channel for an incident."""
        if not self._inbox.identity:
            raise Unreachable("slack", "not connected yet")
        return await self._rooms.open(wish, self._inbox.identity.get("user_id", ""))

    def room_lost(self, reason: str) -> bool:
        """Whether that tells of a channel that is gone."""
        return lost(reason)

    async def groups_of(self, account: Account) -> frozenset[Account]:
        """The user groups of an account."""
        return await self._roster.groups_of(account)

    async def check(self, words: Words) -> Sequence[Finding]:
        """What is misconfigured."""
        return await self._check.findings(words)


def build(doors: Doors, pace: Pace | None = None) -> Connector:
    """Slack's connector. ``pace`` is for tests."""
    return SlackConnector(doors, pace or Pace())
