"""What a backup says of itself: parts, figures, and the hash of every file. Written last; read back with suspicion.

Files of the uploads are vouched for by the snapshot's own index, whose hash is here. Sizes are bytes, times seconds since the epoch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from bot.errors import Conflict, OutsideError

SYSTEM = "backup"
FORMAT = 1
LARGEST = 64 * 1024 * 1024
Consistency = Literal["snapshot", "paused_queue", "none"]
Reason = Literal["asked", "scheduled", "safety"]


def _safe(path: str) -> str:
    """A path inside the backup, and nowhere else."""
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\x00" in path or str(PurePosixPath(path)) != path:
        raise ValueError("a path that leads out of the backup")
    return path


SafePath = Annotated[str, AfterValidator(_safe), Field(max_length=4096)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of the backup, by its path in it."""

    path: SafePath
    size: Count
    sha256: Sha256


@dataclass(frozen=True, slots=True)
class CollectionPart:
    """One collection as dumped. ``file`` is the name of its files without their endings."""

    name: str
    kind: str
    documents: Count
    bytes: Count
    indexes: Count
    file: SafePath


@dataclass(frozen=True, slots=True)
class DatabasePart:
    """The database: what is in it, and of how many moments."""

    name: str
    server_version: str
    consistency: Consistency
    collections: tuple[CollectionPart, ...]
    newest_document_at: float | None
    took_s: float
    left_out: tuple[str, ...] = ()

    @property
    def documents(self) -> int:
        """All documents."""
        return sum(each.documents for each in self.collections)

    @property
    def bytes(self) -> int:
        """The bytes of all documents."""
        return sum(each.bytes for each in self.collections)


@dataclass(frozen=True, slots=True)
class UploadsPart:
    """The uploads: how much there is, and how much of it was new. ``noted`` files were left out or are not as they should be."""

    files: Count
    bytes: Count
    new_files: Count
    new_bytes: Count
    source: Literal["directory", "container"]
    noted: Count
    took_s: float


@dataclass(frozen=True, slots=True)
class ConfigurationPart:
    """The configuration. ``sealed``: what holds secrets can be opened only with the key; ``missing`` could not be found."""

    files: tuple[str, ...]
    sealed: bool
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QueuePart:
    """One queue: its jobs that were written down, by state."""

    name: str
    waiting: Count
    active: Count
    delayed: Count
    failed: Count


@dataclass(frozen=True, slots=True)
class Manifest:
    """The whole. A part is None (or empty) when it was not asked for, or could not be had, which ``warnings`` then say."""

    id: str
    project: str
    started_at: float
    finished_at: float
    reason: Reason
    asked_by: str
    reference: str
    program: str
    files: tuple[FileEntry, ...]
    database: DatabasePart | None = None
    uploads: UploadsPart | None = None
    configuration: ConfigurationPart | None = None
    queues: tuple[QueuePart, ...] = ()
    warnings: tuple[str, ...] = ()
    format: int = field(default=FORMAT)

    @property
    def bytes(self) -> int:
        """All bytes of it, whether copied now or shared with an older backup."""
        return sum(each.size for each in self.files) + (self.uploads.bytes if self.uploads else 0)


_READER: TypeAdapter[Manifest] = TypeAdapter(Manifest)


def written(manifest: Manifest) -> bytes:
    """As it stands in its file: to be read by people too."""
    return (json.dumps(asdict(manifest), ensure_ascii=False, indent=1) + "\n").encode()


def read(text: bytes, name: str) -> Manifest:
    """A manifest from its file. Conflict when a newer version wrote it; OutsideError, naming ``name``, when it is none."""
    try:
        raw = json.loads(text) if len(text) <= LARGEST else None
    except (ValueError, RecursionError) as error:
        raise OutsideError("backup.no_manifest", system=SYSTEM, name=name) from error
    if isinstance(raw, Mapping) and _is_newer(raw.get("format")):
        raise Conflict("backup.newer_format", name=name, format=raw["format"], known=FORMAT)
    try:
        return _READER.validate_python(raw)
    except ValidationError as error:
        raise OutsideError("backup.no_manifest", system=SYSTEM, detail=_faults(error), name=name) from error


def _faults(error: ValidationError) -> str:
    """Where it is wrong; what stands there is not repeated."""
    return "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['type']}" for fault in error.errors(include_input=False)[:5])


def _is_newer(version: Any) -> bool:
    return isinstance(version, int) and version > FORMAT
