"""One bundle of evidence on the disk: files written whole and hashed, then named, read-only, and never changed again. Blocks.

``manifest.json`` says what is there and what could not be had; ``SHA256SUMS`` is for ``sha256sum -c``. Knows nothing of what it keeps.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from bot.ops.dump_faults import reading, writing
from bot.ops.folder_sync import sync_folder
from bot.ops.fresh_file import fresh

MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
_PART = ".part"
# One file of it; what is longer is cut off by a failure, which is told.
_LARGEST = 64 << 30
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Kept:
    """One file: its path within the bundle, its size and hash as it lies there."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that could not be had, and the key of the sentence that says why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What a look at a bundle found. ``changed``, ``lost`` and ``extra`` name files."""

    name: str
    files: int
    changed: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether all is as it was kept."""
        return bool(self.files) and not (self.changed or self.lost or self.extra)


class Lines:
    """Takes text, a line at a time, into one packed file."""

    def __init__(self, packed: gzip.GzipFile, clean: Callable[[str], str]) -> None:
        self._packed = packed
        self._clean = clean

    def add(self, lines: Iterable[str]) -> None:
        """Several lines are cleaned as one text, since a secret (a private key) may run over line ends."""
        text = "\n".join(lines)
        if text:
            self._packed.write((self._clean(text) + "\n").encode("utf-8", "backslashreplace"))


class Bundle:
    """A bundle being written. ``clean`` takes secrets out of every text that goes in. Safe to use from several threads."""

    def __init__(self, target: Path, clean: Callable[[str], str], clean_value: Callable[[Any], Any]) -> None:
        self._target = target
        self._part = target.with_name(f".{target.name}{_PART}")
        self._clean = clean
        self._clean_value = clean_value
        self._lock = threading.Lock()
        self.kept: list[Kept] = []
        self.missing: list[Missing] = []

    def begin(self) -> None:
        """Make its directory, under another name until it is whole. What a crash left of others goes: nobody ends those."""
        with writing():
            self._part.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            for left in self._part.parent.glob(f".*{_PART}"):
                _writable(left)
                shutil.rmtree(left)
            self._part.mkdir(mode=0o700)

    @contextlib.contextmanager
    def lines(self, name: str) -> Iterator[Lines]:
        """A file of lines, packed; it gets its name when the block ends well."""
        path = self._place(name)
        with fresh(path, limit=_LARGEST) as file:
            with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0) as packed:
                yield Lines(packed, self._clean)
            kept = Kept(name, file.bytes, file.sha256)
        self._keep(kept)

    def text(self, name: str, text: str) -> None:
        """A small file of text."""
        self._write(name, self._clean(text).encode("utf-8", "backslashreplace"))

    def document(self, name: str, value: Any) -> None:
        """A small file of JSON."""
        self._write(name, _json(self._clean_value(value)))

    def without(self, name: str, why: str) -> None:
        """Something could not be had."""
        with self._lock:
            self.missing.append(Missing(name, why))

    def finish(self, about: Mapping[str, Any]) -> Path:
        """Write what is in it, make it read-only, give it its name."""
        files = sorted(self.kept, key=lambda kept: kept.name)
        told = {**about, "files": [asdict(each) for each in files], "missing": [asdict(each) for each in self.missing]}
        self._write(MANIFEST, _json(told))  # names, figures and hashes, which must stand as they are
        sums = "".join(f"{each.sha256}  {each.name}\n" for each in sorted(self.kept, key=lambda kept: kept.name))
        self._write(SUMS, sums.encode())
        with writing():
            for folder, _, names in os.walk(self._part, topdown=False):
                for name in names:
                    Path(folder, name).chmod(0o400)
                sync_folder(Path(folder))
                if Path(folder) != self._part:
                    Path(folder).chmod(0o500)
            self._part.rename(self._target)
            self._target.chmod(0o500)
            sync_folder(self._target.parent)
        return self._target

    def abandon(self) -> None:
        """It is not to be: nothing stays."""
        if self._part.exists():
            _writable(self._part)
            shutil.rmtree(self._part, ignore_errors=True)

    def _write(self, name: str, content: bytes) -> None:
        with fresh(self._place(name), limit=_LARGEST) as file:
            file.write(content)
            kept = Kept(name, file.bytes, file.sha256)
        self._keep(kept)

    def _keep(self, kept: Kept) -> None:
        with self._lock:
            self.kept.append(kept)

    def _place(self, name: str) -> Path:
        path = self._part / name
        with writing():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path


def bundles(folder: Path) -> tuple[Path, ...]:
    """The whole bundles in a folder, the oldest first."""
    if not folder.is_dir():
        return ()
    return tuple(sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")))


def verified(bundle: Path, recorded: str = "") -> Verified:
    """Every file against the hash it was kept with, and whether there are more or fewer than then.

    ``recorded`` is the hash of SHA256SUMS as somebody noted it elsewhere: who can change a file can write new sums as well.
    """
    if not (bundle / SUMS).exists():
        return Verified(bundle.name, 0, lost=(SUMS,))
    with reading(SUMS):
        lines = (bundle / SUMS).read_text(encoding="utf-8").splitlines()
    wanted = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    there = {path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if not path.is_dir()} - {SUMS}
    changed = sorted(name for name in wanted.keys() & there if _hash(bundle / PurePosixPath(name)) != wanted[name])
    changed += [SUMS] if recorded and _hash(bundle / SUMS) != recorded else []
    return Verified(bundle.name, len(wanted), tuple(changed), tuple(sorted(wanted.keys() - there)), tuple(sorted(there - wanted.keys())))


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False, default=str).encode("utf-8", "backslashreplace")


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    with reading(path.name), path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _writable(folder: Path) -> None:
    for place, _, _ in os.walk(folder):
        Path(place).chmod(0o700)
