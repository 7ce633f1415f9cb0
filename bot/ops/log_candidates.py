"""Where in a stretch of log a line may be that ``error_kinds`` takes for an error: a superset, found at the speed of memory.

Every form of error holds one of a few literals, whatever else it holds; a vectorised search for them all passes over the rest. The
same literals serve for the engine's frames and for its files, where quotes are escaped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ahocorasick_rs import BytesAhoCorasick, MatchKind

from bot.ops.log_entries import NEEDLES

LITERALS = (
    "rror", "xception", "ERROR", "FATAL", "fatal", "ailed", "❌",
    "ncaught", "nhandled", "NCAUGHT", "NHANDLED",
    "ECONNRE", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "EPIPE",
    "MongoDB disconnected", "Socket closed unexpectedly",
    "[crit] ", "[alert] ", "[emerg] ", " # ",
    '"s":"E', '"s":"F', '\\"s\\":\\"E', '\\"s\\":\\"F', '" 5',
)  # fmt: skip
_LITERALS = tuple(literal.encode() for literal in LITERALS)


def _search(*wanted: bytes) -> BytesAhoCorasick:
    return BytesAhoCorasick(wanted, matchkind=MatchKind.LeftmostFirst)  # only leftmost matching is done with vectors


_SEARCH = _search(*_LITERALS)
_STREAM_SEARCH = {stream: _search(needle) for stream, needle in NEEDLES.items()}
# What a needle ends with, as nearly every line has what it begins with. No literal can begin in it and end behind it, or the other way
# round: looked for together, none hides another.
_TAIL = 3
_BOTH = {stream: _search(needle[-_TAIL:], *_LITERALS) for stream, needle in NEEDLES.items()}
_SAMPLE, _FEW = 1 << 16, 16


class Looked(NamedTuple):
    """Offsets, ascending: of candidates, and where each of these streams is named. The streams are those that say little, if any."""

    hits: list[int]
    places: Mapping[str, list[int]]


def candidates(data: bytes | bytearray, size: int | None = None) -> list[int]:
    """Offsets in the first ``size`` bytes (or all), ascending; every line that is an error holds at least one."""
    return [start for _, start, _ in _found(_SEARCH, data, size)]


def places(stream: str, data: bytes | bytearray, size: int) -> list[int]:
    """Likewise, where the entries of a json-file name this stream: sooner than by ``find`` where there are few."""
    return [start for _, start, _ in _found(_STREAM_SEARCH[stream], data, size)]


def looked_through(data: bytes | bytearray, size: int) -> Looked:
    """Both for the entries of a json-file, in one search, where its beginning shows a stream that says little."""
    rare = next((stream for stream, needle in NEEDLES.items() if data.count(needle, 0, min(size, _SAMPLE)) <= _FEW), None)
    if rare is None:
        return Looked(candidates(data, size), {})
    found, needle, before = _found(_BOTH[rare], data, size), NEEDLES[rare], len(NEEDLES[rare]) - _TAIL
    ends = (start - before for which, start, _ in found if not which)
    return Looked([start for which, start, _ in found if which], {rare: [at for at in ends if at >= 0 and data.startswith(needle, at)]})


def _found(search: BytesAhoCorasick, data: bytes | bytearray, size: int | None) -> list[tuple[int, int, int]]:
    with memoryview(data) as whole, whole[:size] as part:
        return search.find_matches_as_indexes(part)
