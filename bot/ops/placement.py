"""Whether the uploads directory seen here is the one that the documents point into, and which mount would be. Changes nothing.

In a standard installation the directory on the host is an empty placeholder; the files are in a volume. A backup of the
placeholder is empty, and looks well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.errors import VccError
from bot.ops.bundle import Ops
from bot.ops.container_values import Mount, Service
from bot.ops.overview import probe
from bot.ops.uploads import UploadsUsage
from bot.ops.verdict import Problem, Severity

# So many of the newest documents of each kind are looked for.
SAMPLE = 25
_DEADLINE = 3.0
# Nearly all of them gone is no clean-up; and fewer files than this share of the documents is no directory of uploads.
_MOST, _HARDLY_ANY, _A_HANDFUL = 0.8, 0.05, 10
# Fewer files than this share of the documents that point to files is odd at least.
_FAR_FEWER = 0.5
_STANDARD_VOLUME = "uploads_data"


@dataclass(frozen=True, slots=True)
class Placement:
    """Of ``looked_for`` files that the newest documents name, ``missing`` are not here. ``root`` is the backend's directory of
    uploads, ``source`` the volume (or the directory on the host) that is mounted there; empty when that is not known."""

    looked_for: int
    missing: int
    root: str
    source: str

    @property
    def elsewhere(self) -> bool:
        """Whether the documents mean another directory."""
        return self.looked_for > 0 and self.missing >= _MOST * self.looked_for


async def placement(ops: Ops) -> Placement:
    """Look for the newest documents' files. VccError when the database or the directory cannot be read."""
    present = await ops.uploads.presence(await ops.mongo.file_paths.newest(SAMPLE))
    services = await probe("docker", ops.containers.services, _DEADLINE)
    mount = None if isinstance(services, VccError) else mounted(services, present.root)
    source = "" if mount is None else mount.name or mount.source
    return Placement(present.looked_for, present.missing, present.root, source)


def mounted(services: Sequence[Service], root: str) -> Mount | None:
    """What a service has mounted at (or above) ``root``: the nearest above it."""
    mounts = (mount for service in services for mount in service.mounts)
    found = [mount for mount in mounts if root and f"{root}/".startswith(f"{mount.destination.rstrip('/')}/")]
    return max(found, key=lambda mount: len(mount.destination), default=None)


def uploads_problems(uploads: UploadsUsage, documents: int, place: Placement | None) -> list[Problem]:
    """What is wrong with the uploads directory, for ``documents`` that have files."""
    files, elsewhere = uploads.total.count, place is not None and place.elsewhere
    values: dict[str, object] = {
        "path": uploads.path,
        "files": files,
        "documents": documents,
        "looked_for": place.looked_for if place else 0,
        "missing": place.missing if place else 0,
        "source": (place.source if place else "") or _STANDARD_VOLUME,
    }
    hardly_any = files < max(_A_HANDFUL, documents * _HARDLY_ANY)
    if uploads.placeholder or (documents and not files) or (elsewhere and hardly_any):
        return [Problem(Severity.BAD, "uploads", "uploads_placeholder", values)]
    if elsewhere:
        return [Problem(Severity.WARN, "uploads", "uploads_elsewhere", values)]
    if uploads.partial:
        return [Problem(Severity.WARN, "uploads", "uploads_partial", values)]
    if files < documents * _FAR_FEWER:
        return [Problem(Severity.WARN, "uploads", "uploads_few", values)]
    return []
