"""What a container leaves behind, for whoever has to find out what happened in it: changed files, processes. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from docker.api.client import APIClient

from bot.errors import Rejected
from bot.ops.container_engine import Engine

# The engine walks the container's whole file system.
_SLOW = 60.0
_KINDS = {0: "changed", 1: "added", 2: "deleted"}
MOST = 20_000


class Traces:
    """Of the containers of one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def changed_files(self, container_id: str) -> tuple[tuple[str, str], ...]:
        """(added, changed or deleted; path) for what differs from the image; volumes are no part of it. At most MOST."""
        found = await self._engine.call(lambda client: client.diff(container_id), _SLOW) or ()
        return tuple((_KINDS.get(int(each["Kind"]), "?"), str(each["Path"])) for each in found[:MOST])

    async def processes(self, container_id: str) -> Mapping[str, Any]:
        """Titles and rows as ``docker top`` shows them; empty when nothing runs."""

        def work(client: APIClient) -> Mapping[str, Any]:
            return cast(Mapping[str, Any], client.top(container_id))

        try:
            return await self._engine.call(work, _SLOW)
        except Rejected:  # it is stopped
            return {}
