"""Where a measured figure is going: how fast what fills up grows, and when it is full. Pure: asks nothing, says nothing.

Growth is the median of the slopes between all pairs of hourly values (Theil and Sen), so that no single hour decides it. A clean-up
makes a sudden drop: values before and after it are not compared, so that what is said is how fast it fills between clean-ups. Nor
are those before and after the one big copy of a week; one that comes again is growth.
"""

from __future__ import annotations

import enum
import itertools
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bot.series import Bucket

HOUR, DAY = 3_600.0, 86_400.0
LOOK_BACK = 7 * DAY
# With less than this nothing is said: a night is no day.
LEAST_SPAN, LEAST_VALUES = 23 * HOUR, 12
# A clean-up falls by more than usual steps do, and by more than this share of the whole.
_UNUSUAL, _SUDDEN = 5.0, 0.002
# Slower than this share of the whole in a day is standing still.
_STILL = 0.0005
_ENOUGH_POINTS = 90
# In less time than this nobody knows whether a copy that came once comes every night.
_ONCE_IN, _COPY_HOURS = 3 * DAY, 6


class Course(enum.StrEnum):
    """What a figure does."""

    UNKNOWN = "unknown"
    GROWING = "growing"
    STABLE = "stable"
    SHRINKING = "shrinking"


class Confidence(enum.StrEnum):
    """How far an estimate can be trusted: by how long it was watched, and how even the growth was."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Growth:
    """How something fills up. ``per_day`` in the figure's own unit, between clean-ups, of which there were ``drops`` that freed
    ``dropped``; ``days_until_full`` if it went on like that and nobody cleaned up. ``jumped`` came in one big copy, which is left
    out. The basis: ``values`` hourly values over ``span_s`` seconds. Without enough of them the course is unknown and the rest None."""

    course: Course
    per_day: float | None
    days_until_full: float | None
    confidence: Confidence | None
    values: int
    span_s: float
    drops: int
    dropped: float
    jumped: float = 0.0


def growth(hourly: Sequence[Bucket], free: float) -> Growth:
    """The growth of a used amount, of which ``free`` more fits."""
    values, span = len(hourly), hourly[-1].at - hourly[0].at + hourly[-1].span if hourly else 0.0
    if values < LEAST_VALUES or span < LEAST_SPAN:
        return Growth(Course.UNKNOWN, None, None, None, values, span, 0, 0.0)
    segments = list(_segments(hourly, span))
    slopes = sorted(slope for segment in segments for slope in _slopes(_thinned(segment, values)))
    leaps = [after[0].mean - before[-1].mean for before, after in itertools.pairwise(segments)]
    falls = [-leap for leap in leaps if leap < 0]
    found = Growth(Course.UNKNOWN, None, None, None, values, span, len(falls), sum(falls), sum(leap for leap in leaps if leap > 0))
    if not slopes:
        return found
    per_day = _weighted(slopes, 0.5) * DAY
    course = _course(per_day, hourly[-1].mean + free)
    return replace(
        found,
        course=course,
        per_day=per_day,
        days_until_full=free / per_day if course is Course.GROWING else None,
        confidence=_confidence(slopes, span, _STILL * (hourly[-1].mean + free) / DAY),
    )


def usual(buckets: Sequence[Bucket]) -> float | None:
    """The mean of some buckets; None for none."""
    count = sum(bucket.count for bucket in buckets)
    return sum(bucket.mean * bucket.count for bucket in buckets) / count if count else None


def _segments(hourly: Sequence[Bucket], span: float) -> Iterator[list[Bucket]]:
    """The values between clean-ups. One that takes some hours is one clean-up: values in the middle of it belong to neither side."""
    leaps = _leaps(hourly, span)
    segment = [hourly[0]]
    for place, leap in enumerate(leaps):
        if not leap:
            segment.append(hourly[place + 1])
        elif place + 1 < len(leaps) and leaps[place + 1] == leap:
            continue
        else:
            yield segment
            segment = [hourly[place + 1]]
    yield segment


def _leaps(hourly: Sequence[Bucket], span: float) -> list[int]:
    """Of each step from one value to the next: -1 for a clean-up, 1 for the one big copy, 0 for all that is usual."""
    pairs = list(itertools.pairwise(hourly))
    steps = [after.mean - before.mean for before, after in pairs]
    sudden = max(_UNUSUAL * statistics.median(abs(step) for step in steps), _SUDDEN * max(bucket.mean for bucket in hourly))
    # A gap in the record is no copy, however much came in the meantime.
    rises = [step > sudden and after.at - before.at < 2 * HOUR for step, (before, after) in zip(steps, pairs, strict=True)]
    begun = sum(rose and not before for before, rose in itertools.pairwise([False, *rises]))
    # One that is not over yet may be no copy at all but what will fill the disk.
    once = begun == 1 and sum(rises) <= _COPY_HOURS and not rises[-1] and span >= _ONCE_IN
    return [-1 if step < -sudden else int(once and rose) for step, rose in zip(steps, rises, strict=True)]


def _thinned(segment: Sequence[Bucket], values: int) -> Sequence[Bucket]:
    """Pairs grow with the square: of many values every second or third is as good."""
    return segment[:: 1 + values // _ENOUGH_POINTS]


def _slopes(segment: Sequence[Bucket]) -> Iterator[tuple[float, float]]:
    """(change per second, weight) of each pair; a pair far apart says more than one side by side."""
    for place, earlier in enumerate(segment):
        for later in segment[place + 1 :]:
            apart = later.at - earlier.at
            yield (later.mean - earlier.mean) / apart, apart


def _weighted(slopes: Sequence[tuple[float, float]], share: float) -> float:
    """The slope below which ``share`` of the weight lies; ``slopes`` are sorted."""
    left = share * sum(weight for _, weight in slopes)
    for slope, weight in slopes:
        left -= weight
        if left <= 0:
            return slope
    return slopes[-1][0]


def _course(per_day: float, whole: float) -> Course:
    if abs(per_day) <= _STILL * whole:
        return Course.STABLE
    return Course.GROWING if per_day > 0 else Course.SHRINKING


def _confidence(slopes: Sequence[tuple[float, float]], span: float, still: float) -> Confidence:
    """Even growth is one whose slopes differ by less than itself, or by less than would be called growth at all."""
    middle, spread = abs(_weighted(slopes, 0.5)), _weighted(slopes, 0.75) - _weighted(slopes, 0.25)
    if span >= 5 * DAY and spread <= max(middle, still):
        return Confidence.HIGH
    return Confidence.MEDIUM if span >= 2 * DAY and spread <= 2 * max(middle, still) else Confidence.LOW
