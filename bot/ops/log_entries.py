"""Entries of a json-file log into raw lines, joined and cut exactly as the engine's API and our reader of it do.

One entry is one line of JSON, ``{"log": …, "stream": …, "time": …}``; one that ends without a line end is continued by the next of
its stream. Knows no files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import NamedTuple

from bot.ops.container_frames import LineSplitter
from bot.ops.container_logs import StampReader
from bot.ops.container_values import CONTAINER_LOG_LINE_CAP, LogLine, Service

OPENING = b'{"log":"'
STREAM = b'","stream":"'  # within the text every quote is escaped, so that this cannot stand there
TIME = b'"time":"'
NEEDLES = {stream: STREAM + stream.encode() + b'"' for stream in ("stdout", "stderr")}
# What most lines end with, but for the stamp: that has nine decimals, unless it ends with a zero.
_ENDS = {needle + b"," + TIME: stream for stream, needle in NEEDLES.items()}
_END = len(b'"}')
NO_TIME = b"0001-01-01T00:00:00.000000000Z"  # what the engine says of an entry that has none
STAMP_BYTES = len(NO_TIME) + 1
_STAMP = len(NO_TIME) + _END
_STAMPED = _STAMP + len(next(iter(_ENDS)))
_SURROGATE = re.compile("[\ud800-\udfff]")


class Entry(NamedTuple):
    """One entry. ``stamp`` as the engine prints it, with nine decimals, so that stamps compare as text."""

    stream: str
    stamp: bytes
    log: bytes


def parse(line: bytes) -> Entry | None:
    """The entry in one line of the file; None for what is none, or of no stream that is shown."""
    known = _ENDS.get(line[-_STAMPED:-_STAMP])
    if known and line[-13:-12] == b"." and line.endswith(b'Z"}') and line.startswith(OPENING):
        return Entry(known, line[-_STAMP:-_END], unescaped(line[len(OPENING) : -_STAMPED]))
    end = line.find(STREAM, len(OPENING))
    at = line.rfind(TIME)
    if end < 0 or at < end or not line.startswith(OPENING) or not line.endswith(b'"}'):
        return _parsed(line)
    stream = line[end + 12 : end + 18]
    if stream not in (b"stdout", b"stderr"):
        return _parsed(line)
    stamp = fixed(line[at + len(TIME) : -2])
    return Entry(stream.decode("ascii"), stamp, unescaped(line[len(OPENING) : end])) if stamp else _parsed(line)


def all_finished(data: bytes) -> bool:
    """Whether each of these entries ends its line; in doubt not."""
    return data.count(b"\\n" + STREAM) == data.count(b"\n") and b"\\\\n" + STREAM not in data


def _parsed(line: bytes) -> Entry | None:
    """The same for an entry in any other shape that JSON allows."""
    try:
        found = json.loads(line.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    log, stream, time = found.get("log", ""), found.get("stream"), found.get("time")
    if not isinstance(log, str) or stream not in NEEDLES or not isinstance(time, str | None):
        return None
    stamp = NO_TIME if time is None else fixed(time.encode("utf-8", "replace"))
    return Entry(stream, stamp, _text(log)) if stamp else None


def framed(entry: Entry) -> bytes:
    """As the engine sends it."""
    payload = entry.stamp + b" " + entry.log
    return (b"\2" if entry.stream == "stderr" else b"\1") + b"\0\0\0" + len(payload).to_bytes(4, "big") + payload


def unescaped(literal: bytes) -> bytes:
    """The text of a JSON string without its quotes."""
    escape = literal.find(b"\\")
    if escape < 0:
        return literal
    if escape == len(literal) - 2 and literal.endswith(b"n"):
        return literal[:-2] + b"\n"
    if b"\\\\" not in literal:
        common = literal.replace(b"\\n", b"\n").replace(b'\\"', b'"')
        if b"\\" not in common:
            return common
    try:
        return _text(json.loads(f'"{literal.decode("utf-8", "replace")}"', strict=False))
    except ValueError:
        return literal


def _text(text: str) -> bytes:
    """Half a surrogate pair is no character: the engine shows the same mark for it."""
    return _SURROGATE.sub("\ufffd", text).encode()


def fixed(stamp: bytes) -> bytes:
    """An RFC 3339 stamp in UTC with exactly nine decimals; empty for what is none."""
    if len(stamp) == 30 and stamp[19:20] == b"." and stamp[29:] == b"Z":
        return stamp
    head, dot, fraction = stamp[:-1].partition(b".")
    if stamp[-1:] != b"Z" or len(head) != 19 or (dot and not fraction.isdigit()):
        return b""
    return head + b"." + fraction[:9].ljust(9, b"0") + b"Z"


def stamp_of(seconds: float) -> bytes:
    """A time as a stamp of nine decimals, in the very digits in which the engine is asked for it."""
    whole, _, fraction = f"{min(max(seconds, 0.0), 253_402_300_799.0):.9f}".partition(".")
    days, rest = divmod(int(whole), 86_400)
    date = datetime.fromordinal(719_163 + days)
    return f"{date:%Y-%m-%d}T{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}.{fraction}Z".encode()


def exactly(stamp: str) -> str:
    """A stamp of nine decimals as the engine is asked for it: seconds since the epoch, to the nanosecond."""
    return f"{int(datetime.fromisoformat(stamp[:19] + '+00:00').timestamp())}.{stamp[20:29]}"


class Between:
    """Keeps the entries of a window as the engine does: none before ``since``, and nothing more after the first beyond ``until``."""

    def __init__(self, since: float | None, until: float | None) -> None:
        self._since = b"" if since is None else stamp_of(since)
        self._until = b"~" if until is None else stamp_of(until)
        self.ended = False

    def keep(self, stamp: bytes) -> bool:
        """Whether an entry with this stamp belongs to it."""
        self.ended = self.ended or stamp > self._until
        return not self.ended and stamp >= self._since


class LineMaker:
    """Entries of one container, in order, into its lines."""

    def __init__(self, service: Service) -> None:
        self._name, self._container, self._terminal = service.name, service.container_name, service.terminal
        self._splitter = LineSplitter(CONTAINER_LOG_LINE_CAP)
        self._stamps = StampReader()

    def continues(self, stream: str) -> bool:
        """Whether the next entry of this stream continues a line."""
        return self._splitter.continues(stream)

    def feed(self, entry: Entry) -> Iterable[LogLine]:
        """The lines that this entry ends."""
        stream, stamp, log = entry
        if self._terminal:
            stream = "stdout"  # where a terminal is, the engine tells no streams apart
        elif self._splitter.continues(stream):
            return self._worded(stream, log)
        elif len(log) + STAMP_BYTES <= CONTAINER_LOG_LINE_CAP and log.find(b"\n") == len(log) - 1 >= 0:
            text = log[:-1].removesuffix(b"\r").decode("utf-8", "replace")
            return (LogLine(self._name, self._container, stream, self._stamps.moment(stamp), text),)
        return self._worded(stream, stamp + b" " + log)

    def rest(self) -> Iterable[LogLine]:
        """Lines that never ended."""
        return self._lines(self._splitter.rest())

    def _worded(self, stream: str, payload: bytes) -> Iterable[LogLine]:
        return self._lines(self._splitter.feed(stream, payload))

    def _lines(self, raw: Iterable[tuple[str, bytes, bool]]) -> Iterator[LogLine]:
        for stream, content, truncated in raw:
            at, text = self._stamps.split(content)
            yield LogLine(self._name, self._container, stream, at, text.decode("utf-8", "replace"), truncated)
