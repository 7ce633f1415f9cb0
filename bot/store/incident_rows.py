"""Rows of incidents: how each stands, its steps, its rooms, its timeline, and what is to be done afterwards. Nothing here is pruned."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from sqlite_utils import Database

from bot.errors import Conflict
from bot.incidents import Action, Entry, Incident, Opening, Room, RoomState, Step, StepState, What
from bot.model import Place
from bot.runbooks import Kind, Runbook
from bot.store.codec import invocation_from, noun_to_text

_INCIDENT = (
    "SELECT id, kind, title, service, lead, opened_at, opened_by, invocation, runbook, alert, resolved_at, resolved_by, summary,"
    " audit_from, audit_to, next_status_at FROM incidents"
)
_KEY = "incident:"


def notice_key(number: int) -> str:
    """What its announcement is known by."""
    return f"{_KEY}{number}"


def room_key(number: int) -> str:
    """What the overview in its room is known by."""
    return f"{_KEY}{number}:room"


def insert(db: Database, opening: Opening, runbook: Runbook, next_status_at: float) -> int:
    """Begin one, with every step of the runbook open; its number."""
    (audit_from,) = db.execute("SELECT seq FROM audit_head").fetchone()
    made = db.execute(
        "INSERT INTO incidents (kind, title, service, lead, opened_at, opened_by, invocation, runbook, alert, audit_from, next_status_at)"
        " VALUES (?,?,?,?,?,?,?,?,?,?,?)",
        (
            opening.kind,
            opening.title,
            opening.service,
            opening.person,
            opening.at,
            opening.person,
            noun_to_text(opening.invocation),
            runbook.model_dump_json(),
            opening.alert,
            audit_from,
            next_status_at,
        ),
    )
    number = int(made.lastrowid or 0)
    for step in range(1, len(runbook.steps) + 1):
        db.execute("INSERT INTO incident_steps (incident, number, state) VALUES (?,?,?)", (number, step, StepState.OPEN))
    return number


def get(db: Database, number: int) -> Incident | None:
    """One of them."""
    row = db.execute(f"{_INCIDENT} WHERE id = ?", (number,)).fetchone()
    return _incident(db, row) if row else None


def known(db: Database, number: int) -> Incident:
    """One of them; Conflict when there is none of this number."""
    found = get(db, number)
    if found is None:
        raise Conflict("incident.none_such", number=number)
    return found


def going_on(db: Database, number: int) -> Incident:
    """One that is open; Conflict when it is over, or there is none."""
    found = known(db, number)
    if not found.is_open:
        raise Conflict("incident.over", number=number, person=found.resolved_by)
    return found


def open_ones(db: Database) -> list[Incident]:
    """Those that go on, oldest first."""
    return [_incident(db, row) for row in db.execute(f"{_INCIDENT} WHERE resolved_at = 0 ORDER BY id").fetchall()]


def newest(db: Database, limit: int) -> list[Incident]:
    """The newest, newest first."""
    return [_incident(db, row) for row in db.execute(f"{_INCIDENT} ORDER BY id DESC LIMIT ?", (limit,)).fetchall()]


def of_place(db: Database, place: Place) -> Incident | None:
    """The one whose own channel this is, or whose announcement this thread is below."""
    row = db.execute(
        "SELECT MAX(incident) FROM incident_rooms WHERE platform = ? AND channel = ?", (place.platform, place.channel)
    ).fetchone()
    if row[0] is None and place.thread:
        row = db.execute(
            "SELECT MAX(CAST(substr(n.key, ?1) AS INTEGER)) FROM notices n JOIN messages m ON m.id = n.message"
            " WHERE n.key LIKE ?2 AND m.platform = ?3 AND m.parent IS NULL"
            " AND (json_extract(m.posted, '$.ts') = ?4 OR json_extract(m.posted, '$.message') = ?4)",
            (len(_KEY) + 1, f"{_KEY}%", place.platform, place.thread),
        ).fetchone()
    return get(db, int(row[0])) if row[0] is not None else None


def is_room(db: Database, place: Place) -> bool:
    """Whether this channel was made for an incident, and is still there."""
    wanted = "SELECT 1 FROM incident_rooms WHERE platform = ? AND channel = ? AND channel <> '' AND state = ?"
    return db.execute(wanted, (place.platform, place.channel, RoomState.CHANNEL)).fetchone() is not None


def _incident(db: Database, row: Sequence[Any]) -> Incident:
    (number, kind, title, service, lead, opened_at, opened_by, invocation, runbook, alert, *rest) = row
    resolved_at, resolved_by, summary, audit_from, audit_to, next_status_at = rest
    book = Runbook.model_validate_json(runbook)
    return Incident(
        number=int(number),
        kind=Kind(kind),
        title=title,
        service=service,
        lead=lead,
        opened_at=float(opened_at),
        opened_by=opened_by,
        invocation=invocation_from(invocation),
        runbook=book,
        steps=_steps(db, number, book),
        rooms=_rooms(db, number),
        actions=_actions(db, number),
        alerts=_alerts(db, number, alert),
        resolved_at=float(resolved_at),
        resolved_by=resolved_by,
        summary=summary,
        audit_from=int(audit_from),
        audit_to=int(audit_to),
        next_status_at=float(next_status_at),
    )


def _steps(db: Database, number: int, book: Runbook) -> tuple[Step, ...]:
    rows = db.execute(
        "SELECT number, state, person, at, note, reminded_at FROM incident_steps WHERE incident = ? ORDER BY number", (number,)
    ).fetchall()
    return tuple(
        Step(int(each), book.steps[int(each) - 1], StepState(state), person, float(at), note, float(reminded))
        for each, state, person, at, note, reminded in rows
    )


def _rooms(db: Database, number: int) -> tuple[Room, ...]:
    rows = db.execute("SELECT platform, state, name, channel, why FROM incident_rooms WHERE incident = ? ORDER BY platform", (number,))
    return tuple(Room(platform, RoomState(state), name, channel, why) for platform, state, name, channel, why in rows.fetchall())


def _alerts(db: Database, number: int, first: int) -> tuple[int, ...]:
    """The one it came from, and those that were put to it."""
    linked = [int(row[0]) for row in db.execute("SELECT id FROM alerts WHERE incident = ? ORDER BY id", (number,)).fetchall()]
    return tuple(dict.fromkeys([*([int(first)] if first else []), *linked]))


def _actions(db: Database, number: int) -> tuple[Action, ...]:
    rows = db.execute("SELECT at, text, owner, person FROM incident_actions WHERE incident = ? ORDER BY id", (number,))
    return tuple(Action(float(at), text, owner, person) for at, text, owner, person in rows.fetchall())


def set_step(db: Database, number: int, step: Step) -> None:
    """How a step stands from now on."""
    db.execute(
        "UPDATE incident_steps SET state = ?, person = ?, at = ?, note = ?, reminded_at = ? WHERE incident = ? AND number = ?",
        (step.state, step.person, step.at, step.note, step.reminded_at, number, step.number),
    )


def set_room(db: Database, number: int, room: Room) -> None:
    """How a room stands from now on."""
    db.execute(
        "INSERT OR REPLACE INTO incident_rooms (incident, platform, state, name, channel, why) VALUES (?,?,?,?,?,?)",
        (number, room.platform, room.state, room.name, room.channel, room.why),
    )


def change(db: Database, number: int, values: Mapping[str, object]) -> None:
    """Other values of its own row, by column."""
    assigned = ", ".join(f"{column} = ?" for column in values)
    db.execute(f"UPDATE incidents SET {assigned} WHERE id = ?", (*values.values(), number))


def resolve(db: Database, number: int, at: float, person: str, summary: str) -> None:
    """It is over."""
    (audit_to,) = db.execute("SELECT seq FROM audit_head").fetchone()
    change(db, number, {"resolved_at": at, "resolved_by": person, "summary": summary, "audit_to": audit_to})


def add(db: Database, number: int, entry: Entry) -> bool:
    """A line of its timeline; False when one with this key is there."""
    made: sqlite3.Cursor = db.execute(
        "INSERT OR IGNORE INTO incident_entries (incident, at, what, text, person, key) VALUES (?,?,?,?,?,?)",
        (number, entry.at, entry.what, entry.text, entry.person, entry.key or None),
    )
    return made.rowcount == 1


def act_later(db: Database, number: int, action: Action) -> None:
    """Something to do afterwards."""
    db.execute(
        "INSERT INTO incident_actions (incident, at, text, owner, person) VALUES (?,?,?,?,?)",
        (number, action.at, action.text, action.owner, action.person),
    )


def entries(db: Database, number: int) -> list[Entry]:
    """What was added to its timeline, oldest first."""
    rows = db.execute("SELECT at, what, text, person, key FROM incident_entries WHERE incident = ? ORDER BY at, id", (number,))
    return [Entry(float(at), What(what), text, person, key or "") for at, what, text, person, key in rows.fetchall()]


def keys(db: Database, number: int) -> frozenset[str]:
    """The keys in its timeline."""
    return frozenset(row[0] for row in db.execute("SELECT key FROM incident_entries WHERE incident = ? AND key IS NOT NULL", (number,)))
