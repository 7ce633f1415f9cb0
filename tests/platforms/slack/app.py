"""A small real Bolt app connected to the fake, for the fake's own tests.

Everything in it is slack_bolt's and slack_sdk's; only the addresses and tokens are the fake's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from tests.platforms.slack.fake import FakeSlack


@asynccontextmanager
async def workspace() -> AsyncIterator[FakeSlack]:
    """A workspace with two people, a channel and a group."""
    async with FakeSlack() as slack:
        slack.add_user("U1", "ada")
        slack.add_user("U2", "ben")
        slack.add_channel("C1", "ops")
        slack.add_group("S1", "admins", ["U1"])
        yield slack


def client_of(slack: FakeSlack, token: str = "") -> AsyncWebClient:
    """The real Web API client, as the bot unless told."""
    return AsyncWebClient(token=token or slack.bot_token, base_url=slack.base_url, timeout=5)


def app_of(slack: FakeSlack) -> AsyncApp:
    """A Bolt app that talks to this workspace."""
    return AsyncApp(client=client_of(slack), signing_secret=slack.signing_secret)


@asynccontextmanager
async def connected(slack: FakeSlack, app: AsyncApp, ping_interval: float = 0.2) -> AsyncIterator[AsyncSocketModeHandler]:
    """The app's Socket Mode connection, up when handed over and closed afterwards."""
    before = slack.connections
    handler = AsyncSocketModeHandler(app, slack.app_token, web_client=client_of(slack, slack.app_token), ping_interval=ping_interval)
    try:
        await handler.connect_async()  # type: ignore[no-untyped-call]
        await slack.until(lambda: slack.connections > before)
        yield handler
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]
