"""Remedies of alerts, as the record tells of them: each run is counted and said, and some minutes later whether it helped. Runs none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sqlite_utils import Database

from bot.alert_book import AlertBook
from bot.alerts import Alert
from bot.store import alert_rows, audit_rows

# A restart, a health check and a look at it take about so long.
VERIFY_AFTER = 240.0
_AT_ONCE = 500
# A request that only asked for approval, or was refused, has tried nothing.
_TRIED = frozenset({"done", "failed", "crashed", "interrupted"})


class Remedies:
    """Follows what was tried. ``meaning`` is what a line asks for, however it was typed; None for one that is no command."""

    def __init__(self, book: AlertBook, meaning: Callable[[str], object | None]) -> None:
        self._book = book
        self._meaning = meaning
        self._looked: dict[int, int] = {}

    def settle(self, db: Database, now: float) -> bool:
        """Take in what the record has of every open alert that has a remedy; whether anything was said."""
        waiting = [alert for alert in alert_rows.all_open(db) if alert.remedy]
        self._looked = {alert.id: max(alert.remedy_seq, self._looked.get(alert.id, 0)) for alert in waiting}
        # What came since the last look, for all of them at once; each counts only what is new to it.
        rows = audit_rows.ended(db, min(self._looked.values()), _AT_ONCE) if waiting else []
        tried = [row for row in rows if row["outcome"] in _TRIED]
        said = [self._followed(db, alert, tried, now) for alert in waiting]
        if rows:
            self._looked = {number: max(looked, rows[-1]["seq"]) for number, looked in self._looked.items()}
        return any(said)

    def _followed(self, db: Database, alert: Alert, tried: list[dict[str, Any]], now: float) -> bool:
        wanted = self._meaning(alert.remedy)
        runs = [row for row in tried if row["seq"] > self._looked[alert.id] and self._meaning(row["line"]) == wanted]
        if wanted is None or not (runs or alert.verify_at is not None):
            return False
        for row in runs:
            alert = self._counted(db, alert, row, now)
        return self._verified(db, alert, now) or bool(runs)

    def _counted(self, db: Database, alert: Alert, row: Mapping[str, Any], now: float) -> Alert:
        alert = replace(alert, remedies=alert.remedies + 1, remedy_seq=int(row["seq"]), verify_at=now + VERIFY_AFTER)
        self._book.show(db, alert)
        if not self._book.is_quiet(db, alert):
            self._book.below(db, alert, self._book.telling.remedy_ran(alert, str(row["person"])))
        return alert

    def _verified(self, db: Database, alert: Alert, now: float) -> bool:
        """Still there when its time has come (or the clock jumped back): it did not help. That it helped is said when it closes."""
        if alert.verify_at is None or now < alert.verify_at <= now + VERIFY_AFTER:
            return False
        alert = replace(alert, verify_at=None)
        self._book.show(db, alert)
        if not self._book.is_quiet(db, alert):
            self._book.below(db, alert, self._book.telling.remedy_failed(alert))
        return True
