"""The directory where backups stand: made under a temporary name, whole or not at all; what proves them is written beside their files.

Knows what a backup looks like from outside; nothing of databases or uploads.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.backup import manifest as manifests
from bot.backup.manifest import SYSTEM, Manifest
from bot.errors import NotFound, OutsideError, VccError
from bot.ops.dump_faults import writing

MANIFEST, SUMS, PROOF = "manifest.json", "SHA256SUMS", "proof.json"
MAKING = ".making-"
_NAME = re.compile(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ(?:-\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found out about a backup after it was made. Times in seconds since the epoch; None: never, or not well.

    ``good_at``: compared with its source. ``verified_at``: its files compared with its manifest. ``restorable_at``: restored
    elsewhere and compared, in ``drill_s`` seconds. ``fault`` is the last thing found wrong, as a key of the catalogue.
    """

    good_at: float | None = None
    verified_at: float | None = None
    restorable_at: float | None = None
    drill_s: float | None = None
    fault: str = ""
    fault_at: float | None = None
    remote_at: float | None = None


@dataclass(frozen=True, slots=True)
class Backup:
    """One that stands on the shelf. ``manifest`` is None when it cannot be read, and ``trouble`` says why."""

    id: str
    path: Path
    manifest: Manifest | None
    proof: Proof
    trouble: VccError | None = None

    @property
    def is_sound(self) -> bool:
        """Whether nothing is known against it."""
        return self.manifest is not None and not self.proof.fault


