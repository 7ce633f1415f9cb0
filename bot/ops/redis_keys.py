"""Which families of keys fill a Redis server: counted by SCAN, a page at a time, their memory measured on a sample.

A family is what is left of key names when ids are taken out. Bounded in time and memory; never stops the server.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import redis.asyncio

from bot.ops.bounded import within
from bot.ops.redis_errors import REDIS

PAGE = 1000
# SCAN goes by the hash of the keys, so the first of a family that it meets are as good a sample as any.
MEASURED_EACH = 100
FAMILIES_AT_MOST = 300
OTHERS = "*"
_LONGEST = 160
_ID = re.compile(r"\d+|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|(?=[a-fA-F]*\d)[0-9a-fA-F]{8,}|(?=[\w-]*\d)[\w-]{20,}")
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class KeyFamily:
    """Keys whose names are the same but for ids. ``bytes`` is measured when every key was, else ``measured`` of them extrapolated."""

    name: str
    count: int
    kinds: tuple[str, ...]
    measured: int
    bytes: int


@dataclass(frozen=True, slots=True)
class KeyReport:
    """The families, the biggest first. ``seen`` of ``total`` keys were looked at; ``complete`` when these are all."""

    families: tuple[KeyFamily, ...]
    seen: int
    total: int
    complete: bool


@dataclass(slots=True)
class _Growing:
    count: int = 0
    measured: int = 0
    bytes: int = 0
    kinds: set[str] = field(default_factory=set)

    def size(self) -> int:
        return round(self.bytes * self.count / self.measured) if self.measured else 0


def family_of(key: str) -> str:
    """A key's name without its ids: ``bull:image generation:<id>:lock``."""
    return ":".join("<id>" if _ID.fullmatch(part) else _DIGITS.sub("<n>", part) for part in key[:_LONGEST].split(":"))


class Census:
    """Counts keys. Bounded: when there are too many families, further ones are counted by the beginning of their names."""

    def __init__(self, families_at_most: int = FAMILIES_AT_MOST) -> None:
        self._at_most = families_at_most
        self._families: dict[str, _Growing] = {}
        self.seen = 0

    def count(self, keys: Iterable[str]) -> list[tuple[str, str]]:
        """Take a page of keys; the (family, key) of it that shall be measured."""
        wanted: list[tuple[str, str]] = []
        planned: dict[str, int] = {}
        for key in keys:
            self.seen += 1
            name, growing = self._family(family_of(key))
            growing.count += 1
            if growing.measured + planned.get(name, 0) < MEASURED_EACH:
                planned[name] = planned.get(name, 0) + 1
                wanted.append((name, key))
        return wanted

    def measured(self, name: str, kind: str, size: int | None) -> None:
        """What one key of a family weighs; None when it is gone already."""
        if size is not None:
            growing = self._families[name]
            growing.measured += 1
            growing.bytes += size
            growing.kinds.add(kind)

    def _family(self, name: str) -> tuple[str, _Growing]:
        shorter = name.rpartition(":")[0]
        for candidate in (name, f"{shorter}:{OTHERS}" if shorter else OTHERS, OTHERS):
            # Room is kept for the beginnings, and for all the rest.
            room = self._at_most if candidate == name else 2 * self._at_most
            if candidate in self._families or len(self._families) < room or candidate == OTHERS:
                return candidate, self._families.setdefault(candidate, _Growing())
        raise AssertionError("the rest always has room")

    def families(self) -> tuple[KeyFamily, ...]:
        """The biggest first."""
        found = [
            KeyFamily(name, each.count, tuple(sorted(each.kinds)), each.measured, each.size()) for name, each in self._families.items()
        ]
        return tuple(sorted(found, key=lambda family: (-family.bytes, -family.count, family.name)))


async def census(
    client: redis.asyncio.Redis, deadline: float, seconds: float, on_page: Callable[[int, int], None], page: int = PAGE
) -> KeyReport:
    """Walk the keys for at most ``seconds``; each question has ``deadline``. ``on_page`` hears how many of how many were seen."""
    ends = time.monotonic() + seconds
    counted, cursor, begun = Census(), 0, False
    async with within(REDIS, deadline):
        total = int(await client.dbsize())
    while not begun or (cursor and time.monotonic() < ends):
        begun = True
        async with within(REDIS, deadline):
            cursor, keys = await client.scan(cursor, count=page)
            await _measure(client, counted, counted.count(str(key) for key in keys))
        on_page(counted.seen, total)
    return KeyReport(counted.families(), counted.seen, total, complete=not cursor)


async def _measure(client: redis.asyncio.Redis, counted: Census, wanted: Sequence[tuple[str, str]]) -> None:
    pipe = client.pipeline(transaction=False)
    for _, key in wanted:
        pipe.type(key)
        pipe.memory_usage(key)
    answers = await pipe.execute()
    for (name, _), kind, size in zip(wanted, answers[::2], answers[1::2], strict=True):
        counted.measured(name, str(kind), size)
