"""Excerpts of the database for a bundle of evidence: who could come in, what was done lately. Bounded; no password, no prompt.

Only named fields are read, so nothing else can slip in. Reads only.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from bson import ObjectId
from pymongo import AsyncMongoClient

from bot.ops.bounded import within
from bot.ops.mongo_errors import MONGODB

USERS_AT_MOST, JOBS_AT_MOST, KEYS_AT_MOST = 20_000, 2_000, 5_000
_SLOW = 60.0
_USER = ("email", "nickname", "authProvider", "isAdmin", "isActive", "approvalStatus", "lastLogin", "createdAt", "updatedAt")
_JOB = ("userId", "workboardId", "status", "createdAt", "startedAt", "completedAt", "updatedAt", "retryCount", "queueJobId")
_KEY = ("userId", "name", "prefix", "isRevoked", "revokedAt", "lastUsedAt", "expiresAt", "createdAt")
_EXCERPTS = {
    "users": ("users", _USER, [("lastLogin", -1)], USERS_AT_MOST),
    "jobs": ("imagegenerationjobs", _JOB, [("createdAt", -1)], JOBS_AT_MOST),
    "keys": ("apikeys", _KEY, [("createdAt", -1)], KEYS_AT_MOST),
}
NAMES = tuple(_EXCERPTS)


class Excerpts:
    """Of ``database``."""

    def __init__(self, client: AsyncMongoClient[dict[str, Any]], database: str) -> None:
        self._database = client[database]

    async def read(self, name: str) -> AsyncIterator[dict[str, Any]]:
        """The documents of one excerpt (see NAMES), the newest first, JSON-able; nothing where there is no such collection."""
        collection, fields, order, limit = _EXCERPTS[name]
        async with within(MONGODB, _SLOW):
            found = self._database[collection].find({}, dict.fromkeys(fields, 1)).sort(order).limit(limit)
            async for document in found.allow_disk_use(True):
                yield {field: _plain(value) for field, value in document.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, ObjectId) else value
