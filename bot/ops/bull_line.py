"""Where jobs stood in a line before they were taken out of it, and the line with them in it again. Pure; knows no Redis.

A line is as Bull has it: the next one to be taken stands last, new ones join at the beginning.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stood:
    """One job's place when it was taken out: the list, whether the queue was held then, who was taken next after and before it."""

    job: str
    place: str
    held: bool
    ahead: str | None
    behind: str | None

    def target(self, held: bool) -> str:
        """The list it belongs into now. What waits is one line, whether the queue is held or not."""
        if self.place == "active" or self.held == held:
            return self.place
        return "paused" if held else "wait"


def rejoined(line: Sequence[str], taken: Iterable[Stood]) -> list[str]:
    """The line with these in it again; ``taken`` with the last one taken out first, so that each finds the line it left.

    Where the one ahead is gone, it comes before the one behind; where both are, it follows who came back just before it:
    jobs leave from the line's end on, so that one stood nearer to its front. Nobody else who stands there did.
    """
    jobs, right, end = list(line), list(range(1, len(line) + 1)), len(line)
    # One more than there are jobs closes the ring, so that each end has a neighbour too.
    jobs.append("")
    right.append(0)
    left = [end, *range(end)]
    where, last = {job: at for at, job in enumerate(line)}, end
    for stood in taken:
        if stood.ahead in where:
            after = where[stood.ahead]
        elif stood.behind in where:
            after = right[where[stood.behind]]
        else:
            after = last
        before, new = left[after], len(jobs)
        jobs.append(stood.job)
        left.append(before)
        right.append(after)
        right[before] = left[after] = where[stood.job] = last = new
    return _walked(jobs, right, end)


def _walked(jobs: Sequence[str], right: Sequence[int], end: int) -> list[str]:
    found, at = list[str](), right[end]
    while at != end:
        found.append(jobs[at])
        at = right[at]
    return found
