"""Rows of the audit: appended only, each sealed with the hash of the one before it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlite_utils import Database

from bot.store.codec import dumps

_COLUMNS = ("seq", "at", "event", "reference", "account", "person", "place", "line", "outcome", "detail")
_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What is written of one event. ``detail`` is JSON-able and already redacted."""

    at: float
    event: str
    reference: str
    account: str
    person: str
    place: str
    line: str
    outcome: str
    detail: Mapping[str, Any]


def seal(row: Mapping[str, Any], previous: str) -> str:
    """The hash of a row: SHA-256 over the hash before it and every column, canonically."""
    content = dumps([row[name] for name in _COLUMNS])
    return hashlib.sha256(f"{previous}\n{content}".encode()).hexdigest()


def append(db: Database, entry: AuditEntry) -> int:
    """Add a row to the chain; its number. Must run inside the store's write."""
    seq, previous = db.execute("SELECT seq, hash FROM audit_head").fetchone()
    row: dict[str, Any] = {
        "seq": seq + 1,
        "at": float(entry.at),  # as the column will give it back, or the seal would not hold
        "event": entry.event,
        "reference": entry.reference,
        "account": entry.account,
        "person": entry.person,
        "place": entry.place,
        "line": entry.line,
        "outcome": entry.outcome,
        "detail": dumps(entry.detail),
    }
    sealed = seal(row, previous)
    db.execute("INSERT INTO audit VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", (*row.values(), previous, sealed))
    db.execute("UPDATE audit_head SET seq = ?, hash = ?", (seq + 1, sealed))
    return int(seq + 1)


def page_and_head(db: Database, after: int) -> tuple[list[dict[str, Any]], tuple[int, str]]:
    """Up to a thousand rows with a number above ``after``, oldest first, and the head of the chain at the same moment."""
    db.execute("BEGIN")
    try:
        page = list(db.query("SELECT * FROM audit WHERE seq > ? ORDER BY seq LIMIT ?", (after, _PAGE)))
        seq, sealed = db.execute("SELECT seq, hash FROM audit_head").fetchone()
    finally:
        db.execute("COMMIT")
    return page, (int(seq), str(sealed))


class Chain:
    """Walks the chain; ``good`` is the number of the last row that holds."""

    def __init__(self) -> None:
        self.good = 0
        self._previous = ""

    def follow(self, page: Sequence[Mapping[str, Any]]) -> int:
        """Go on through the next rows; the number of the first broken or missing one, or 0."""
        for row in page:
            if row["seq"] != self.good + 1 or row["previous"] != self._previous or row["hash"] != seal(row, self._previous):
                return self.good + 1 if row["seq"] > self.good + 1 else int(row["seq"])
            self._previous, self.good = row["hash"], row["seq"]
        return 0

    def end(self, head: tuple[int, str]) -> int:
        """After the last row: 0, or the number of the row that is missing behind it."""
        return 0 if (self.good, self._previous) == head else self.good + 1


def tail(db: Database, count: int, contains: str = "") -> list[dict[str, Any]]:
    """The newest ``count`` rows, newest first; with ``contains``, those whose person, account, line or reference has it."""
    if not contains:
        return list(db.query("SELECT * FROM audit ORDER BY seq DESC LIMIT ?", (count,)))
    return list(
        db.query(
            "SELECT * FROM audit WHERE instr(person, :it) OR instr(account, :it) OR instr(line, :it) OR reference = :it"
            " ORDER BY seq DESC LIMIT :count",
            {"it": contains, "count": count},
        )
    )


def closed_between(db: Database, after: int, until: int = 0) -> list[dict[str, Any]]:
    """How requests ended, among the rows with numbers above ``after`` and up to ``until`` (0: all), oldest first."""
    wanted = "SELECT * FROM audit WHERE seq > ?1 AND (?2 = 0 OR seq <= ?2) AND event = 'closed' ORDER BY seq LIMIT 10000"
    return list(db.query(wanted, (after, until)))


def newest(db: Database) -> int:
    """The number of the newest row; 0 when there is none."""
    return int(db.execute("SELECT seq FROM audit_head").fetchone()[0])


def ended(db: Database, after: int, limit: int) -> list[dict[str, Any]]:
    """Requests that ended in rows with a number above ``after``, the oldest first, so many at most."""
    wanted = "SELECT * FROM audit WHERE seq > ? AND event = 'closed' ORDER BY seq LIMIT ?"
    return list(db.query(wanted, (after, limit)))
