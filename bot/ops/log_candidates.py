"""Where in a stretch of log a line may be that ``error_kinds`` takes for an error: a superset, found at the speed of memory.

Every form of error holds one of a few literals, whatever else it holds; a vectorised search for them all passes over the rest. The
same literals serve for the engine's frames and for its files, where quotes are escaped.
"""

from __future__ import annotations

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
# Leftmost matching, because only with it does the library search with vectors.
_SEARCH = BytesAhoCorasick([literal.encode() for literal in LITERALS], matchkind=MatchKind.LeftmostFirst)

_STREAM_SEARCH = {stream: BytesAhoCorasick([needle], matchkind=MatchKind.LeftmostFirst) for stream, needle in NEEDLES.items()}


def candidates(data: bytes | bytearray, size: int | None = None) -> list[int]:
    """Offsets in the first ``size`` bytes (or all), ascending; every line that is an error holds at least one."""
    return _found(_SEARCH, data, size)


def places(stream: str, data: bytes | bytearray, size: int) -> list[int]:
    """Likewise, where the entries of a json-file name this stream: sooner than by ``find`` where there are few."""
    return _found(_STREAM_SEARCH[stream], data, size)


def _found(search: BytesAhoCorasick, data: bytes | bytearray, size: int | None) -> list[int]:
    with memoryview(data) as whole, whole[:size] as part:
        return [start for _, start, _ in search.find_matches_as_indexes(part)]