class Shelf:
    """The backups in one directory. Blocking: call it from a thread."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def backups(self) -> tuple[Backup, ...]:
        """All of them, the newest first; OutsideError when the directory cannot be read."""
        try:
            names = sorted((entry.name for entry in self.directory.iterdir() if _NAME.fullmatch(entry.name)), key=order_of, reverse=True)
        except OSError as error:
            raise OutsideError("backup.no_directory", system=SYSTEM, detail=repr(error), path=str(self.directory)) from error
        return tuple(self._read(name) for name in names)

    def get(self, identity: str = "") -> Backup:
        """The backup of this id, or the newest without one; NotFound when there is none."""
        found = self.backups()
        chosen = [each for each in found if identity in ("", each.id)]
        if not chosen:
            raise NotFound(SYSTEM, identity or "-")
        return chosen[0]

    def _read(self, name: str) -> Backup:
        path = self.directory / name
        proof = _proof(path)
        try:
            return Backup(name, path, manifests.read(_bytes(path / MANIFEST), name), proof)
        except VccError as trouble:
            return Backup(name, path, None, proof, trouble)

    @contextlib.contextmanager
    def making(self, now: float) -> Iterator[Making]:
        """A directory to make a backup in. Whatever ends the block before ``finish``, nothing of it stays."""
        with writing():
            self.directory.mkdir(parents=True, exist_ok=True)
            identity = self._free_name(now)
        with self._hidden(identity) as path:
            yield Making(identity, path, self.directory / identity)

    @contextlib.contextmanager
    def arriving(self, identity: str) -> Iterator[Shelf]:
        """A hidden shelf for one backup that comes from elsewhere. Whatever ends the block, nothing stays of what is still on it."""
        with self._hidden(f"fetch-{identity}") as path:
            yield Shelf(path)

    @contextlib.contextmanager
    def _hidden(self, name: str) -> Iterator[Path]:
        """A new directory that ``sweep`` leaves alone while somebody is in this block, whatever process that is."""
        path = self.directory / f"{MAKING}{name}"
        with writing():
            path.mkdir(mode=0o700)
            held = _opened(path)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield path
        finally:
            os.close(held)
            if path.exists():
                shutil.rmtree(path, ignore_errors=True)

    def _free_name(self, now: float) -> str:
        name = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
        taken = {entry.name.removeprefix(MAKING) for entry in self.directory.iterdir()}
        candidates = (name if number == 1 else f"{name}-{number}" for number in range(1, len(taken) + 2))
        return next(candidate for candidate in candidates if candidate not in taken)

    def sweep(self) -> tuple[str, ...]:
        """Take away what a crash left half made; what somebody still works on stays. The names taken away."""
        swept = []
        for entry in sorted(self.directory.glob(f"{MAKING}*")):
            if not _is_held(entry):
                shutil.rmtree(entry, ignore_errors=True)
                swept.append(entry.name)
        return tuple(swept)

    def prove(self, identity: str, **found: Any) -> Proof:
        """Write down what was found out about a backup; what is not named stays."""
        return self.amend(identity, lambda known: replace(known, **found))

    def amend(self, identity: str, change: Callable[[Proof], Proof]) -> Proof:
        """Write down what ``change`` makes of what is known by now: nobody else writes meanwhile, whatever process that is."""
        path = self.directory / identity
        with writing(), _alone(path):
            proof = change(_proof(path))
            _write_whole(path / PROOF, _written(proof))
        return proof


@dataclass(frozen=True, slots=True)
class Making:
    """A backup that is being made at ``path``."""

    id: str
    path: Path
    place: Path

    def finish(self, manifest: Manifest, proof: Proof | None = None) -> None:
        """Write manifest and sums, and what is proven already, make it all durable, and give it its name: from then on it exists."""
        data = manifests.written(manifest)
        with writing():
            _write_whole(self.path / MANIFEST, data)
            _write_whole(self.path / SUMS, sums_of(manifest, data))
            if proof is not None:
                _write_whole(self.path / PROOF, _written(proof))
            _sync_tree(self.path)
            self.path.rename(self.place)
            _sync(self.place.parent)


def is_id(text: str) -> bool:
    """Whether a backup may be called so."""
    return _NAME.fullmatch(text) is not None


def sums_of(manifest: Manifest, data: bytes) -> bytes:
    """The file of sums, for ``sha256sum --check``; ``data`` is the manifest as it is written."""
    sums = [(each.sha256, each.path) for each in manifest.files]
    lines = [f"{sha256}  {path}\n" for sha256, path in (*sums, (hashlib.sha256(data).hexdigest(), MANIFEST)) if "\n" not in path]
    return "".join(lines).encode("utf-8", "surrogateescape")


def _written(proof: Proof) -> bytes:
    return json.dumps(asdict(proof), indent=1).encode() + b"\n"


def time_of(name: str) -> float | None:
    """When a backup of this name was begun; None when no backup can have it."""
    try:
        return datetime.strptime(f"{name[:20]}+0000", "%Y-%m-%dT%H-%M-%SZ%z").timestamp() if _NAME.fullmatch(name) else None
    except ValueError:
        return None


def order_of(name: str) -> tuple[str, int]:
    """By this names are sorted as they were given."""
    time, _, number = name.partition("Z-")
    return time.rstrip("Z"), int(number or 1)


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(manifests.LARGEST + 1)
    except OSError as error:
        raise OutsideError("backup.no_manifest", system=SYSTEM, detail=repr(error), name=path.parent.name) from error


def _proof(path: Path) -> Proof:
    """What is known of it; nothing when that file is missing or not ours: then it must be proven again."""
    try:
        raw = json.loads((path / PROOF).read_bytes())
        known = {name: raw[name] for name in Proof.__slots__ if name in raw}
        return Proof(**known) if all(_fits(name, value) for name, value in known.items()) else Proof()
    except (OSError, ValueError, TypeError):
        return Proof()


def _fits(name: str, value: Any) -> bool:
    return isinstance(value, str) if name == "fault" else value is None or isinstance(value, int | float)


def beside(name: str) -> str:
    """What a file of this name is called until it is whole; a crash may leave it."""
    return f".{name}.new"


def _opened(directory: Path) -> int:
    return os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)


@contextlib.contextmanager
def _alone(directory: Path) -> Iterator[None]:
    """For as long as writing a small file takes, so that nobody waits for long."""
    held = _opened(directory)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _is_held(directory: Path) -> bool:
    try:
        held = _opened(directory)
    except OSError:
        return False
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(held)
    return False


def _write_whole(path: Path, data: bytes) -> None:
    """The old file or the new one, whatever happens in between."""
    new = path.with_name(beside(path.name))
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    _sync(path.parent)


def _sync_tree(top: Path) -> None:
    """The directories and files outside the uploads; those were made durable by their snapshot."""
    for folder, _, files in os.walk(top):
        for name in files if Path(folder) == top else ():
            _sync(Path(folder) / name)
        _sync(Path(folder))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
