"""Cron fields to moments, in a time zone and right on the days its clocks change. Knows nothing of what is to be done then.

A fixed hour comes once a day: an hour that is left out is made up for at the same moment, one that comes twice counts once.
Where every hour is meant (``*``), time simply goes on. Weekdays are cron's: 0 and 7 are Sunday.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.triggers.cron import CronTrigger

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_PART = re.compile(r"(\*|\d|[a-z]{3})(?:-(\d|[a-z]{3}))?(?:/(\d{1,2}))?")
_FIELD = re.compile(r"[0-9A-Za-z*/,-]{1,100}")
_LONG_AGO = (3_600.0, 86_400.0, 32 * 86_400.0, 366 * 86_400.0)
_START = datetime(2026, 1, 1, tzinfo=UTC)
_FIELDS = 5


@dataclass(frozen=True, slots=True)
class Regular:
    """A time of day, on some weekdays, or on a day of the month, or (with neither) every day."""

    clock: str
    weekdays: tuple[str, ...] = ()
    day: str = ""


@dataclass(frozen=True, slots=True)
class Timetable:
    """When something is due. Made by ``timetable``."""

    cron: str
    zone: str
    triggers: tuple[CronTrigger, ...]
    every_hour: bool

    @property
    def key(self) -> str:
        """What tells it from another one."""
        return f"{self.cron} {self.zone}"

    @property
    def regular(self) -> Regular | None:
        """When it is due, if that can be said in a few words."""
        minute, hour, day, month, weekday = self.cron.lower().split()
        days = _weekdays(weekday)
        if not (minute.isdigit() and hour.isdigit()) or month != "*" or (day != "*" and (days != "*" or not day.isdigit())):
            return None
        return Regular(f"{int(hour):02}:{int(minute):02}", () if days == "*" else tuple(days.split(",")), "" if day == "*" else day)

    def after(self, moment: float) -> float:
        """The first due moment later than this one."""
        return min(self._after(trigger, moment) for trigger in self.triggers)

    def latest(self, since: float, until: float) -> float | None:
        """The last due moment later than ``since`` and not later than ``until``, however long that is."""
        for span in (*_LONG_AGO, until - since):
            found = self._last(max(since, until - span), until)
            if found is not None or until - span <= since:
                return found
        return None

    def _last(self, since: float, until: float) -> float | None:
        found, due = None, self.after(since)
        while due <= until:
            found, due = due, self.after(due)
        return found

    def _after(self, trigger: CronTrigger, moment: float) -> float:
        while True:
            begin = datetime.fromtimestamp(moment, UTC) + timedelta(microseconds=1)
            found = trigger.get_next_fire_time(None, begin)
            if found is None:  # refused when the timetable is made
                return float("inf")
            due: datetime = found
            moment = due.timestamp()
            if self.every_hour or not _second_of_two(due):
                return moment


def timetable(cron: str, zone: str) -> Timetable:
    """A timetable; ValueError when these are no cron fields, or never come true."""
    fields = cron.split()
    if len(fields) != _FIELDS or not all(_FIELD.fullmatch(field) for field in fields):
        raise ValueError(cron)
    minute, hour, day, month, weekday = (field.lower() for field in fields)
    weekday = _weekdays(weekday)
    # Cron's own rule: with both a day of the month and a weekday given, either will do.
    pairs = [(day, "*"), ("*", weekday)] if day[0] != "*" and weekday != "*" else [(day, weekday)]
    triggers = tuple(CronTrigger(None, month, d, None, w, hour, minute, timezone=ZoneInfo(zone)) for d, w in pairs)
    if any(trigger.get_next_fire_time(None, _START) is None for trigger in triggers):
        raise ValueError(cron)
    return Timetable(cron, zone, triggers, hour.startswith("*"))


def _weekdays(field: str) -> str:
    """Cron's weekdays by name, which mean the same everywhere."""
    chosen: set[int] = set()
    for part in field.split(","):
        found = _PART.fullmatch(part)
        if found is None:
            raise ValueError(field)
        first, last, step = found[1], found[2], int(found[3] or 1)
        if first == "*" and last is None:
            begin, end = 0, 6
        else:
            begin = _number(first)
            end = _number(last) if last else (6 if found[3] else begin)
        if not step:
            raise ValueError(field)
        chosen |= {day % 7 for day in range(begin, end + 1 if end >= begin else end + 8, step)}
    return "*" if len(chosen) == len(_DAYS) else ",".join(_DAYS[day] for day in sorted(chosen))


def _number(word: str) -> int:
    number = _DAYS.index(word) if word in _DAYS else int(word)
    if number > 7:
        raise ValueError(word)
    return number


def _second_of_two(due: datetime) -> bool:
    """Whether the clock shows this time a second time that day."""
    return due.fold == 1 and due.replace(fold=0).utcoffset() != due.utcoffset()
