"""Rows of schedules: how far each one has come, what it did last, and who paused it; and what is known of a run until it ends.

A moment that is due is claimed once, in the commit that opens its request.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass

from sqlite_utils import Database

from bot.model import Outcome, Place
from bot.store import request_rows
from bot.store.codec import dumps, place_from

# What became of a moment that was not run: not wanted late.
PASSED = "passed"
# Nor one that cannot run as it stands.
FAULTY = "faulty"
_RUN = "SELECT schedule, due, late, skipped, owner, places FROM schedule_runs WHERE reference = ?"


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """One schedule. ``outcome`` is empty before its first run and while one goes on; ``paused_until`` None is until somebody resumes it."""

    name: str
    timetable: str
    last_due: float
    reference: str = ""
    outcome: str = ""
    ended_at: float | None = None
    skipped: int = 0
    paused_by: str = ""
    paused_at: float = 0.0
    paused_until: float | None = None

    def paused(self, now: float) -> bool:
        """Whether it is paused at this moment."""
        return bool(self.paused_by) and (self.paused_until is None or self.paused_until > now)


@dataclass(frozen=True, slots=True)
class Run:
    """One run: ``due`` 0 when somebody asked for it by hand, ``late`` seconds, ``skipped`` moments before it; shown in ``places`` too."""

    schedule: str
    due: float
    late: float
    owner: str
    places: tuple[Place, ...] = ()
    skipped: int = 0


_COLUMNS = "name, timetable, last_due, reference, outcome, ended_at, skipped, paused_by, paused_at, paused_until"


def everything(db: Database) -> dict[str, ScheduleRow]:
    """All schedules that were ever looked at, by name."""
    return {row[0]: ScheduleRow(*row) for row in db.execute(f"SELECT {_COLUMNS} FROM schedules")}


def anchor(db: Database, name: str, timetable: str, now: float) -> None:
    """Count from now on, for a schedule that is new or whose timetable was changed."""
    db.execute(
        "INSERT INTO schedules (name, timetable, last_due) VALUES (?,?,?)"
        " ON CONFLICT (name) DO UPDATE SET timetable = excluded.timetable, last_due = excluded.last_due"
        " WHERE timetable <> excluded.timetable",
        (name, timetable, now),
    )


def forget_others(db: Database, names: Collection[str], now: float) -> None:
    """Schedules that are not in the file any more; a pause and a run that goes on outlive a file that is away for a moment."""
    busy = running(db)
    for row in everything(db).values():
        if row.name not in names and row.name not in busy and not row.paused(now):
            db.execute("DELETE FROM schedules WHERE name = ?", (row.name,))


def claim(db: Database, run: Run, reference: str, *, known: bool) -> bool:
    """Whether this run begins now: not when its moment is ``known`` to be taken, nor while the one before is open, which is counted."""
    row = everything(db).get(run.schedule)
    if row is None:
        return False
    busy = bool(row.reference) and request_rows.running(db, row.reference) is not None
    if run.due:
        db.execute("UPDATE schedules SET last_due = ?, skipped = skipped + ? WHERE name = ?", (run.due, int(busy and not known), row.name))
    if known or busy:
        return False
    db.execute("UPDATE schedules SET reference = ?, outcome = '', ended_at = NULL, skipped = 0 WHERE name = ?", (reference, row.name))
    values = (reference, run.schedule, run.due, run.late, row.skipped, run.owner, dumps(list(run.places)))
    db.execute("INSERT INTO schedule_runs (reference, schedule, due, late, skipped, owner, places) VALUES (?,?,?,?,?,?,?)", values)
    return True


def pass_by(db: Database, name: str, due: float, now: float, outcome: str = PASSED) -> None:
    """This moment is over and not made up for."""
    db.execute("UPDATE schedules SET last_due = ?, outcome = ?, ended_at = ? WHERE name = ?", (due, outcome, now, name))


def count_from(db: Database, name: str, moment: float) -> None:
    """What was due until then is not made up for; what is due later is."""
    db.execute("UPDATE schedules SET last_due = ? WHERE name = ?", (moment, name))


def of(db: Database, reference: str) -> Run | None:
    """The run that this request is or was; None when it was none."""
    rows = db.execute(_RUN, (reference,)).fetchall()
    if not rows:
        return None
    name, due, late, skipped, owner, places = rows[0]
    return Run(name, due, late, owner, tuple(place_from(each) for each in json.loads(places)), skipped)


def end(db: Database, reference: str, outcome: Outcome, at: float) -> Run | None:
    """The run that this request was, which ends now; None when it was none."""
    db.execute("UPDATE schedules SET outcome = ?, ended_at = ? WHERE reference = ?", (outcome, at, reference))
    return of(db, reference)


def prune(db: Database) -> None:
    """Forget the runs whose requests are forgotten; until then their answers may be changed, and still say whose run it was."""
    db.execute("DELETE FROM schedule_runs WHERE reference NOT IN (SELECT reference FROM requests)")


def pause(db: Database, name: str, person: str, now: float, until: float | None) -> None:
    """Let it rest."""
    db.execute("UPDATE schedules SET paused_by = ?, paused_at = ?, paused_until = ? WHERE name = ?", (person, now, until, name))


def resume(db: Database, name: str, now: float) -> None:
    """Let it go on from now; what was due in between is left out."""
    db.execute(
        "UPDATE schedules SET paused_by = '', paused_until = NULL, last_due = MAX(last_due, ?) WHERE name = ? AND paused_by <> ''",
        (now, name),
    )


def running(db: Database) -> frozenset[str]:
    """The schedules whose last run is still open."""
    return frozenset(row.name for row in everything(db).values() if row.reference and request_rows.running(db, row.reference))
