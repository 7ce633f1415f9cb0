"""Runs the real discord.py against a fake: points it there, starts a client as a task, and closes it cleanly."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import aiohttp
import discord
import yarl
from aiohttp.abc import AbstractResolver, ResolveResult
from discord.gateway import DiscordWebSocket
from discord.http import Route

from .fake import FakeDiscord


@contextmanager
def pointed_at(api_url: str, gateway_url: str) -> Iterator[None]:
    """Every client made in this process talks to these addresses until the end of the block: the library keeps them on classes."""
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = api_url, yarl.URL(gateway_url)
    try:
        yield
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = before


class PatientlessClient(discord.Client):
    """A client that does not wait 5 s before it identifies again, by the library's own hook."""

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """No waiting: there is no limit on a fake's identifies."""


def make_client(**options: Any) -> PatientlessClient:
    """A client with short waits; ``options`` as of discord.Client."""
    intents = discord.Intents.default()
    intents.members = True
    given: dict[str, Any] = {"intents": intents, "guild_ready_timeout": 0.05} | options
    return PatientlessClient(**given)


@asynccontextmanager
async def running(
    client: discord.Client, fake: FakeDiscord, *trees: discord.app_commands.CommandTree[Any]
) -> AsyncIterator[asyncio.Task[None]]:
    """Log in, register the trees in the guild, connect; at the end close and see the task through."""
    sessions = len(fake.gateway.listening)
    async with client:
        await client.login(fake.token)
        for tree in trees:
            await tree.sync(guild=discord.Object(fake.guild_id))
        task = asyncio.create_task(client.connect())
        try:
            await fake.until_connected(sessions + 1)
            async with asyncio.timeout(60):
                await client.wait_until_ready()
            yield task
        finally:
            await client.close()
            await asyncio.gather(task, return_exceptions=True)


class _Resolver(AbstractResolver):
    """Sends every host name to one port of this machine."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        """The fake's address, whatever is asked."""
        address = {"hostname": host, "host": "127.0.0.1", "port": self._port}
        return [ResolveResult(**address, family=socket.AF_INET, proto=0, flags=0)]  # type: ignore[typeddict-item]

    async def close(self) -> None:
        """Nothing is held."""


def connector_to(fake: FakeDiscord) -> aiohttp.TCPConnector:
    """For ``Client(connector=...)``: two clients in one process, the same Route.BASE with a host name, two fakes."""
    return aiohttp.TCPConnector(resolver=_Resolver(yarl.URL(fake.api_url).port or 0), use_dns_cache=False)
