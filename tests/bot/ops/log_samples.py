"""Entries of a log for the tests: as Docker writes them to its file, and as its engine sends them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from bot.ops.container_values import Service
from bot.sandbox.json_log import encode
from tests.bot.ops.fake_engine import frame

BEGIN = 1_769_076_000
SECOND = 1_000_000_000


class Said(NamedTuple):
    """One entry: what was said (with its line end, if it has one), where, and how many nanoseconds after ``BEGIN``."""

    text: str
    stream: str = "stdout"
    after: int = 0

    @property
    def time(self) -> int:
        return BEGIN * SECOND + self.after


def in_file(said: Iterable[Said]) -> bytes:
    """As the json-file driver writes them."""
    return b"".join(encode(each.text, each.stream, each.time) for each in said)


def on_wire(said: Iterable[Said]) -> list[bytes]:
    """As the engine sends them, frame by frame."""
    return [frame(2 if each.stream == "stderr" else 1, stamp(each.time) + b" " + each.text.encode()) for each in said]


def chunked(*parts: bytes) -> bytes:
    """As HTTP wraps them, chunk by chunk."""
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def stamp(nanoseconds: int) -> bytes:
    """With nine decimals."""
    seconds, rest = divmod(nanoseconds - BEGIN * SECOND, SECOND)
    assert seconds < 3600
    return b"2026-01-22T10:%02d:%02d.%09dZ" % (seconds // 60, seconds % 60, rest)


def kept(said: Sequence[Said], since: int = 0, until: int = 1 << 62) -> list[Said]:
    """What the engine keeps of a window (nanoseconds after ``BEGIN``): none before it, and nothing after the first beyond it."""
    found = []
    for each in said:
        if each.after > until:
            break
        if each.after >= since:
            found.append(each)
    return found


def service(*, terminal: bool = False, driver: str = "json-file", container_id: str = "c1") -> Service:
    """A container with a log."""
    return Service(
        "backend", container_id, "vcc-backend", "i", "i", "running", "", None, 0, False, None, None, 1, 1, "vcc",
        terminal=terminal, log_driver=driver,
    )  # fmt: skip
