"""Rows of the index of errors: what was found in the services' logs, how often in each minute, and how far each log was read.

A reading and the place it ended at are one commit, and only a reading that began where the last one ended is taken: so no
line is counted twice, and none is left out, whoever reads and whenever it is killed. Everything here is redacted already.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlite_utils import Database

from bot.store.codec import dumps, loads

MINUTE, HOUR = 60, 3_600
MINUTES_KEPT = 2 * 86_400
FORGOTTEN_AFTER = 90 * 86_400
GROUPS_AT_MOST = 2_000


@dataclass(frozen=True, slots=True)
class FoundErrors:
    """Errors of one kind in one reading. ``counts``: how many in each (begin, span), in seconds since the epoch and seconds."""

    fingerprint: str
    kind: str
    example: str
    trace: tuple[str, ...]
    first_seen: float
    last_seen: float
    counts: Mapping[tuple[int, int], int]


@dataclass(frozen=True, slots=True)
class Reading:
    """What one look into a container's log found: from the place ``before`` (empty: its beginning) to the place ``after``.

    ``gap`` when lines in between were gone already; ``overflow`` counts errors that found no group.
    """

    service: str
    container: str
    before: str
    after: str
    at: float
    errors: Sequence[FoundErrors] = ()
    overflow: int = 0
    gap: bool = False


@dataclass(frozen=True, slots=True)
class IndexedErrors:
    """Errors of one kind. ``count`` in the time asked for, counted from ``counted_from``; ``total`` ever."""

    fingerprint: str
    service: str
    kind: str
    example: str
    trace: tuple[str, ...]
    first_seen: float
    last_seen: float
    total: int
    count: int
    counted_from: float


@dataclass(frozen=True, slots=True)
class Losses:
    """What the index does not know: groups it had no room to keep, errors that found no group, services with lines it never saw."""

    forgotten: int = 0
    overflow: int = 0
    gaps: Mapping[str, float] = field(default_factory=dict)


def position(db: Database, container: str) -> tuple[str, float]:
    """How far this container's log was read, and when; empty when never."""
    row = db.execute("SELECT position, at FROM error_positions WHERE container = ?", (container,)).fetchone()
    return (str(row[0]), float(row[1])) if row else ("", 0.0)


def add(db: Database, reading: Reading, groups_at_most: int = GROUPS_AT_MOST) -> bool:
    """Take a reading in; False when the log was read from there before, and nothing is counted."""
    if position(db, reading.container)[0] != reading.before:
        return False
    db.execute(
        "INSERT INTO error_positions (container, position, at) VALUES (?,?,?)"
        " ON CONFLICT(container) DO UPDATE SET position = excluded.position, at = excluded.at",
        (reading.container, reading.after, reading.at),
    )
    db.execute(
        "INSERT INTO error_services (service, overflow, gap_at) VALUES (?,?,?) ON CONFLICT(service) DO UPDATE SET"
        " overflow = overflow + excluded.overflow, gap_at = COALESCE(excluded.gap_at, gap_at)",
        (reading.service, reading.overflow, reading.at if reading.gap else None),
    )
    for found in reading.errors:
        _count(db, reading.service, found)
    if reading.errors:
        _make_room(db, reading.service, groups_at_most)
    return True


def _count(db: Database, service: str, found: FoundErrors) -> None:
    db.execute(
        "INSERT INTO error_groups VALUES (?,?,?,?,?,?,?,?) ON CONFLICT(fingerprint) DO UPDATE SET"
        " example = CASE WHEN excluded.last_seen >= last_seen THEN excluded.example ELSE example END,"
        " trace = CASE WHEN excluded.last_seen >= last_seen THEN excluded.trace ELSE trace END,"
        " first_seen = MIN(first_seen, excluded.first_seen), last_seen = MAX(last_seen, excluded.last_seen),"
        " total = total + excluded.total",
        (
            found.fingerprint,
            service,
            found.kind,
            found.example,
            dumps(list(found.trace)),
            found.first_seen,
            found.last_seen,
            sum(found.counts.values()),
        ),
    )
    db.conn.executemany(
        "INSERT INTO error_counts VALUES (?,?,?,?) ON CONFLICT(fingerprint, begin, span) DO UPDATE SET count = count + excluded.count",
        [(found.fingerprint, begin, span, count) for (begin, span), count in found.counts.items()],
    )


