"""Docker's json-file log format: writes it, and reads it back by time, count or position. Knows nothing of processes or HTTP."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

# Docker cuts a line without end into pieces of this size and writes each without a newline.
LONGEST_PIECE = 16 * 1024


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a container: ``time`` in nanoseconds since the epoch, ``stamp`` as written."""

    text: str
    stream: str
    stamp: str
    time: int


def stamp(nanoseconds: int) -> str:
    """RFC 3339 in UTC with up to nine decimals, without trailing zeros, as Go writes it."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    whole = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    decimals = f".{rest:09d}".rstrip("0").rstrip(".")
    return f"{whole}{decimals}Z"


def parse_stamp(text: str) -> int:
    """Nanoseconds of an RFC 3339 stamp; ValueError when it is none."""
    head, dot, tail = text.partition(".")
    digits = ""
    if dot:
        digits = tail[: len(tail) - len(tail.lstrip("0123456789"))]
        head += tail[len(digits) :]
    moment = datetime.fromisoformat(head.replace("Z", "+00:00"))
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1_000_000_000 + int(f"{digits:0<9}"[:9])


def encode(text: str, stream: str, nanoseconds: int) -> bytes:
    """One record as Docker writes it: compact, and with <, > and & escaped as Go's JSON does."""
    body = json.dumps({"log": text, "stream": stream, "time": stamp(nanoseconds)}, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&":
        body = body.replace(sign, f"\\u{ord(sign):04x}")
    return body.encode() + b"\n"


class LogWriter:
    """Appends one container's output; keeps the unfinished last line of each stream until its end comes."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._pending: dict[str, bytes] = {}

    def feed(self, stream: str, data: bytes) -> None:
        """Take raw output; every finished line is on disk when this returns."""
        buffered = self._pending.pop(stream, b"") + data
        *lines, rest = buffered.split(b"\n")
        pieces = [line + b"\n" for line in lines]
        while len(rest) >= LONGEST_PIECE:
            pieces.append(rest[:LONGEST_PIECE])
            rest = rest[LONGEST_PIECE:]
        if rest:
            self._pending[stream] = rest
        self._write(stream, pieces)

    def close(self, stream: str) -> None:
        """The stream ended: what has no newline yet is written as it is."""
        rest = self._pending.pop(stream, b"")
        if rest:
            self._write(stream, [rest])

    def _write(self, stream: str, pieces: list[bytes]) -> None:
        if not pieces:
            return
        encoded = b"".join(encode(piece.decode("utf-8", "replace"), stream, time.time_ns()) for piece in pieces)
        with self.path.open("ab") as out:
            out.write(encoded)


@dataclass(frozen=True, slots=True)
class Window:
    """Which records are wanted: times in nanoseconds (0 = open), ``tail`` -1 for all, streams by name."""

    since: int = 0
    until: int = 0
    tail: int = -1
    streams: frozenset[str] = frozenset({"stdout", "stderr"})

    def holds(self, record: Record) -> bool:
        return record.stream in self.streams and record.time >= self.since and (not self.until or record.time <= self.until)


def read(path: Path, offset: int = 0) -> Iterator[tuple[Record, int]]:
    """Every whole record from ``offset`` on, each with the position behind it. A half-written last line is left for later."""
    try:
        source = path.open("rb")
    except FileNotFoundError:
        return
    with source:
        source.seek(offset)
        for line in source:
            if not line.endswith(b"\n"):
                return
            offset += len(line)
            raw = json.loads(line)
            yield Record(raw["log"], raw["stream"], raw["time"], parse_stamp(raw["time"])), offset


def select(path: Path, window: Window) -> tuple[list[Record], int]:
    """The wanted records now in the file, and the position to follow from."""
    kept: deque[Record] = deque(maxlen=None if window.tail < 0 else window.tail)
    end = 0
    for record, position in read(path):
        end = position
        if window.holds(record):
            kept.append(record)
    return list(kept), end
