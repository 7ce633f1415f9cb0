"""A figure measured again and again: which one it is, and what it was in each stretch of time. Knows neither source nor store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Series:
    """One figure of one thing: ``part`` is its kind (service, host, disk, queue, mongodb, redis, uploads), ``subject`` which of
    them (a service's name, a path, a queue), empty where there is but one; ``figure`` is what was measured, as in ``--json``."""

    part: str
    subject: str
    figure: str


@dataclass(frozen=True, slots=True)
class Bucket:
    """What a figure was in the ``span`` seconds that begin ``at`` (since the epoch), by ``count`` measurements."""

    at: float
    span: float
    least: float
    mean: float
    most: float
    count: int

    @property
    def middle(self) -> float:
        """The moment it stands for, when drawn."""
        return self.at + self.span / 2


@dataclass(frozen=True, slots=True)
class Summary:
    """A figure over a whole period. ``latest`` is its newest value."""

    least: float
    mean: float
    most: float
    latest: float
    count: int


@dataclass(frozen=True, slots=True)
class Measured:
    """From when to when anything was measured at all, in seconds since the epoch."""

    since: float
    latest: float


def summary(buckets: Sequence[Bucket], latest: float | None = None) -> Summary | None:
    """The buckets taken together; None when there is none. ``latest`` where a finer value is known than the last bucket's mean."""
    count = sum(bucket.count for bucket in buckets)
    if not count:
        return None
    return Summary(
        least=min(bucket.least for bucket in buckets),
        mean=sum(bucket.mean * bucket.count for bucket in buckets) / count,
        most=max(bucket.most for bucket in buckets),
        latest=buckets[-1].mean if latest is None else latest,
        count=count,
    )
