"""Log lines into groups of errors: what is the same but for its numbers and names is counted together. Pure, streaming.

Memory is bounded however long the log: so many groups, so many characters of each. Knows nothing of where lines come from.
Examples are the lines themselves: whoever shows them redacts them.
"""

from __future__ import annotations

import functools
import hashlib
import re
from dataclasses import dataclass, field

from bot.ops.container_values import LogLine
from bot.ops.error_kinds import LOOK_AT, MONGO, NGINX_ERROR, REDIS, ErrorKind, accessed, classify, continues

GROUPS_AT_MOST = 500
EXAMPLE_CAP = 2000
TRACE_AT_MOST = 8
_REMEMBERED = 512
# No placeholder tells one digit from another, but for the 0 of 0x: so lines that differ in digits only are reckoned once.
_ANY_DIGIT = bytes.maketrans(b"23456789", b"11111111")

_PLACEHOLDERS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r'"(?:[^"\\]|\\.){0,1000}"'), "<text>"),
    (re.compile(r"(?<!\w)'[^']{0,500}'(?!\w)"), "<text>"),
    (re.compile(r"`[^`]{0,500}`"), "<text>"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"), "<id>"),
    (re.compile(r"\b(?:::ffff:)?\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"), "<address>"),
    (re.compile(r"\b0x[0-9a-fA-F]+\b|\b(?=[a-fA-F]*\d)[0-9a-fA-F]{8,}\b"), "<id>"),
    (re.compile(r"\d+(?:\.\d+)?"), "<n>"),
    (re.compile(r"\s+"), " "),
)


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Errors that are the same but for their particulars. Times are seconds since the epoch, as the log has them.

    ``example`` is the first line seen, ``newest_example`` the last, ``trace`` the lines that followed that one.
    """

    fingerprint: str
    kind: ErrorKind
    service: str
    count: int
    first_seen: float
    last_seen: float
    example: str
    newest_example: str
    trace: tuple[str, ...] = ()


@dataclass(slots=True)
class _Growing:
    """A group being counted."""

    kind: ErrorKind
    service: str
    example: str
    first_seen: float
    last_seen: float
    newest_example: str = ""
    count: int = 0
    trace: list[str] = field(default_factory=list)

    def add(self, at: float, text: str) -> None:
        self.count += 1
        self.first_seen = min(self.first_seen, at)
        if at >= self.last_seen:
            self.last_seen, self.newest_example = at, text
            self.trace.clear()


class ErrorGrouper:
    """Feed it lines in the order of each log; ask for the groups at any time.

    ``overflow`` counts errors that found no group when all places were taken; ``lines`` all lines fed.
    """

    def __init__(self, groups_at_most: int = GROUPS_AT_MOST) -> None:
        self._at_most = groups_at_most
        self._groups: dict[str, _Growing] = {}
        self._last: dict[tuple[str, str], tuple[_Growing, str]] = {}
        self.overflow = 0
        self.lines = 0

    def feed(self, line: LogLine) -> ErrorKind | None:
        """Take one line; the kind of error it is, if it is one."""
        self.lines += 1
        source = (line.container, line.stream)
        kind = classify(line.text)
        if kind is None:
            self._follow(source, line.text)
            return None
        fingerprint, text = fingerprint_of(line.service, kind, line.text), line.text[:EXAMPLE_CAP]
        group = self._groups.get(fingerprint)
        if group is None and len(self._groups) >= self._at_most:
            self.overflow += 1
            self._last.pop(source, None)
            return kind
        group = group or self._groups.setdefault(fingerprint, _Growing(kind, line.service, text, line.at, line.at))
        group.add(line.at, text)
        self.counted(fingerprint, line.at)
        self._last[source] = (group, text)
        return kind

    def counted(self, fingerprint: str, at: float) -> None:
        """Called for every error that found a group: whoever counts by time as well says here what to do with it."""

    def _follow(self, source: tuple[str, str], text: str) -> None:
        """Keep the trace under its error; any other line ends it."""
        last = self._last.get(source)
        if last is None:
            return
        group, owner = last
        if continues(text) and group.newest_example is owner:
            group.trace.append(text[:EXAMPLE_CAP])
            if len(group.trace) < TRACE_AT_MOST:
                return
        del self._last[source]

    def awaits(self, container: str, stream: str) -> bool:
        """Whether the next line of this source may belong to an error fed before."""
        return (container, stream) in self._last

    def end(self, container: str, stream: str) -> None:
        """What comes next of this source is known not to belong to the error before."""
        self._last.pop((container, stream), None)

    def groups(self, *, known: bool = False) -> tuple[ErrorGroup, ...]:
        """The groups, most frequent first; harmless noise only when ``known`` asks for it."""
        found = [
            ErrorGroup(
                fingerprint=fingerprint,
                kind=group.kind,
                service=group.service,
                count=group.count,
                first_seen=group.first_seen,
                last_seen=group.last_seen,
                example=group.example,
                newest_example=group.newest_example,
                trace=tuple(group.trace),
            )
            for fingerprint, group in self._groups.items()
            if known or group.kind is not ErrorKind.KNOWN
        ]
        return tuple(sorted(found, key=lambda group: (-group.count, -group.last_seen, group.fingerprint)))


def fingerprint_of(service: str, kind: ErrorKind, text: str) -> str:
    """Twelve hexadecimal digits, the same on every machine and every day for what is the same error."""
    return _fingerprint(service, kind, _essence(text[:LOOK_AT]).encode("utf-8", "replace").translate(_ANY_DIGIT))


@functools.lru_cache(maxsize=_REMEMBERED)
def _fingerprint(service: str, kind: ErrorKind, essence: bytes) -> str:
    return hashlib.sha256(f"{service}\n{kind}\n{_placed(essence.decode())}".encode("utf-8", "replace")).hexdigest()[:12]


def normalise(text: str) -> str:
    """What is left of a line when all that differs from one time to the next is taken out."""
    return _placed(_essence(text[:LOOK_AT]))


def _placed(text: str) -> str:
    for pattern, placeholder in _PLACEHOLDERS:
        text = pattern.sub(placeholder, text)
    return text.strip()


def _essence(text: str) -> str:
    """The part of a line of a known form that tells what is wrong; other lines whole."""
    access = accessed(text)
    if access:
        return f"{access['method']} {(access['target'] or '').partition('?')[0]} status:{access['status'].translate(_SPELLED)}"
    entry = MONGO.match(text)
    if entry:
        return f"{entry['component']} {entry['message']}"
    told = NGINX_ERROR.match(text)
    if told:
        return told["rest"].partition(", client: ")[0].partition("#")[2] or told["rest"]
    warned = REDIS.match(text)
    return warned["rest"] if warned else text


# The status is the one number that tells errors apart: spelled in letters it outlives the placeholders.
_SPELLED = str.maketrans("0123456789", "abcdefghij")
