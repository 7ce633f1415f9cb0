"""Signs of life in the bucket, so that nothing is deleted while something is sent, from whatever machine.

Each side first says that it is there, then looks for the other: both may give way, but they never both go on.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator
from hashlib import sha256

from bot.errors import Busy, Conflict, OutsideError
from bot.ops.bounded import Workers
from bot.ops.remote_names import LEASES
from bot.ops.remote_s3 import S3

PUSH, COLLECT = "push", "collect"
_OTHER = {PUSH: COLLECT, COLLECT: PUSH}
_NOTHING = b"{}"
_RENEWED = 5


class Lease:
    """One sign of life, of ``kind`` push or collect. It is renewed while it is held."""

    def __init__(self, s3: S3, workers: Workers, kind: str) -> None:
        self._s3 = s3
        self._workers = workers
        self._kind = kind
        self._key = f"{LEASES}{kind}-{uuid.uuid4().hex}"
        self._renewed = 0.0

    @contextlib.asynccontextmanager
    async def held(self) -> AsyncIterator[Lease]:
        """Held inside. Busy when the other side is at work."""
        await self.renew()
        renewing = asyncio.create_task(self._renewing())
        try:
            await self.alone()
            yield self
        finally:
            renewing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await renewing
            with contextlib.suppress(OutsideError):
                await self._workers.run(self._s3.delete, [self._key])

    async def renew(self) -> None:
        """Say that it is there."""
        begun = time.monotonic()
        await self._workers.run(self._s3.put, self._key, _NOTHING, sha256(_NOTHING).hexdigest())
        self._renewed = begun

    async def alone(self) -> None:
        """Busy when the other side is at work; Conflict when this one was silent for so long that the other may have been."""
        if time.monotonic() - self._renewed > self._s3.limits.lease_s:
            raise Conflict("remote.lease_lost")
        if await self._workers.run(self._others):
            raise Busy(f"remote.busy_{_OTHER[self._kind]}")

    def _others(self) -> bool:
        oldest = self._s3.now() - self._s3.limits.lease_s
        return any(each.at > oldest for each in self._s3.listed(f"{LEASES}{_OTHER[self._kind]}-"))

    async def _renewing(self) -> None:
        while True:
            await asyncio.sleep(self._s3.limits.lease_s / _RENEWED)
            # What keeps it from being renewed shows where it counts: ``alone`` asks how long ago it was.
            with contextlib.suppress(OutsideError):
                await self.renew()
