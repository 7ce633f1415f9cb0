"""The Docker SDK behind threads of its own: one call at a time per thread, each with a deadline, errors in our words.

Knows how to reach an engine; what to ask it is ``containers``' business.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import TypeVar

from docker.api.client import APIClient
from docker.constants import DEFAULT_DOCKER_API_VERSION

from bot.ops.bounded import Workers, within
from bot.ops.container_errors import DOCKER

Result = TypeVar("Result")
THREADS = 8


class Engine:
    """Connects when first asked. The SDK's socket time-out ends what our deadline has given up, so threads come back."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._workers = Workers("docker", THREADS)
        self._clients: dict[float, APIClient] = {}
        self._version = ""
        self._connecting: asyncio.Lock | None = None

    async def call(self, work: Callable[[APIClient], Result], deadline: float, *, extra: float = 0.0) -> Result:
        """Do ``work`` with a client whose socket waits ``deadline`` seconds; ``extra`` is what ``work`` itself adds to that."""
        async with within(DOCKER, deadline + extra):
            client = await self._client(deadline)
            return await self._workers.run(work, client)

    async def version(self, deadline: float) -> str:
        """The API version spoken with this engine, such as ``1.41``."""
        await self.call(lambda _client: None, deadline)
        return self._version

    async def _client(self, timeout: float) -> APIClient:
        """One client for each time-out. Only one caller connects; the others wait here, within their own deadlines."""
        if timeout in self._clients:
            return self._clients[timeout]
        self._connecting = self._connecting or asyncio.Lock()
        async with self._connecting:
            if timeout not in self._clients:
                self._clients[timeout] = await self._workers.run(self._connect, timeout)
            return self._clients[timeout]

    def _connect(self, timeout: float) -> APIClient:
        """A client that speaks the engine's own version. The SDK leaves sockets open when it fails, so it is asked with care."""
        if not self._version:
            self._knock(timeout)
            first = APIClient(base_url=self._host, version=DEFAULT_DOCKER_API_VERSION, timeout=timeout)  # type: ignore[arg-type]
            with contextlib.closing(first):
                self._version = str(first.version(api_version=False).get("ApiVersion", DEFAULT_DOCKER_API_VERSION))
        return APIClient(base_url=self._host, version=self._version, timeout=timeout)  # type: ignore[arg-type]

    def _knock(self, timeout: float) -> None:
        """Whether a unix socket is there at all: OSError when not."""
        scheme, _, path = self._host.partition("://")
        if scheme == "unix":
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(timeout)
                probe.connect(path)

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        self._workers.close()
