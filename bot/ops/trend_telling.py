"""Measured figures as people see them: charts with their alt text, changes, how far back the record goes. Asks nothing itself."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.chart import Chart, Line, Unit
from bot.figures import NONE, Figures
from bot.plain_text import harmless
from bot.series import Bucket, Measured, Series, Summary, summary
from bot.words import Words

Range = Literal["1h", "24h", "7d"]
SECONDS: Mapping[str, float] = {"1h": 3_600.0, "24h": 86_400.0, "7d": 604_800.0}
Lines = Mapping[str, Sequence[Bucket]]
HOUR = 3_600.0
UNCHANGED = "±0"
_POINTS = {"ko": "%p", "en": " pts"}
# An hour ago is a few minutes around it: one measurement alone may be an odd one.
_AROUND = 300.0
# Buckets further apart than this many times their usual distance have a gap between them.
_GAP = 2.5
# The record may begin, or end, so much of the period late before it is worth a sentence.
_LATE, _SILENT = 0.05, 300.0
# A record that covers less than this share of the period is drawn from its own beginning.
_YOUNG = 0.6
_NAME = 60


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time that somebody asked about, with the name it was asked by."""

    name: str
    since: float
    until: float

    @classmethod
    def until_now(cls, name: Range, now: float) -> Period:
        """The last hour, day or week."""
        return cls(name, now - SECONDS[name], now)


def an_hour_ago(now: float) -> tuple[float, float]:
    """The minutes that stand for an hour ago."""
    return now - HOUR - _AROUND, now - HOUR + _AROUND


class TrendTelling:
    """Tells what was measured in the words and figures of one reader."""

    def __init__(self, words: Words, figures: Figures) -> None:
        self._words = words
        self._figures = figures
        self._written: Mapping[Unit, Callable[[float], str]] = {
            Unit.PERCENT: figures.percent,
            Unit.BYTES: figures.size,
            Unit.BYTES_PER_SECOND: lambda value: f"{figures.size(value)}/s",
            Unit.COUNT: lambda value: figures.count(round(value)) if value == round(value) or abs(value) >= 10 else f"{value:.1f}",
            Unit.PER_MINUTE: lambda value: f"{value:.1f}",
            Unit.MILLISECONDS: figures.milliseconds,
        }

    def value(self, unit: Unit, value: float | None) -> str:
        """One value."""
        return NONE if value is None else self._written[unit](value)

    def span(self, period: Period) -> str:
        """How long the period is."""
        return self._figures.duration(period.until - period.since)

    def cells(self, unit: Unit, found: Summary | None) -> tuple[str, str, str, str]:
        """Least, mean, most and latest, for a table."""
        if found is None:
            return (NONE, NONE, NONE, NONE)
        least, mean, most, latest = (self.value(unit, each) for each in (found.least, found.mean, found.most, found.latest))
        return (least, mean, most, latest)

    def change(self, unit: Unit, now: float, before: float | None) -> str:
        """By how much a value moved, with its sign; a difference of shares is in points."""
        if before is None:
            return NONE
        written = self.value(unit, abs(now - before))
        if written == self.value(unit, 0.0):
            return UNCHANGED
        points = _POINTS[self._words.language] if unit is Unit.PERCENT else ""
        return f"{'+' if now > before else '-'}{written.removesuffix('%') if points else written}{points}"

    def chart(self, title: str, unit: Unit, lines: Lines, period: Period, limit: tuple[float, str] | None = None) -> Chart:
        """A picture of some figures over the period; the alt text holds for each line what a table would."""
        drawn = tuple(Line(harmless(label, limit=_NAME, newlines=False), tuple(_points(found))) for label, found in lines.items())
        value, label = limit or (None, "")
        return Chart(title, unit, drawn, _begin(lines, period), period.until, self._alt(title, unit, lines, period), value, label)

    def _alt(self, title: str, unit: Unit, lines: Lines, period: Period) -> str:
        found = [(label, summary(buckets)) for label, buckets in lines.items()]
        told = "; ".join(self._line(label, unit, each) for label, each in found if each is not None)
        since, until = self._figures.moment(period.since), self._figures.moment(period.until)
        return self._words("trend.alt", title=title, since=since, until=until, lines=told or self._words("trend.nothing"))

    def _line(self, label: str, unit: Unit, found: Summary) -> str:
        least, mean, most, latest = self.cells(unit, found)
        name = harmless(label, limit=_NAME, newlines=False)
        return self._words("trend.alt_line", label=name, least=least, mean=mean, most=most, latest=latest)

    def coverage(self, known: Mapping[Series, Measured], period: Period) -> str:
        """What the reader must know about the record: that there is none, that it begins late, that it ended. Else nothing."""
        if not known:
            return self._words("trend.empty")
        since, latest = min(each.since for each in known.values()), max(each.latest for each in known.values())
        told = []
        if since > period.since + _LATE * (period.until - period.since):
            told.append(self._words("trend.begins", since=self._figures.moment(since)))
        if latest < period.until - _SILENT:
            told.append(self._words("trend.ended", ago=self._figures.since(latest, period.until)))
        return "\n".join(told)


def _begin(lines: Lines, period: Period) -> float:
    """Where the picture begins: a young record is not squeezed against the edge of a week."""
    first = min((found[0].at for found in lines.values() if found), default=period.since)
    young = period.until - first < _YOUNG * (period.until - period.since)
    return max(period.since, first) if young else period.since


def _points(buckets: Sequence[Bucket]) -> Iterator[tuple[float, float | None]]:
    """One point for each bucket, and an empty one where something is missing between two."""
    steps = [after.at - before.at for before, after in itertools.pairwise(buckets)]
    usual = statistics.median(steps) if steps else 0.0
    for place, bucket in enumerate(buckets):
        if place and steps[place - 1] > _GAP * usual:
            yield buckets[place - 1].middle + usual, None
        yield bucket.middle, bucket.mean
