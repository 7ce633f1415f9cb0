"""Evidence of alerts: the errors, the picture, the commands and the starts around it, said once below its message.

What is owed is in the alert's row, so that a crash while it is gathered gathers it again. What cannot be had is left out: evidence is
no promise, the alert itself is.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlite_utils import Database

from bot.alert_book import AlertBook
from bot.alert_record import SERIES
from bot.alert_rules import Rule, RuleBook
from bot.alerts import Alert
from bot.chart import Chart, Unit
from bot.errors import RecordUnwritable, VccError
from bot.figures import Figures
from bot.model import Reply
from bot.ops.container_values import Service
from bot.ops.overview import probe
from bot.ops.trend_telling import Period, TrendTelling
from bot.ops.verdict import label
from bot.plain_text import harmless
from bot.series import Series
from bot.services import ErrorIndex, History, Pictures
from bot.store import alert_rows, audit_rows
from bot.store.engine import Store
from bot.words import Words

_LOG = logging.getLogger("vcc.evidence")
EVERY = 5.0
_AT_ONCE = 3
_DEADLINE = 20.0
_BACK, _DRAWN = 2 * 3_600.0, 3 * 3_600.0
_ERRORS_BACK = 900.0
_LINES, _LINE = 4, 160
_ROWS = 400
_UNITS = {"percent": Unit.PERCENT, "bytes": Unit.BYTES, "per_min": Unit.PER_MINUTE}


@dataclass(frozen=True, slots=True)
class Sight:
    """Where evidence is looked for. ``services`` lists the containers; ``changes`` tells whether a line does more than read."""

    store: Store
    errors: ErrorIndex
    history: History
    pictures: Pictures
    services: Callable[[], Awaitable[Sequence[Service]]]
    changes: Callable[[str], bool]


class Evidence:
    """Gathers what is owed, for alerts of ``rules``. ``wake`` lets messages go out."""

    def __init__(
        self,
        sight: Sight,
        book: AlertBook,
        rules: RuleBook,
        words: Words,
        wake: Callable[[], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._sight = sight
        self._book = book
        self._rules = rules
        self._words = words
        self._wake = wake
        self._clock = clock
        self._figures: Figures = book.telling.figures

    async def run(self) -> None:
        """Rounds until cancelled."""
        while True:
            await self.round()
            await asyncio.sleep(EVERY)

    async def round(self) -> None:
        """Give what is owed, the critical ones first; a few at once, and none for longer than its deadline."""
        try:
            owed = await self._sight.store.read(alert_rows.owed)
            for alert in owed[:_AT_ONCE]:
                await self._give(alert)
        except RecordUnwritable as error:
            _LOG.error("evidence was not kept: %s", error.detail)

    async def _give(self, alert: Alert) -> None:
        found = await probe("evidence", lambda: self.gathered(alert), _DEADLINE)
        if isinstance(found, VccError):
            _LOG.info("evidence of alert %s: %s", alert.id, found)

        def work(db: Database) -> bool:
            now = alert_rows.get(db, alert.id)
            if now is None or not now.owed:
                return False
            alert_rows.save(db, replace(now, owed=False))
            if isinstance(found, Reply):
                self._book.below(db, now, found)
            return True

        if await self._sight.store.write(work):
            self._wake()

    async def gathered(self, alert: Alert) -> Reply | None:
        """All there is, as one message; None when there is nothing."""
        told = await asyncio.gather(self._errors(alert), self._commands(), self._starts())
        fields = tuple(
            (self._words(f"alerts.evidence.{name}"), "\n".join(lines))
            for name, lines in zip(("errors", "commands", "starts"), told, strict=True)
            if lines
        )
        chart = await self._chart(alert)
        picture = await self._sight.pictures.draw(f"alert-{alert.id}", "alert", chart) if chart is not None else None
        if not fields and picture is None:
            return None
        title = self._words("alerts.evidence.title", about=self._book.telling.name(alert))
        return Reply(title, fields=fields, files=(picture,) if picture is not None else ())

    async def _errors(self, alert: Alert) -> list[str]:
        """The most frequent errors of its service around its beginning; of all services when it is about none."""
        names = await self._sight.errors.services()
        own = [name for name in names if name in {part.partition("#")[0] for part in alert.subject.split(" → ")}]
        groups = await self._sight.errors.groups(own or names, alert.opened_at - _ERRORS_BACK) if names else ()
        return _short(f"{group.service} {group.count}× {group.example}" for group in groups)

    async def _commands(self) -> list[str]:
        """What people changed lately, the newest first."""
        since = self._clock() - _BACK
        rows = await self._sight.store.read(lambda db: audit_rows.tail(db, _ROWS))
        ended = [row for row in rows if row["event"] == "closed" and row["outcome"] == "done" and row["at"] >= since]
        return _short(self._command(row) for row in ended if self._sight.changes(row["line"]))

    def _command(self, row: Mapping[str, Any]) -> str:
        return f"{self._figures.clock(row['at'], self._clock())} {row['person']}: {row['line']}"

    async def _starts(self) -> list[str]:
        """Containers that began lately: restarts and deployments."""
        found = await probe("docker", self._sight.services, 4.0)
        services = () if isinstance(found, VccError) else found
        since, now = self._clock() - _BACK, self._clock()
        lately = [each for each in services if each.running and each.started_at is not None and each.started_at >= since]
        newest = sorted(lately, key=lambda each: -(each.started_at or 0.0))
        return _short(f"{label(each)} {self._figures.since(each.started_at, now)} ({each.image})" for each in newest)

    async def _chart(self, alert: Alert) -> Chart | None:
        """The course of its figure in the last hours; None where none is on record."""
        rule = next((rule for rule in await self._rules.rules() if rule.name == alert.rule), None)
        series = _series_of(rule, alert.subject) if rule is not None else None
        if rule is None or series is None:
            return None
        now = self._clock()
        period = Period("3h", now - _DRAWN, now)
        found = await self._sight.history.read([series], period.since, period.until)
        if not found[series]:
            return None
        own = rule.signal in SERIES and SERIES[rule.signal][1] == series.figure and rule.signal != "queue.failure_percent"
        limit = (rule.limit, self._words("alerts.evidence.limit")) if own else None
        title = self._book.telling.name(alert) if own else f"{series.subject} CPU"
        telling = TrendTelling(self._words, self._figures)
        return telling.chart(title, _unit(series.figure), {series.subject or title: found[series]}, period, limit)


def _series_of(rule: Rule, subject: str) -> Series | None:
    if rule.signal in SERIES:
        part, figure = SERIES[rule.signal]
        return Series(part, "" if part == "redis" else subject, figure)
    if rule.signal.startswith("service."):
        return Series("service", subject, "cpu_percent")
    return None


def _unit(figure: str) -> Unit:
    unit = next((unit for end, unit in _UNITS.items() if figure.endswith(end)), Unit.COUNT)
    return Unit.BYTES if figure == "used_memory" else unit


def _short(lines: Iterable[str]) -> list[str]:
    """The first few, none longer than a phone shows."""
    return [harmless(line, limit=_LINE, newlines=False) for line in itertools.islice(lines, _LINES)]
