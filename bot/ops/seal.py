"""Seals files for whoever holds the age identity, so that they can be opened by hand with the ``age`` tool; opens them for restores.

The bot needs only the public half to seal. Blocks: run it in a thread. Knows nothing of backups or where files go.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

import pyrage

from bot.errors import OutsideError
from bot.ops.bounded import describe
from bot.ops.dump_faults import Damaged, reading
from bot.ops.fresh_file import fresh

SYSTEM = "backup"
ENDING = ".age"
IDENTITY = "AGE-SECRET-KEY-1"
# What sealing adds: a tag for each chunk, and a header of a few hundred bytes.
_CHUNK, _TAG, _HEADER = 65_536, 16, 16_384
_LONGEST_IDENTITY_FILE = 65_536
_NO_KEY = "No matching keys found"
NO_LIMIT = 1 << 62


class Readable(Protocol):
    """What sealed bytes come from."""

    def read(self, count: int = -1, /) -> bytes:
        """Up to ``count`` bytes; none at the end."""


class Writable(Protocol):
    """What plain bytes go to."""

    def write(self, chunk: bytes, /) -> int:
        """Take all of it."""

    def flush(self) -> None:
        """Nothing more comes."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What was sealed, or what came out: the plain bytes, never the sealed ones."""

    bytes: int
    sha256: str


class _Watched:
    """Reads on from ``handle`` and knows how much and what it was."""

    def __init__(self, handle: BinaryIO) -> None:
        self._handle = handle
        self._hash = hashlib.sha256()
        self.bytes = 0

    def read(self, count: int = -1) -> bytes:
        chunk = self._handle.read(count)
        self._hash.update(chunk)
        self.bytes += len(chunk)
        return chunk

    @property
    def contents(self) -> Contents:
        return Contents(self.bytes, self._hash.hexdigest())


class Seal:
    """Seals to ``recipients`` (``age1…``, several by comma); ValueError when one is none. Without any, nothing is sealed."""

    def __init__(self, recipients: str = "", identity_file: Path | None = None) -> None:
        self._names = sorted({part.strip() for part in recipients.split(",") if part.strip()})
        self._recipients = [_recipient(name) for name in self._names]
        self._identity_file = identity_file

    @property
    def configured(self) -> bool:
        """Whether there is somebody to seal to."""
        return bool(self._recipients)

    @property
    def can_open(self) -> bool:
        """Whether an identity is at hand, for drills and restores."""
        return self._identity_file is not None

    def hidden(self, sha256: str) -> str:
        """A name for content of this hash that tells it to nobody who does not know the recipients; the same each time."""
        key = hashlib.sha256("\n".join(["vcc-backup-names", *self._names]).encode()).digest()
        return hashlib.blake2b(bytes.fromhex(sha256), key=key, digest_size=32).hexdigest()

    def seal(self, source: Path, target: Path) -> Contents:
        """Write ``source`` sealed to ``target``, where no file is yet; gives what was in it."""
        with reading(source.name):
            handle = source.open("rb")
        with handle, fresh(target, limit=NO_LIMIT) as sealed, reading(source.name):
            watched = _Watched(handle)
            pyrage.encrypt_io(watched, sealed, self._recipients)
        return watched.contents

    def sealed(self, content: bytes) -> bytes:
        """A small content, sealed."""
        sealed: bytes = pyrage.encrypt(content, self._recipients)
        return sealed

    def open_sealed(self, source: Path, target: Path, *, limit: int = NO_LIMIT) -> Contents:
        """Write what is in ``source`` to ``target``, where no file is yet. Damaged when it was tampered with, or is more than ``limit``."""
        with reading(source.name):
            handle = source.open("rb")
        with handle, fresh(target, limit=limit) as opened:
            self.open_stream(handle, opened, source.name)
        return Contents(opened.bytes, opened.sha256)

    def opened(self, content: bytes, name: str) -> bytes:
        """What is in a small sealed content; ``name`` says whose it was when it is damaged."""
        plain = io.BytesIO()
        self.open_stream(io.BytesIO(content), plain, name)
        return plain.getvalue()

    def open_stream(self, source: Readable, target: Writable, name: str) -> None:
        """From any reader to any writer. What the writer raises leaves as it is."""
        identities = self._identities()
        with _opening(name):
            pyrage.decrypt_io(source, target, identities)

    def _identities(self) -> list[pyrage.x25519.Identity]:
        """Read when it is needed and never kept: the file may be on a disk that is only mounted for a restore."""
        if self._identity_file is None:
            raise OutsideError("seal.no_identity", system=SYSTEM, setting="VCC_BACKUP_IDENTITY_FILE")
        try:
            with self._identity_file.open("rb") as handle:
                lines = handle.read(_LONGEST_IDENTITY_FILE).decode().splitlines()
            return [pyrage.x25519.Identity.from_str(line.strip()) for line in lines if line.startswith(IDENTITY)] or _none()
        except OSError as error:
            raise OutsideError("seal.bad_identity", system=SYSTEM, setting="VCC_BACKUP_IDENTITY_FILE", detail=describe(error)) from error
        except (UnicodeError, ValueError, pyrage.IdentityError):
            # The error might repeat what it read: the secret itself.
            raise OutsideError("seal.bad_identity", system=SYSTEM, setting="VCC_BACKUP_IDENTITY_FILE") from None


def sealed_at_most(size: int) -> int:
    """How long ``size`` bytes can be once sealed."""
    return size + (size // _CHUNK + 1) * _TAG + _HEADER


def _recipient(name: str) -> pyrage.x25519.Recipient:
    try:
        return pyrage.x25519.Recipient.from_str(name)
    except pyrage.RecipientError as error:
        raise ValueError("not an age recipient") from error


def _none() -> list[pyrage.x25519.Identity]:
    raise ValueError("no identity in the file")


@contextlib.contextmanager
def _opening(name: str) -> Iterator[None]:
    try:
        with reading(name):
            yield
    except pyrage.DecryptError as error:
        if str(error) == _NO_KEY:
            raise OutsideError("seal.wrong_identity", system=SYSTEM, setting="VCC_BACKUP_IDENTITY_FILE", detail=describe(error)) from error
        raise Damaged(name, 0, describe(error)) from error
