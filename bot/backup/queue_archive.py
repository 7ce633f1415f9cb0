"""Files of jobs that were taken out of a queue: each job whole, byte for byte, so that it can be brought back. Blocks: run it in a thread.

Knows how jobs are written; not why they went.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.errors import OutsideError
from bot.ops.bull_whole import WholeJob
from bot.ops.dump_faults import reading, writing
from bot.ops.dump_files import PART, settle, write_file
from bot.ops.dump_names import stem
from bot.ops.seal import ENDING, Seal

LINES, VERSION = ".jsonl", 1
# Beside files that hold the only copy of a job: nothing removes them any more.
KEPT = "kept"
# Beside files of jobs that are being taken out, or are aside: until these are home again, the files may be all that is left of them.
_TAKING = "taking"
# A file is put together, and sealed, in memory; one that is longer than this becomes two. A single job may be.
MOST_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Archived:
    """A job as it was written down; ``fields`` and ``logs`` are the bytes that Redis held, the rest is its place (see ``Placed``)."""

    queue: str
    job: str
    place: str
    score: float | None
    ahead: int | None
    priority: float | None
    fields: dict[bytes, bytes] = field(repr=False)
    logs: tuple[bytes, ...] = field(repr=False)


class Archive:
    """The jobs of one queue on their way to ``folder``, sealed when there is somebody to seal to."""

    def __init__(self, folder: Path, queue: str, seal: Seal) -> None:
        self._folder = folder
        self._queue = queue
        self._seal = seal
        self._lines, self._size = list[bytes](), 0
        self.files = list[Path]()
        self.jobs = list[str]()

    def add(self, jobs: Sequence[WholeJob]) -> None:
        """Some more."""
        for job in jobs:
            line = json.dumps(_written(self._queue, job)).encode() + b"\n"
            if self._lines and self._size + len(line) > MOST_BYTES:
                self._write()
            self._lines.append(line)
            self.jobs.append(job.placed.job)
            self._size += len(line)

    def finish(self) -> None:
        """All of it is on the disk."""
        if self._lines:
            self._write()
        if self.files:
            settle(self._folder)

    def _write(self) -> None:
        if not self.files:
            with writing():
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._folder.chmod(0o700)
        path = next(path for path in self._paths() if not path.exists())  # what is there, is to be kept
        content = b"".join(self._lines)
        write_file(path, self._seal.sealed(content) if self._seal.configured else content)
        self.files.append(path)
        self._lines, self._size = [], 0

    def _paths(self) -> Iterator[Path]:
        for number in itertools.count(len(self.files) + 1):
            # No stem holds a comma.
            part = f",{number:04}" if number > 1 else ""
            yield self._folder / f"{stem(self._queue)}{part}{LINES}{ENDING if self._seal.configured else ''}"


def begin_taking(folder: Path) -> None:
    """From now on jobs of its files may be out of their queue."""
    with writing():
        (folder / _TAKING).touch(mode=0o600)
    settle(folder)


def end_taking(folder: Path) -> None:
    """They are all in their queues, or known to be elsewhere."""
    with writing():
        (folder / _TAKING).unlink(missing_ok=True)


def keep_taken(folder: Path) -> None:
    """Nobody knows any more where the jobs are that were being taken: keep their files. Nothing when none were."""
    if (folder / _TAKING).exists():
        keep_archive(folder)


def read_archive(path: Path, seal: Seal) -> Iterator[Archived]:
    """The jobs of one file; a sealed one needs the identity. OutsideError when it is not sound."""
    with reading(path.name):
        content = path.read_bytes()
    if path.name.endswith(ENDING):
        content = seal.opened(content, path.name)
    for line in content.splitlines():
        try:
            yield _read(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            # What the error repeats may be what the job carries.
            raise OutsideError("dump.unreadable", system="backup", name=path.name, detail=type(error).__name__) from None


def keep_archive(folder: Path) -> None:
    """From now on its files are all that is left of the jobs in them. Nothing when there are none."""
    if folder.is_dir():
        with writing():
            (folder / KEPT).touch(mode=0o600)
        settle(folder)


def remove_archive(folder: Path) -> None:
    """What was written into the folder, whole or not, and the folder when nothing else is in it; unless it is to be kept."""
    if (folder / KEPT).exists():
        return
    with writing(), contextlib.suppress(FileNotFoundError):
        for path in sorted(folder.iterdir()):
            if path.name.endswith((LINES, LINES + ENDING, PART)):
                path.unlink()
        if not any(folder.iterdir()):
            folder.rmdir()


def _written(queue: str, job: WholeJob) -> dict[str, Any]:
    return {
        "version": VERSION,
        "queue": _packed(queue),
        "id": _packed(job.placed.job),
        "place": job.placed.place,
        "score": job.placed.score,
        "ahead": job.placed.ahead,
        "priority": job.priority,
        "hash": {_packed(name): _packed(value) for name, value in job.fields.items()},
        "logs": [_packed(line) for line in job.logs],
    }


def _read(line: dict[str, Any]) -> Archived:
    if line["version"] != VERSION:
        raise ValueError("another version")
    return Archived(
        queue=_text(line["queue"]),
        job=_text(line["id"]),
        place=line["place"],
        score=line["score"],
        ahead=line["ahead"],
        priority=line["priority"],
        fields={_bytes(name): _bytes(value) for name, value in line["hash"].items()},
        logs=tuple(map(_bytes, line["logs"])),
    )


def _packed(text: str) -> str:
    """Whatever bytes it is made of: they need not be text."""
    return base64.b64encode(text.encode("utf-8", "surrogateescape")).decode()


def _bytes(packed: str) -> bytes:
    return base64.b64decode(packed, validate=True)


def _text(packed: str) -> str:
    return _bytes(packed).decode("utf-8", "surrogateescape")
