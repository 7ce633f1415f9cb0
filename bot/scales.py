"""The scales of a chart: where its ticks stand, what they say, and as many points as can be seen. Pure; draws nothing."""

from __future__ import annotations

import datetime
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from bot.chart import Unit
from bot.figures import NONE, Figures

Point = tuple[float, float | None]
Points = Sequence[Point]
Ticks = tuple[tuple[float, str], ...]
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
_ROWS = 4
_NEARLY_ALL = 55.0
_LEAST = 0.5
_LEAST_SHARE = 3.9  # an idle machine shall not look busy
_MOST_TICKS = 5
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_SPANS = (
    *(each * _MINUTE for each in (1, 2, 5, 10, 15, 30)),
    *(each * _HOUR for each in (1, 2, 3, 6, 12)),
    *(each * _DAY for each in (1, 2, 7, 14)),
)
_MONTHS = (1, 2, 3, 6, 12, 24, 60)
_MOST_RUNS = 2


@dataclass(frozen=True, slots=True)
class ValueScale:
    """From nought to ``top``; ``unit`` stands beside the figures of the ticks."""

    top: float
    ticks: Ticks
    unit: str


def written(value: float | None, unit: Unit, figures: Figures) -> str:
    """One value with its unit."""
    if value is None:
        return NONE
    if unit is Unit.PERCENT:
        return figures.percent(value)
    if unit in (Unit.BYTES, Unit.BYTES_PER_SECOND):
        return figures.size(value) + ("/s" if unit is Unit.BYTES_PER_SECOND else "")
    if unit is Unit.MILLISECONDS:
        return figures.milliseconds(value)
    if unit is Unit.PER_MINUTE and 0 < value < 9.95:
        return f"{value:.1f}".removesuffix(".0")
    return figures.count(round(value))


def value_scale(unit: Unit, peak: float, figures: Figures) -> ValueScale:
    """A scale with room for ``peak``. A share that comes near a hundred is seen against the hundred."""
    if unit is Unit.PERCENT:
        return _ticked(100.0, 25.0, 1.0, "%") if _NEARLY_ALL < peak <= 100 else _fitted(max(peak, _LEAST_SHARE), 1.0, "%")
    if unit in (Unit.BYTES, Unit.BYTES_PER_SECOND):
        factor, name = _binary(peak, figures)
        ending = "/s" if unit is Unit.BYTES_PER_SECOND else ""
        return _fitted(max(peak, 1.0), factor, name + ending, least_step=1.0 if factor == 1 else 0.0)
    if unit is Unit.COUNT:
        return _fitted(max(peak, 1.0), 1.0, "", least_step=1.0)
    return _fitted(max(peak, _LEAST), 1.0, "ms" if unit is Unit.MILLISECONDS else "")


def _binary(peak: float, figures: Figures) -> tuple[float, str]:
    """How many bytes the unit has that ``peak`` is said in, and its name."""
    name = figures.size(peak).split()[-1]
    factor = 1.0
    while figures.size(factor).split()[-1] != name:
        factor *= 1024
    return factor, name


def _fitted(peak: float, factor: float, unit: str, least_step: float = 0.0) -> ValueScale:
    raw = peak / factor / _ROWS
    power = 10.0 ** math.floor(math.log10(raw))
    step = max(least_step, next(each * power for each in _STEPS if each * power >= raw * 0.999))
    if least_step and step != int(step):
        step = math.ceil(step)
    # A little air above the highest point, or its line lies on the frame.
    rows = math.ceil(peak / factor / step * 1.02)
    return _ticked(rows * step * factor, step, factor, unit)


def _ticked(top: float, step: float, factor: float, unit: str) -> ValueScale:
    values = [number * step for number in range(round(top / factor / step) + 1)]
    return ValueScale(top, tuple((value * factor, _tick(value)) for value in values), unit)


def _tick(value: float) -> str:
    if value < 1e6:
        return f"{value:,.6g}"
    return f"{value:,.0f}" if value < 1e9 else f"{value:.3g}"


def time_ticks(since: float, until: float, zone: str) -> Ticks:
    """Round moments between two others by the clocks of ``zone``; midnights are said as dates."""
    place = ZoneInfo(zone)
    first, last = (datetime.datetime.fromtimestamp(at, place).replace(tzinfo=None) for at in (since, until))
    step = next((each for each in _SPANS if (until - since) / each <= _MOST_TICKS), 0)
    moments = _stepping(first, step) if step else _months(first, (until - since) / (30 * _DAY))
    shown = itertools.takewhile(lambda moment: moment <= last, moments)
    say = _hours if 0 < step < _DAY else (lambda moment: moment.strftime("%m-%d" if step else "%Y-%m"))
    placed = ((moment.replace(tzinfo=place).timestamp(), say(moment)) for moment in shown)
    return tuple((at, label) for at, label in placed if since <= at <= until)


def _hours(moment: datetime.datetime) -> str:
    return moment.strftime("%H:%M" if moment.hour or moment.minute else "%m-%d")


def _stepping(first: datetime.datetime, seconds: int) -> Iterator[datetime.datetime]:
    """Every so many seconds of the wall clock, counted from a midnight."""
    midnight = datetime.datetime(first.year, first.month, first.day)  # noqa: DTZ001 - a wall clock; the zone is put on later
    skipped = math.ceil((first - midnight).total_seconds() / seconds)
    return (midnight + datetime.timedelta(seconds=seconds * (skipped + number)) for number in itertools.count())


def _months(first: datetime.datetime, months: float) -> Iterator[datetime.datetime]:
    step = next((each for each in _MONTHS if months / each <= _MOST_TICKS), _MONTHS[-1] * math.ceil(months / 300))
    begun = -(-(first.year * 12 + first.month - 1) // step) * step
    for number in itertools.count(begun, step):
        yield datetime.datetime(number // 12, number % 12 + 1, 1)  # noqa: DTZ001 - as above


def thinned(points: Points, since: float, until: float, buckets: int) -> list[Point]:
    """At most a few points for each of so many equal stretches: lowest and highest stay, and so do the gaps."""
    kept: list[Point] = []
    width = max(1e-9, (until - since) / buckets)
    sound = ((at, _sound(value)) for at, value in points if since <= at <= until)
    for _, stretch in itertools.groupby(sound, lambda point: int((point[0] - since) / width)):
        kept += _summary(list(stretch))
    return kept


def _sound(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _summary(stretch: list[Point]) -> list[Point]:
    """The first, lowest, highest and last value of every run between gaps; of many runs only the extremes, each by itself."""
    if len(stretch) <= 2:
        return stretch
    runs = [list(run) for known, run in itertools.groupby(stretch, lambda point: point[1] is not None) if known]
    if len(runs) > _MOST_RUNS:
        runs = [[point] for point in _extremes([point for run in runs for point in run])]
    kept = _joined([_extremes(run) for run in runs])
    if stretch[0][1] is None:
        kept.insert(0, (stretch[0][0], None))
    return [*kept, (stretch[-1][0], None)] if stretch[-1][1] is None else kept


def _joined(parts: list[list[Point]]) -> list[Point]:
    """One after the other, with a gap in between."""
    joined: list[Point] = []
    for part in parts:
        joined += [(part[0][0], None), *part] if joined else part
    return joined


def _extremes(run: list[Point]) -> list[Point]:
    return sorted({run[0], min(run, key=_height), max(run, key=_height), run[-1]})


def _height(point: Point) -> float:
    return point[1] or 0.0
