"""What was read last of a log, so that it is known again wherever the same entries come from, a file or the engine.

Stamps are only nearly ordered: a line may be stamped, and written after hundreds of lines that were stamped later. So a place in
a log is not a time: it is a time from which to look, and the entries that were read from there on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

RECENT = 2_048
RECENT_BYTES = 4 << 20


class Anchor(NamedTuple):
    """Of the entries not stamped before ``since`` the first ``seen``, whose digest is ``seen_mark``, were read; ``last`` is the latest."""

    since: str
    seen: int
    seen_mark: str
    last: str


class Stamped(NamedTuple):
    """One entry: its stamp, and its frame as the engine sends it."""

    stamp: bytes
    frame: bytes


def anchor(recent: Sequence[Stamped]) -> Anchor | None:
    """Behind the newest entries that were read; None when there were none.

    It begins where the older half of them had ended, so that no entry before them belongs to it, and a late one still does.
    """
    if not recent:
        return None
    older = recent[: len(recent) // 2] if len(recent) >= RECENT else ()
    ended = max((each.stamp for each in older), default=b"")
    since = min((each.stamp for each in recent if each.stamp > ended), default=min(each.stamp for each in recent))
    again = [each for each in recent if each.stamp >= since]
    last = max(each.stamp for each in recent)
    return Anchor(since.decode("ascii", "replace"), len(again), digest(again), last.decode("ascii", "replace"))


def digest(entries: Sequence[Stamped]) -> str:
    """What tells these entries from others."""
    summed = hashlib.sha256()
    for each in entries:
        summed.update(each.frame)
    return summed.hexdigest()[:32]
