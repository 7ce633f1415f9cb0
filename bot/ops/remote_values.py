"""What the second place of backups is, and answers with. Sizes are bytes, times seconds since the epoch. Knows no library and no file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

SYSTEM = "s3"
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Address:
    """A bucket, the folder in it, and how to log in. Without a key the library looks for one as the AWS tools do."""

    bucket: str
    prefix: str
    endpoint: str = ""
    region: str = ""
    key: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    @classmethod
    def parse(cls, url: str, endpoint: str = "", region: str = "") -> Address:
        """``s3://bucket/folder``; ValueError when it is none."""
        parts = urlsplit(url)
        if parts.scheme != "s3" or not parts.hostname:
            raise ValueError("not an s3:// address")
        folder = parts.path.strip("/")
        return cls(parts.hostname, f"{folder}/" if folder else "", endpoint, region)

    @property
    def amazon(self) -> bool:
        """Whether it is Amazon's own: what others do with Amazon's refinements differs."""
        return not self.endpoint


@dataclass(frozen=True, slots=True)
class Limits:
    """How hard to try, and how much at once. ``part_bytes`` times ``parallel`` is the most that is under way.

    ``attempts`` are one call's, with growing pauses between; ``tries`` those of a whole transfer whose content came out wrong.
    ``grace_s``: how old what nothing refers to must be before it is deleted. ``lease_s``: how long one sign of life is believed.
    """

    parallel: int = 4
    part_bytes: int = 8 * MIB
    multipart_from: int = 16 * MIB
    attempts: int = 5
    tries: int = 3
    connect_s: float = 10.0
    read_s: float = 60.0
    grace_s: float = 86_400.0
    lease_s: float = 900.0
    most_files: int = 5_000_000
    most_bytes: int = 1 << 44
    listing_bytes: int = 1 << 30


class FileEntry(NamedTuple):
    """One file of a backup: its path within, with ``/`` between the parts, and the object its content is in."""

    path: str
    bytes: int
    sha256: str
    mode: int
    changed_ns: int
    object: str


@dataclass(frozen=True, slots=True)
class RemoteBackup:
    """A backup that is whole over there. ``stored_at`` is when its last piece arrived, by the bot's clock.

    ``labels`` are what who sent it says of it; none when an older bot did."""

    id: str
    files: int
    bytes: int
    sealed: bool
    stored_at: float
    listing_sha256: str
    tree_sha256: str
    labels: tuple[str, ...] = ()


class Called(NamedTuple):
    """What a backup is to be called over there (as its directory, when empty), and what is said of it for who lists it."""

    id: str = ""
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RemoteBackups:
    """What is over there, newest first. ``unreadable`` are the names of backups whose manifest is damaged, or a newer bot's."""

    backups: tuple[RemoteBackup, ...]
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Carried:
    """How far a transfer is. ``files`` and ``bytes`` count what need not be sent again, too."""

    files: int
    total_files: int
    bytes: int
    total_bytes: int


# A path within a backup, its bytes, its SHA-256.
Named = tuple[str, int, str]
Problem = Literal["bucket", "denied", "read_only", "clock", "open"]
Tell = Callable[[Carried], None]
Asked = Callable[[], Awaitable[str]]


def untold(_carried: Carried) -> None:
    """For who does not want to know."""


async def unasked() -> str:
    """Nobody wants this to end early."""
    return ""


@dataclass(frozen=True, slots=True)
class Pushed:
    """How a push ended. ``stopped_by`` is who ended it early: then there is no backup over there, and the next push goes on from here."""

    id: str
    files: int
    bytes: int
    sent_files: int
    sent_bytes: int
    sealed: bool
    took_s: float
    stopped_by: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A backup that was brought back, every file compared with its SHA-256. ``stopped_by``: then nothing was left behind."""

    id: str
    files: int
    bytes: int
    took_s: float
    stopped_by: str = ""


@dataclass(frozen=True, slots=True)
class Collected:
    """What was deleted because no backup refers to it, and how many of ``backups`` remain."""

    objects: int
    bytes: int
    uploads: int
    backups: int


class StoredObject(NamedTuple):
    """One object as the bucket lists it. ``at`` is by the bucket's clock."""

    key: str
    bytes: int
    at: float
