"""Alerts as something that people are called about: the critical ones that were told and that nobody is at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlite_utils import Database

from bot.alert_book import AlertBook
from bot.alerts import Alert, AlertState, Severity
from bot.escalation import Waiting
from bot.model import Button
from bot.store import alert_rows
from bot.words import Words


class AlertSource:
    """What waits in the book of alerts; a muted one, or one in maintenance, waits for nobody."""

    def __init__(self, book: AlertBook, words: Words) -> None:
        self._book = book
        self._words = words

    def waiting(self, db: Database) -> Sequence[Waiting]:
        """The oldest first."""
        found = [alert for alert in alert_rows.all_open(db) if _calls(alert) and not self._book.is_quiet(db, alert)]
        return [self._waiting(db, alert) for alert in sorted(found, key=lambda alert: alert.opened_at)]

    def _waiting(self, db: Database, alert: Alert) -> Waiting:
        telling = self._book.telling
        about = " — ".join(part for part in (telling.name(alert), telling.value(alert)) if part)
        button = Button(self._words("alerts.button.ack"), f"alert ack {alert.id}", "primary")
        since = alert.announced_at or alert.opened_at
        said = "\n".join(part for part in (about, alert.text) if part)
        return Waiting(alert.key, since, said, (button,), again=self._book.quiet_until(db, alert, since))

    def called(self, db: Database, waiting: Waiting, level: int) -> None:
        """The alert keeps it."""
        alert = alert_rows.get(db, int(waiting.key.partition(":")[2]))
        if alert is not None:
            self._book.show(db, replace(alert, escalated=level))


def _calls(alert: Alert) -> bool:
    return alert.severity is Severity.CRITICAL and alert.state is AlertState.OPEN and alert.announced_at is not None
