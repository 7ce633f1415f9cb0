"""Reads a directory out of a container into a snapshot, by the engine's archive call; nothing runs inside.

For a deployment whose uploads are not mounted where the bot runs. Knows the engine's calls; not what the files are.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from docker.api.client import APIClient

from bot.ops.container_engine import Engine
from bot.ops.snapshot_stream import take_from
from bot.ops.tree_values import Say, Snapshot, SnapshotResult, Stopping, never, silent

# The longest silence of the engine, and the longest a copy may take at all.
IDLE = 120.0
LONGEST = 12 * 3600.0
_CHUNK = 1 << 20
_TELL_EVERY = 256


class ContainerCopy:
    """One directory of one container, running or stopped, at the engine ``host``."""

    def __init__(self, host: str, container_id: str, path: str) -> None:
        self._engine = Engine(host)
        self._container, self._path = container_id, path

    def close(self) -> None:
        """Close the connections."""
        self._engine.close()

    async def take(
        self, target: Path, previous: Snapshot | None = None, *, progress: Say = silent, cancelled: Stopping = never
    ) -> SnapshotResult:
        """Like ``snapshot.take``; see ``snapshot_stream.take_from``."""

        def work(client: APIClient) -> SnapshotResult:
            with self._chunks(client) as chunks:
                return take_from(chunks, target, previous, progress=progress, cancelled=cancelled)

        return await self._engine.call(work, IDLE, extra=LONGEST)

    @contextlib.contextmanager
    def _chunks(self, client: APIClient) -> Iterator[Iterable[bytes]]:
        chunks, _ = client.get_archive(self._container, self._path, chunk_size=_CHUNK)
        try:
            yield chunks
        finally:
            chunks.close()
