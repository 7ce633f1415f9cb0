"""Why jobs failed, the same reasons counted together, and which jobs a person means by a part of one. Pure.

The examples are the application's own wording: whoever shows them redacts them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.ops.error_log import normalise


@dataclass(frozen=True, slots=True)
class ReasonGroup:
    """Failures that are the same but for their particulars; ``example`` is the first seen. An empty ``reason``: none is given."""

    reason: str
    count: int
    example: str


def grouped(failed: Iterable[tuple[str, str]]) -> tuple[ReasonGroup, ...]:
    """Groups of (id, reason), the most frequent first."""
    counts: dict[str, int] = {}
    examples: dict[str, str] = {}
    for _, said in failed:
        reason = normalise(said)
        counts[reason] = counts.get(reason, 0) + 1
        examples.setdefault(reason, said)
    groups = [ReasonGroup(reason, count, examples[reason]) for reason, count in counts.items()]
    return tuple(sorted(groups, key=lambda group: (-group.count, group.reason)))


def matching(failed: Sequence[tuple[str, str]], text: str) -> list[str]:
    """The ids of those whose reason holds ``text``: as it stands, or with its particulars taken out as the groups are named."""
    wanted = text.casefold()
    return [job for job, said in failed if wanted in said.casefold() or wanted in normalise(said).casefold()]
