"""All documents of one collection as the server sends them: raw bytes in batches of bounded size, in natural order.

Knows nothing of files; nothing is decoded.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any

from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import PyMongoError

from bot.errors import Denied, NotFound, Rejected
from bot.ops.bounded import within
from bot.ops.dump_client import DEADLINE, Database, Document
from bot.ops.mongo_errors import MONGODB

# A batch of a million tiny documents would be as slow to count as it is small to send.
BATCH = 1 << 20
_MOST = 10_000
_FAREWELL = 2.0
Session = AsyncClientSession | None


async def sizes(database: Database, name: str) -> tuple[int, int]:
    """(documents, bytes) by the collection's own book-keeping; zeros when it does not say."""
    try:
        async with within(MONGODB, DEADLINE):
            rows = await (await database[name].aggregate([{"$collStats": {"storageStats": {}}}])).to_list()
    except (Rejected, Denied, NotFound):
        return 0, 0
    parts: list[dict[str, Any]] = [row.get("storageStats", {}) for row in rows]
    return sum(int(part.get("count", 0)) for part in parts), sum(int(part.get("size", 0)) for part in parts)


def batch_size(documents: int, size: int) -> int:
    """How many documents of their mean size make a batch."""
    return max(1, min(_MOST, BATCH * max(1, documents) // max(1, size)))


async def raw_batches(collection: AsyncCollection[Document], count: int, session: Session = None) -> AsyncGenerator[bytes, None]:
    """The documents, about ``count`` a batch. OutsideError for what the server or the connection does wrong."""
    cursor = collection.find_raw_batches(batch_size=count, session=session)
    try:
        while True:
            async with within(MONGODB, DEADLINE):
                try:
                    batch = await cursor.next()
                except StopAsyncIteration:
                    return
            yield bytes(batch)  # type: ignore[arg-type]
            # Not to be held while the next one comes.
            del batch
    finally:
        # The server forgets a cursor by itself, if later.
        with contextlib.suppress(PyMongoError, TimeoutError):
            async with asyncio.timeout(_FAREWELL):
                await cursor.close()
