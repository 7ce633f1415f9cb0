"""Whether VCC's own backup or restore, inside the application, is at work; its documents say so. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymongo import AsyncMongoClient

from bot.errors import Conflict
from bot.ops.bounded import within
from bot.ops.mongo_errors import MONGODB

_AT_WORK = {"backupjobs": ("pending", "processing"), "restorejobs": ("validating", "processing")}


class AppBackups:
    """The application's own jobs in ``database``. ``deadline`` (seconds) bounds the question."""

    def __init__(self, client: AsyncMongoClient[dict[str, Any]], database: str, deadline: float) -> None:
        self._database = client[database]
        self._deadline = deadline

    async def running(self) -> Sequence[str]:
        """``backupjobs`` and ``restorejobs``, as far as one of them is at work; a version without these has neither."""
        found = []
        async with within(MONGODB, self._deadline):
            for name, states in _AT_WORK.items():
                if await self._database[name].find_one({"status": {"$in": list(states)}}, {"_id": 1}) is not None:
                    found.append(name)
        return found

    async def refuse_while_running(self) -> None:
        """Conflict while one of them is at work."""
        for name in await self.running():
            raise Conflict("backup.app_busy_backup" if name == "backupjobs" else "backup.app_busy_restore")
