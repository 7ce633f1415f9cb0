"""What the tests of fetching share: a shelf, a bucket behind a proxy, and what brings backups from there."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from bot.backup.fetch import Brought, Fetching, Offer
from bot.backup.remote_copy import send
from bot.backup.shelf import PROOF, Shelf
from bot.backup.work import Hooks, Threads
from bot.config import Settings
from bot.ops.bounded import Workers
from bot.ops.bundle import Ops
from bot.ops.remote import Remote
from bot.ops.seal import Seal
from tests.bot.backup.parts import NOW
from tests.bot.ops.remote_parts import Bucket
from tests.s3_parts import Proxy


@dataclass
class Parts:
    """The adapters that fetching asks for."""

    remote: Remote
    seal: Seal
    project: str = "p"
    shelf_threads: Workers = field(default_factory=lambda: Workers("shelf", 1))


@dataclass
class Place:
    """A shelf, a bucket behind a proxy, and what brings backups from there."""

    shelf: Shelf
    proxy: Proxy
    bucket: Bucket
    parts: Parts
    told: list[str] = field(default_factory=list)

    def fetching(self, hooks: Hooks | None = None) -> Fetching:
        settings = Settings(vcc_backup_dir=self.shelf.directory, vcc_compose_project="p")
        hooks = hooks or Hooks(lambda step: self.told.append(step.name))
        return Fetching(cast(Ops, self.parts), settings, hooks, lambda: NOW + 999)

    async def offer(self, identity: str = "") -> Offer:
        return await self.fetching().offer(identity)

    async def fetch(self, hooks: Hooks | None = None) -> Brought:
        """The newest, as ``backup fetch`` does it."""
        offer = await self.offer()
        return await self.fetching(hooks).run(offer.there, replacing=offer.here is not None)

    async def sent(self) -> str:
        """A backup that stands here and over there."""
        backup, threads = self.shelf.get(), Threads()
        assert backup.manifest is not None
        copied = await send(self.parts.remote, backup, backup.manifest, Hooks(), threads)
        threads.close()
        assert copied.there, copied.failure
        return backup.id

    def left(self) -> list[str]:
        return sorted(entry.name for entry in self.shelf.directory.iterdir())


def looks(folder: Path) -> dict[str, tuple[Any, ...]]:
    """All of a backup but what is known of it: files with their modes, times and owners; of the uploads the directories too."""
    paths = (path for path in folder.rglob("*") if path.name != PROOF and (path.is_file() or folder / "uploads" in path.parents))
    return {path.relative_to(folder).as_posix(): _look(path) for path in paths}


def _look(path: Path) -> tuple[Any, ...]:
    status = path.stat()
    content = path.read_bytes() if path.is_file() else None
    return content, stat.S_IMODE(status.st_mode), status.st_mtime_ns, status.st_uid
