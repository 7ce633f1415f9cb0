"""Where the newest image documents say that their files lie. Reads the paths only; knows nothing of the files."""

from __future__ import annotations

from typing import Any

from pymongo import AsyncMongoClient

from bot.ops.bounded import within
from bot.ops.mongo_errors import MONGODB

WITH_FILES = ("generatedimages", "uploadedimages", "generatedvideos")


class FilePaths:
    """The documents of ``database`` that each belong to a file. ``deadline`` (seconds) bounds the question."""

    def __init__(self, client: AsyncMongoClient[dict[str, Any]], database: str, deadline: float) -> None:
        self._database = client[database]
        self._deadline = deadline

    async def newest(self, count: int) -> tuple[str, ...]:
        """The paths of at most ``count`` documents of each kind, the newest first; one without a path is left out."""
        found: list[str] = []
        async with within(MONGODB, self._deadline):
            for name in WITH_FILES:
                documents = self._database[name].find({}, {"_id": 0, "path": 1}, sort=[("_id", -1)], limit=count)
                async for document in documents.max_time_ms(int(self._deadline * 1000)):
                    path = document.get("path")
                    if isinstance(path, str):
                        found.append(path)
        return tuple(found)
