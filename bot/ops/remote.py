"""A second place for backups, outside this machine: an S3 bucket and a folder in it. What is there already is not sent again.

Knows files and their hashes; nothing of what a backup means. The S3 library is imported when it is first used.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from bot.ops.bounded import Workers
from bot.ops.remote_values import (
    Address,
    Asked,
    Called,
    Collected,
    Fetched,
    Limits,
    Named,
    Problem,
    Pushed,
    RemoteBackup,
    RemoteBackups,
    Tell,
    unasked,
    untold,
)
from bot.ops.seal import Seal

if TYPE_CHECKING:
    from bot.ops.remote_engine import Engine

_ENGINE = "bot.ops.remote_engine"
# Beside those that carry: one that renews the sign of life, one for whoever lists meanwhile.
_SPARE = 2
_AS_IT_IS = Called()


class Remote:
    """The bucket at ``address``. Files are sealed by ``seal`` before they leave, if it has a key. ``staging`` holds what is under way."""

    def __init__(self, address: Address, seal: Seal, staging: Path, limits: Limits | None = None) -> None:
        self._address = address
        self._seal = seal
        self._staging = staging
        self._limits = limits or Limits()
        self._workers = Workers("remote", self._limits.parallel + _SPARE)
        self._loading: asyncio.Lock | None = None
        self._engine: Engine | None = None

    @property
    def sealed(self) -> bool:
        """Whether what is sent can be read only with the identity."""
        return self._seal.configured

    def close(self) -> None:
        """Let connections and threads go."""
        if self._engine is not None:
            self._engine.close()
        self._workers.close()

    async def push(
        self, source: Path, files: Iterable[Named], *, called: Called = _AS_IT_IS, say: Tell = untold, asked: Asked = unasked
    ) -> Pushed:
        """Send these ``files`` (path within ``source``, bytes, SHA-256), as the backup that is ``called`` so, else as ``source`` is.

        It exists over there whole or not at all. After any failure the same call goes on where it ended. Damaged when a file is not
        what its hash says; Busy while something is collected; Conflict when another backup of this name is there.
        """
        return await (await self._ready()).push(source, files, called._replace(id=called.id or source.name), say, asked)

    async def list(self) -> RemoteBackups:
        """The backups that are whole over there."""
        return await (await self._ready()).listed()

    async def fetch(
        self, backup: str, target: Path, *, known: RemoteBackup | None = None, say: Tell = untold, asked: Asked = unasked
    ) -> Fetched:
        """Bring a backup back as the new directory ``target``: whole and proven, or not at all. Needs the identity if it is sealed.

        Conflict when it is not the one that is ``known``."""
        return await (await self._ready()).fetch(backup, target, known, say, asked)

    async def delete(self, backup: str) -> None:
        """Delete a backup; its objects stay until ``collect``. NotFound."""
        await (await self._ready()).delete(backup)

    async def collect(self) -> Collected:
        """Delete what no backup refers to, if it is a day old. Busy while something is sent."""
        return await (await self._ready()).collect()

    async def check(self) -> tuple[Problem, ...]:
        """What is wrong with it, by name: the bucket, the login, the right to write, the clock, or that it is open to who can read it."""
        return await (await self._ready()).problems()

    async def _ready(self) -> Engine:
        self._loading = self._loading or asyncio.Lock()
        async with self._loading:
            if self._engine is None:
                self._engine = await self._workers.run(self._loaded)
            return self._engine

    def _loaded(self) -> Engine:
        engine: Engine = importlib.import_module(_ENGINE).Engine(self._address, self._limits, self._seal, self._staging, self._workers)
        return engine
