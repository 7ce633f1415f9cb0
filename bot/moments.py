"""A time as people type it (``2h``, ``10:00``, ``2026-01-22T10:00:00+09:00``, ``어제 9:30``) to seconds since the epoch.

Pure: is told the present and the zone that unmarked times are in. Reads no log and knows no command.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from bot.errors import Usage

DAY = 86_400.0
LONGEST = 366 * DAY
# Clocks of phones and servers differ by seconds; what is that little in the future means now.
_TOLERANCE = 60.0
UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "초": 1, "분": 60, "시간": 3_600, "일": 86_400, "주": 604_800}
_PIECE = re.compile(r"(\d{1,9})(s|m|h|d|w|초|분|시간|일|주)")
_DURATION = re.compile(rf"(?:{_PIECE.pattern})(?: ?(?:{_PIECE.pattern})){{0,3}}")
_AGO = re.compile(r" ?(?:ago|전)$")
_DAYS_BACK = {"today": 0, "오늘": 0, "yesterday": 1, "어제": 1}
_NOW = frozenset({"now", "지금"})
_TYPED = re.compile(
    r"(?P<day>\d{4}-\d{1,2}-\d{1,2}|today|오늘|yesterday|어제)?(?:[t ]|(?<!\d)(?=\d)|$)"
    r"(?P<clock>\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?)?"
    r"(?: ?(?P<zone>[+-]\d{2}(?::?\d{2})?|[a-z][a-z_]*(?:/[a-z_+-]+){0,2}))?"
)


@dataclass(frozen=True, slots=True)
class Period:
    """From one moment to a later one, in seconds since the epoch."""

    since: float
    until: float


@dataclass(frozen=True, slots=True)
class _Typed:
    """What was typed: so long ago, or a day (a date, or so many days back) and a time of day, in a zone of its own or not."""

    ago: float | None = None
    day: date | int | None = None
    clock: time | None = None
    zone: tzinfo | None = None


def seconds_of(text: str) -> float | None:
    """A length of time such as ``90m``, ``2시간`` or ``1h30m``; None when it is none."""
    text = text.lower()
    if not _DURATION.fullmatch(text):
        return None
    return float(sum(int(count) * UNITS[unit] for count, unit in _PIECE.findall(text)))


def check(text: str) -> None:
    """Usage when this is no time."""
    _read(text)


def begins(text: str, following: str) -> bool:
    """Whether ``text`` is a day that the next word gives a time of: ``--since 2026-01-22 10:00`` without quotes."""
    return re.fullmatch(r"\d{4}-\d{1,2}-\d{1,2}|today|오늘|yesterday|어제", text.lower()) is not None and (
        re.match(r"\d{1,2}:\d{2}", following) is not None
    )


@dataclass(frozen=True, slots=True)
class Present:
    """The moment that typed times are reckoned from, and the zone of those that name none."""

    now: float
    zone: str

    def period(self, since: str, until: str | None = None, *, shortest: float = 0.0, longest: float = LONGEST) -> Period:
        """From ``since`` to ``until`` (now when left out). Usage for what lies in the future, is upside down, too long or too short."""
        begin = self.at(since)
        if self.now - begin > longest:
            raise Usage("moments.too_far", word=since, days=f"{longest / DAY:g}")
        end = self.now if until is None else self._end(until, _read(since), begin)
        if begin >= end:
            raise Usage("moments.upside_down", since=self._shown(begin), until=self._shown(end))
        if end - begin < shortest:
            raise Usage("moments.too_short", seconds=f"{shortest:g}")
        return Period(begin, end)

    def _end(self, text: str, since: _Typed, begin: float) -> float:
        """A time of day alone, behind a beginning that names its day, is the next such time after that."""
        typed = _read(text)
        if typed.ago is not None or typed.day is not None or since.day is None:
            return self.at(text, end=True)
        zone = typed.zone or since.zone or ZoneInfo(self.zone)
        day = datetime.fromtimestamp(begin, zone).date()
        dated = replace(typed, day=day, zone=zone)
        if self._local(dated, end=True) <= begin:
            dated = replace(dated, day=day + timedelta(days=1))
        return self._not_ahead(text, self._local(dated, end=True))

    def at(self, text: str, *, end: bool = False) -> float:
        """The moment that was typed. Of two that a change of the clocks makes of it the earlier, or the later for an ``end``."""
        typed = _read(text)
        if typed.ago is not None:
            if typed.ago > LONGEST:
                raise Usage("moments.too_far", word=text, days=f"{LONGEST / DAY:g}")
            return self.now - typed.ago
        return self._not_ahead(text, self._local(typed, end=end))

    def _not_ahead(self, text: str, moment: float) -> float:
        if moment > self.now + _TOLERANCE:
            raise Usage("moments.in_future", word=text, now=self._shown(self.now))
        return min(moment, self.now)

    def _local(self, typed: _Typed, *, end: bool) -> float:
        zone = typed.zone or ZoneInfo(self.zone)
        today = datetime.fromtimestamp(self.now, zone).date()
        day = typed.day if isinstance(typed.day, date) else today - timedelta(days=typed.day or 0)
        if typed.clock is None:
            begun = _instant(day, time(), zone, end=False)
            if not end or begun > self.now:
                return begun
            return min(self.now, _instant(day + timedelta(days=1), time(), zone, end=True))
        moment = _instant(day, typed.clock, zone, end=end)
        if typed.day is None and moment > self.now + _TOLERANCE:
            return _instant(day - timedelta(days=1), typed.clock, zone, end=end)
        return moment

    def _shown(self, at: float) -> str:
        return datetime.fromtimestamp(at, ZoneInfo(self.zone)).strftime("%Y-%m-%d %H:%M:%S")


def _instant(day: date, clock: time, zone: tzinfo, *, end: bool) -> float:
    """A clock time that comes twice, or is left out, when the clocks change stands for two moments."""
    both = [datetime.combine(day, clock, zone).replace(fold=fold).timestamp() for fold in (0, 1)]
    return max(both) if end else min(both)


def _read(text: str) -> _Typed:
    """The parts of what was typed; Usage when it is nothing that can be meant."""
    said = " ".join(text.lower().split())
    ago = 0.0 if said in _NOW else seconds_of(_AGO.sub("", said))
    if ago is not None:
        return _Typed(ago=ago)
    found = _TYPED.fullmatch(said)
    if found is None or not (found["day"] or found["clock"]):
        raise Usage("moments.nonsense", word=text)
    try:
        return _Typed(None, _day(found["day"]), _clock(found["clock"]), _zone(found["zone"], text))
    except ValueError as error:
        raise Usage("moments.no_such_time", word=text) from error


def _day(text: str | None) -> date | int | None:
    if text is None or text in _DAYS_BACK:
        return None if text is None else _DAYS_BACK[text]
    year, month, day = map(int, text.split("-"))
    return date(year, month, day)


def _clock(text: str | None) -> time | None:
    if text is None:
        return None
    hours, minutes, *rest = text.replace(",", ".").split(":")
    seconds, _, fraction = (rest[0] if rest else "0").partition(".")
    return time(int(hours), int(minutes), int(seconds), int(f"{fraction:0<6}"[:6]))


def _zone(text: str | None, typed: str) -> tzinfo | None:
    """``z``, ``+09:00`` or the name of a zone."""
    if text is None:
        return None
    if text in ("z", "utc", "gmt"):
        return UTC
    if text[0] in "+-":
        digits = text[1:].replace(":", "")
        offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:] or 0))
        return timezone(-offset if text[0] == "-" else offset)
    named = typed.split()[-1] if " " in typed.strip() else typed.strip()[-len(text) :]
    return _named(named)


def _named(name: str) -> tzinfo:
    try:
        return ZoneInfo("Asia/Seoul" if name.upper() == "KST" else name)
    except (KeyError, ValueError, OSError) as error:  # unknown, or no name at all
        raise Usage("moments.unknown_zone", zone=name) from error
