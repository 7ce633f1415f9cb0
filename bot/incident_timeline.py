"""What happened during an incident, from what the house keeps anyway: the record's commands and approvals, and alerts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlite_utils import Database

from bot.alert_telling import AlertTelling
from bot.alerts import Alert
from bot.errors import VccError
from bot.incidents import Entry, Incident, What
from bot.line import normalise, split
from bot.model import Outcome, Risk
from bot.registry import Registry
from bot.store import alert_rows, audit_rows
from bot.words import Words

# These stand in the timeline by what they did; only what came to nothing is told by the record.
_TOLD_THEMSELVES = frozenset({"open", "note", "step", "assign", "resolve", "followup"})


class RecordTimeline:
    """Reads the record: everything that changed something between the opening and the end."""

    def __init__(self, registry: Registry, words: Words) -> None:
        self._registry = registry
        self._words = words

    def entries(self, db: Database, incident: Incident) -> list[Entry]:
        """Commands, approvals and denials, oldest first."""
        rows = audit_rows.closed_between(db, incident.audit_from, incident.audit_to)
        return [entry for row in rows if (entry := self._entry(row)) is not None]

    def _entry(self, row: Mapping[str, Any]) -> Entry | None:
        path, risk = self._command(str(row["line"]))
        if risk is Risk.READ:
            return None
        done = row["outcome"] == Outcome.DONE
        if done and path[0] == "incident" and path[-1] in _TOLD_THEMSELVES:
            return None
        detail = json.loads(row["detail"])
        outcome = self._words(f"audit.outcome.{row['outcome']}")
        said = self._words("incident.command", line=row["line"], outcome=outcome, title=detail.get("title", ""))
        return Entry(float(row["at"]), What.COMMAND, said, str(row["person"]) or str(row["account"]))

    def _command(self, line: str) -> tuple[Sequence[str], Risk]:
        """What a line meant; what meant nothing did nothing."""
        try:
            command, _ = self._registry.resolve(split(normalise(line)))
        except VccError:
            return (line,), Risk.READ
        return command.path, command.risk


class AlertTimeline:
    """Reads the alerts: those that were open while the incident was, and those that belong to it."""

    def __init__(self, words: Words, telling: AlertTelling) -> None:
        self._words = words
        self._telling = telling

    def entries(self, db: Database, incident: Incident) -> list[Entry]:
        """Opened, acknowledged, closed; also before the incident, where it came from an alert."""
        until = incident.resolved_at or float("inf")
        found = [alert for alert in alert_rows.since(db, incident.opened_at) if alert.opened_at <= until]
        found += [alert for number in incident.alerts if (alert := alert_rows.get(db, number)) is not None and alert not in found]
        return [entry for alert in found for entry in self._entries(alert) if entry.at <= until]

    def _entries(self, alert: Alert) -> Iterator[Entry]:
        name = self._telling.name(alert)
        yield Entry(alert.opened_at, What.ALERT, self._words("incident.alert.opened", number=alert.id, name=name))
        if alert.acknowledged_at is not None:
            said = self._words("incident.alert.acknowledged", number=alert.id, name=name)
            yield Entry(alert.acknowledged_at, What.ALERT, said, alert.acknowledged_by)
        if alert.closed_at is not None:
            yield Entry(alert.closed_at, What.ALERT, self._words("incident.alert.closed", number=alert.id, name=name))


Source = Callable[[Database, Incident], Sequence[Entry]]


def merged(parts: Sequence[Sequence[Entry]]) -> list[Entry]:
    """All of them, oldest first; of two with one key the first."""
    found: dict[object, Entry] = {}
    for number, entry in enumerate(entry for part in parts for entry in part):
        found.setdefault(entry.key or number, entry)
    return sorted(found.values(), key=lambda entry: entry.at)
