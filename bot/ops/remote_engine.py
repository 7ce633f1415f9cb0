"""The second place of backups at work: what needs the S3 library is put together here, and imported only when it is used."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from bot.errors import Denied, NotFound, OutsideError
from bot.ops.bounded import Workers
from bot.ops.remote_crew import Halted, outlasting
from bot.ops.remote_faults import SkewedClock
from bot.ops.remote_fetch import Fetch
from bot.ops.remote_keep import Keep, damaged_or_newer
from bot.ops.remote_lease import COLLECT, Lease
from bot.ops.remote_names import LEASES
from bot.ops.remote_push import Push
from bot.ops.remote_s3 import S3
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
)
from bot.ops.seal import Seal

FAR_OFF = 300.0
_NOTE = b"{}"


class Engine:
    """Everything that can be done with one bucket and folder."""

    def __init__(self, address: Address, limits: Limits, seal: Seal, staging: Path, workers: Workers) -> None:
        self._s3 = S3(address, limits)
        self._address = address
        self._seal = seal
        self._workers = workers
        self._keep = Keep(self._s3)
        self._push = Push(self._s3, seal, staging, workers)
        self._fetch = Fetch(self._s3, seal, workers)

    def close(self) -> None:
        """Close the connections."""
        self._s3.close()

    async def push(self, source: Path, files: Iterable[Named], called: Called, say: Tell, asked: Asked) -> Pushed:
        """See ``Remote.push``."""
        return await self._push.run(source, files, called=called, say=say, asked=asked)

    async def fetch(self, backup: str, target: Path, known: RemoteBackup | None, say: Tell, asked: Asked) -> Fetched:
        """See ``Remote.fetch``."""
        return await self._fetch.run(backup, target, known, say=say, asked=asked)

    async def listed(self) -> RemoteBackups:
        """See ``Remote.list``."""
        names = await self._workers.run(self._keep.names)
        found = await asyncio.gather(*(self._workers.run(damaged_or_newer, self._keep, name) for name in names))
        backups = sorted((each for each, _ in found if each is not None), key=lambda each: (each.stored_at, each.id), reverse=True)
        return RemoteBackups(tuple(backups), tuple(name for name, (_, readable) in zip(names, found, strict=True) if not readable))

    async def delete(self, backup: str) -> None:
        """See ``Remote.delete``."""
        await self._workers.run(self._keep.delete, backup)

    async def collect(self) -> Collected:
        """See ``Remote.collect``."""
        loop = asyncio.get_running_loop()
        ended = threading.Event()
        async with Lease(self._s3, self._workers, COLLECT).held() as lease:

            def go_on() -> None:
                if ended.is_set():
                    raise Halted
                asyncio.run_coroutine_threadsafe(lease.alone(), loop).result()

            return await outlasting(self._workers.run(self._keep.collect, go_on), ended.set)

    async def problems(self) -> tuple[Problem, ...]:
        """See ``Remote.check``."""
        return await self._workers.run(self._problems)

    def _problems(self) -> tuple[Problem, ...]:
        try:
            skew = abs(self._s3.now() - time.time())
        except SkewedClock:
            return ("clock",)
        except NotFound:
            return ("bucket",)
        except Denied:
            return ("denied",)
        found: list[Problem] = ["clock"] if skew > FAR_OFF else []
        try:
            key = f"{LEASES}check-{uuid.uuid4().hex}"
            self._s3.put(key, _NOTE, sha256(_NOTE).hexdigest())
            self._s3.delete([key])
        except OutsideError as error:
            if not isinstance(error, Denied) and error.key != "error.rejected":
                raise
            found.append("read_only")
        if not self._seal.configured and not self._address.amazon:
            found.append("open")
        return tuple(found)
