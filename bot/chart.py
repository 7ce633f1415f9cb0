"""What a picture of figures over time says, before it is drawn: lines, unit, period. Knows neither the figures' source nor how to draw."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Unit(enum.StrEnum):
    """What a chart's values are; decides how its axis is labelled."""

    PERCENT = "percent"
    BYTES = "bytes"
    BYTES_PER_SECOND = "bytes_per_second"
    COUNT = "count"
    PER_MINUTE = "per_minute"
    MILLISECONDS = "milliseconds"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart: (seconds since the epoch, value), in the order of time. A value of None is a gap, and drawn as one."""

    label: str
    points: tuple[tuple[float, float | None], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """One picture. ``since`` and ``until`` are its edges, in seconds since the epoch; ``limit`` a line not to be crossed.

    ``alt`` tells in words what the picture shows, with its figures, for whoever does not see it.
    """

    title: str
    unit: Unit
    lines: tuple[Line, ...]
    since: float
    until: float
    alt: str
    limit: float | None = None
    limit_label: str = ""
