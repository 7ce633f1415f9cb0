"""The outgoing Socket Mode connection: opened, watched, brought back; given up on when it stays away, to be started anew.

slack_sdk reconnects by itself, with two holes closed here: it tries a spent one-use address for ever, and it calls a socket
connected that nobody greeted. Healthy means: a ``hello`` arrived on the connection that is in use.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.connectors.slack_errors import SYSTEM, VENDOR, outside
from bot.errors import Unreachable

_LOG = logging.getLogger("vcc.slack")


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds. ``ping`` is also how long a pong may be missing; ``away`` how long a connection may be gone before all begins anew."""

    ping: float = 5.0
    look: float = 1.0
    probe: float = 30.0
    connect: float = 20.0
    away: float = 45.0


class SocketLink:
    """One Socket Mode connection at a time."""

    def __init__(self, app: AsyncApp, app_client: AsyncWebClient, pace: Pace) -> None:
        self._app = app
        self._client = app_client
        self._pace = pace
        self._handler: AsyncSocketModeHandler | None = None
        self._greeted: Any = None

    def healthy(self) -> bool:
        """Whether the connection in use is open and was greeted."""
        session = self._handler.client.current_session if self._handler is not None else None
        return session is not None and session is self._greeted and not session.closed

    async def run(self, probe: Callable[[], Awaitable[None]]) -> None:
        """Connect and watch until cancelled. OutsideError when the token is no good or the connection stays away."""
        # connect() would try a revoked token for ever without raising.
        async with _translated(self._pace.connect):
            address = str((await self._client.apps_connections_open(app_token=self._client.token or ""))["url"])
        handler = AsyncSocketModeHandler(
            self._app, self._client.token or "", web_client=self._client, ping_interval=self._pace.ping, logger=_LOG.getChild("socket")
        )
        handler.client.message_listeners.append(self._heard)
        handler.client.wss_uri = address
        self._handler = handler
        try:
            async with _translated(self._pace.connect):
                await handler.connect_async()  # type: ignore[no-untyped-call]
            await self._watch(handler, probe)
        finally:
            self._handler = None
            await asyncio.shield(_close(handler))

    async def _heard(self, client: Any, message: dict[str, Any], raw: str | None) -> None:
        if message.get("type") == "hello":
            self._greeted = client.current_session

    async def _watch(self, handler: AsyncSocketModeHandler, probe: Callable[[], Awaitable[None]]) -> None:
        well_at = probed_at = time.monotonic()
        while True:
            await asyncio.sleep(self._pace.look)
            now = time.monotonic()
            if self.healthy():
                well_at = now
            elif now - well_at > self._pace.away:
                raise Unreachable(SYSTEM, "the socket stays away")
            if not await handler.client.is_connected():
                handler.client.wss_uri = None
            if now - probed_at >= self._pace.probe:
                probed_at = now
                await probe()


@asynccontextmanager
async def _translated(seconds: float) -> AsyncIterator[None]:
    """What Slack's libraries raise inside, as our own errors; at most ``seconds``."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except VENDOR as error:
        raise outside(error, seconds) from error


async def _close(handler: AsyncSocketModeHandler) -> None:
    """slack_sdk's own close leaves its tasks able to reconnect; this does not."""
    client = handler.client
    client.closed = True
    client.auto_reconnect_enabled = False
    if client.current_session_monitor is not None:
        client.current_session_monitor.cancel()
    await client.aiohttp_client_session.close()
    await handler.close_async()  # type: ignore[no-untyped-call]
    await asyncio.sleep(0)
