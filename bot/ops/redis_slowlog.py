"""The slow commands that a Redis server remembers. Only a command's name and its first key leave here: the rest is what users typed.

Which argument is a key the server itself tells (``COMMAND INFO``). Knows nothing of queues.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis.asyncio
import redis.exceptions

# For these the position of the keys depends on a count that stands before them.
_COUNTED = frozenset({"eval", "evalsha", "eval_ro", "evalsha_ro", "fcall", "fcall_ro"})
_WITH_SUBCOMMANDS = frozenset({"config", "client", "memory", "slowlog", "object", "script", "cluster", "acl", "debug", "xinfo", "xgroup"})
_NOBODY = "?:0"  # the address of a command inside a script
_LONGEST_KEY = 200
_LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class SlowCommand:
    """One slow command: when it began (seconds since the epoch), how long the server worked on it, and who sent it (empty: a script)."""

    id: int
    at: float
    seconds: float
    command: str
    key: str
    client: str


@dataclass(frozen=True, slots=True)
class SlowLog:
    """The newest slow commands, newest first. ``threshold`` (seconds) is what counts as slow; None when the server does not tell."""

    entries: tuple[SlowCommand, ...]
    remembered: int
    threshold: float | None


async def slow_log(client: redis.asyncio.Redis, limit: int) -> SlowLog:
    """The newest ``limit`` slow commands."""
    # The client's own parsing joins the arguments with spaces, and so loses where a key ends.
    untyped: Any = client
    untyped.set_response_callback("SLOWLOG GET", _as_it_comes)
    entries = await untyped.execute_command("SLOWLOG GET", limit)
    remembered = int(await untyped.execute_command("SLOWLOG LEN"))
    rows = [_row(entry) for entry in entries]
    firsts = await _first_keys(untyped, sorted({words[0].lower() for _, words, _ in rows if words}))
    found = tuple(
        SlowCommand(int(entry[0]), float(entry[1]), int(entry[2]) / 1e6, _name(words), _key(words, firsts), client_name)
        for entry, words, client_name in rows
    )
    return SlowLog(found, remembered, await _threshold(untyped))


def _as_it_comes(answer: Any, **_: Any) -> Any:
    return answer


def _row(entry: Sequence[Any]) -> tuple[Sequence[Any], list[str], str]:
    """An entry, its words, and the name of the client (its address when it has none). Some servers put a number before the words."""
    at = 3 if isinstance(entry[3], list) else 4
    words = [str(word) for word in entry[at]]
    address, name = (str(part) for part in (*entry[at + 1 : at + 3], "", "")[:2])
    return entry, words, name or ("" if address == _NOBODY else address)


async def _first_keys(client: Any, names: Sequence[str]) -> dict[str, int]:
    """Where the first key of each command stands; 0 for one without."""
    if not names:
        return {}
    try:
        known = await client.execute_command("COMMAND INFO", *names)
    except redis.exceptions.ResponseError:  # this user may not ask that: then no keys are told
        return {}
    return {name: int(entry[3]) for name, entry in zip(names, known, strict=False) if entry}


def _name(words: Sequence[str]) -> str:
    if not words:
        return ""
    taken = words[:2] if words[0].lower() in _WITH_SUBCOMMANDS else words[:1]
    return " ".join(taken).upper()[:_LONGEST_NAME]


def _key(words: Sequence[str], firsts: dict[str, int]) -> str:
    name = words[0].lower() if words else ""
    at = firsts.get(name, 0)
    if name in _COUNTED:
        at = 3 if len(words) > 3 and words[2].isdigit() and int(words[2]) > 0 else 0
    return words[at][:_LONGEST_KEY] if 0 < at < len(words) else ""


async def _threshold(client: Any) -> float | None:
    try:
        answer = await client.config_get("slowlog-log-slower-than")
    except redis.exceptions.ResponseError:  # managed servers hide CONFIG
        return None
    micros = int(answer.get("slowlog-log-slower-than", -1))
    return micros / 1e6 if micros >= 0 else None