def _make_room(db: Database, service: str, at_most: int) -> None:
    """The groups not seen for longest go, and are counted."""
    extra = int(db.execute("SELECT COUNT(*) FROM error_groups WHERE service = ?", (service,)).fetchone()[0]) - at_most
    if extra > 0:
        rows = db.execute("SELECT fingerprint FROM error_groups WHERE service = ? ORDER BY last_seen LIMIT ?", (service, extra))
        _forget(db, [str(row[0]) for row in rows.fetchall()])
        db.execute("UPDATE error_services SET forgotten = forgotten + ? WHERE service = ?", (extra, service))


def _forget(db: Database, fingerprints: Sequence[str]) -> None:
    for fingerprint in fingerprints:
        db.execute("DELETE FROM error_counts WHERE fingerprint = ?", (fingerprint,))
        db.execute("DELETE FROM error_groups WHERE fingerprint = ?", (fingerprint,))


def services(db: Database) -> list[str]:
    """Every service that errors are known of, also those that are no more."""
    return [str(row[0]) for row in db.execute("SELECT service FROM error_services ORDER BY service")]


def groups(db: Database, names: Sequence[str], since: float) -> list[IndexedErrors]:
    """The errors of these services since then, most frequent first. A minute (or an hour) that ``since`` lies in counts whole."""
    rows = db.execute(
        "SELECT g.fingerprint, g.service, g.kind, g.example, g.trace, g.first_seen, g.last_seen, g.total, SUM(c.count), MIN(c.begin)"
        " FROM error_groups g JOIN error_counts c ON c.fingerprint = g.fingerprint"
        f" WHERE g.service IN ({','.join('?' * len(names))}) AND g.last_seen >= ? AND c.begin + c.span > ?"
        " GROUP BY g.fingerprint ORDER BY SUM(c.count) DESC, g.last_seen DESC, g.fingerprint",
        (*names, since - HOUR, since),
    )
    return [_indexed(row) for row in rows]


def _indexed(row: tuple[str, ...]) -> IndexedErrors:
    fingerprint, service, kind, example, trace, first, last, total, count, begin = row
    lines = tuple(str(line) for line in loads(trace))
    return IndexedErrors(fingerprint, service, kind, example, lines, float(first), float(last), int(total), int(count), float(begin))


def losses(db: Database, names: Sequence[str], since: float) -> Losses:
    """What is missing of these services."""
    marks = ",".join("?" * len(names))
    rows = db.execute(
        f"SELECT service, forgotten, overflow, gap_at FROM error_services WHERE service IN ({marks})", tuple(names)
    ).fetchall()
    gaps = {str(row[0]): float(row[3]) for row in rows if row[3] is not None and row[3] >= since}
    return Losses(sum(int(row[1]) for row in rows), sum(int(row[2]) for row in rows), gaps)


def age(db: Database, now: float) -> None:
    """Minutes of some days ago become hours; what was not seen for months is forgotten."""
    old = int(now - MINUTES_KEPT) // HOUR * HOUR
    db.execute(
        "INSERT INTO error_counts SELECT fingerprint, begin / ? * ?, ?, SUM(count) FROM error_counts WHERE span = ? AND begin < ?"
        " GROUP BY 1, 2 ON CONFLICT(fingerprint, begin, span) DO UPDATE SET count = count + excluded.count",
        (HOUR, HOUR, HOUR, MINUTE, old),
    )
    db.execute("DELETE FROM error_counts WHERE span = ? AND begin < ?", (MINUTE, old))
    before = now - FORGOTTEN_AFTER
    rows = db.execute("SELECT fingerprint FROM error_groups WHERE last_seen < ?", (before,))
    _forget(db, [str(row[0]) for row in rows.fetchall()])
    db.execute("DELETE FROM error_counts WHERE begin < ?", (before - HOUR,))
    db.execute("DELETE FROM error_positions WHERE at < ?", (before,))
