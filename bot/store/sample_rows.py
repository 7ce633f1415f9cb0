"""Rows of measured figures: each value as it came for a day, its minute for a week, its hour for a year.

A value is added to its minute and its hour in the transaction that writes it, and only when it is new: so these are exact at every
moment, after a crash and for values that come late, and nothing has to be rolled up later. Measured every 30 seconds a series comes
to 0.9 MB: 60 series to 53 MB after a year, 90 (a usual deployment) to some 80 MB, and never more; ``MOST_SERIES`` bounds the worst.
A series that is no longer measured is gone after that year.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlite_utils import Database

from bot.series import Bucket, Measured, Series

RAW, MINUTE, HOUR = 0, 60, 3_600
DAY = 86_400
KEPT = {RAW: DAY, MINUTE: 7 * DAY, HOUR: 365 * DAY}
# More than any deployment has; what would make names without end (queues, say) is not let fill the disk.
MOST_SERIES = 600
# A clock may run a little ahead; what lies further in the future was written by a wrong one.
AHEAD = 3_600

_ADD = "INSERT OR IGNORE INTO samples (series, resolution, at, total) VALUES (?, 0, ?, ?)"
_MERGE = (
    "INSERT INTO samples (series, resolution, at, total, count, least, most) VALUES (?1, ?2, ?3, ?4, 1, ?4, ?4)"
    " ON CONFLICT (series, resolution, at) DO UPDATE SET total = total + excluded.total, count = count + 1,"
    " least = min(least, excluded.least), most = max(most, excluded.most)"
)
_READ = (
    "SELECT at / ?1 * ?1 AS slot, MIN(COALESCE(least, total)), SUM(total), MAX(COALESCE(most, total)), SUM(count)"
    " FROM samples WHERE series = ?2 AND resolution = ?3 AND at >= ?4 AND at < ?5 GROUP BY slot ORDER BY slot"
)
_NEWEST = "SELECT at, total FROM samples WHERE series = ? AND resolution = 0 AND at <= ? ORDER BY at DESC LIMIT 1"
_OLDEST = "SELECT at FROM samples WHERE series = ? AND resolution = ? ORDER BY at LIMIT 1"
_AFTER = "DELETE FROM samples WHERE series = ? AND resolution = ? AND at > ?"
# The oldest ``?4`` rows at most: a delete with a limit, which SQLite itself is seldom built with.
_FORGET = (
    "DELETE FROM samples WHERE series = ?1 AND resolution = ?2 AND at < MIN(?3, COALESCE("
    "(SELECT at FROM samples WHERE series = ?1 AND resolution = ?2 ORDER BY at LIMIT 1 OFFSET ?4), ?3))"
)


def add(db: Database, at: int, values: Mapping[Series, float]) -> int:
    """Write what was measured at one moment; how many values were new. One that is there already is left as it is."""
    numbers = {series: number for series in values if (number := _number(db, series, at)) is not None}
    new = [series for series, number in numbers.items() if db.execute(_ADD, (number, at, values[series])).rowcount]
    for series in new:
        for resolution in (MINUTE, HOUR):
            db.execute(_MERGE, (numbers[series], resolution, at - at % resolution, values[series]))
        db.execute("UPDATE series SET latest = MAX(latest, ?) WHERE id = ?", (at, numbers[series]))
    return len(new)


def _number(db: Database, series: Series, at: int) -> int | None:
    """The number of a series, new ones counted from here on; None when there are too many already."""
    known = _known_number(db, series)
    if known is not None:
        return known
    if db.execute("SELECT COUNT(*) FROM series").fetchone()[0] >= MOST_SERIES:
        return None
    made = db.execute(
        "INSERT INTO series (part, subject, figure, since, latest) VALUES (?,?,?,?,?)", (series.part, series.subject, series.figure, at, at)
    )
    return int(made.lastrowid or 0)


def _known_number(db: Database, series: Series) -> int | None:
    key = (series.part, series.subject, series.figure)
    row = db.execute("SELECT id FROM series WHERE part = ? AND subject = ? AND figure = ?", key).fetchone()
    return int(row[0]) if row else None


def known(db: Database) -> dict[Series, Measured]:
    """Every series there is, with the first and the newest moment it was measured."""
    rows = db.execute("SELECT part, subject, figure, since, latest FROM series ORDER BY part, subject, figure")
    return {Series(part, subject, figure): Measured(since, latest) for part, subject, figure, since, latest in rows}


def read(db: Database, wanted: Iterable[Series], resolution: int, step: int, period: tuple[int, int]) -> dict[Series, tuple[Bucket, ...]]:
    """The rows of one resolution from ``period[0]`` until before ``period[1]``, in buckets of ``step`` seconds; a gap has none."""
    found: dict[Series, tuple[Bucket, ...]] = {}
    for series in wanted:
        number = _known_number(db, series)
        rows = db.execute(_READ, (step, number, resolution, *period)) if number is not None else ()
        found[series] = tuple(Bucket(at, step, least, total / count, most, count) for at, least, total, most, count in rows)
    return found


def newest(db: Database, wanted: Iterable[Series], now: int) -> dict[Series, tuple[int, float]]:
    """The newest value of each series within the last day, with its moment; those without one are left out."""
    numbers = ((series, _known_number(db, series)) for series in wanted)
    rows = {series: db.execute(_NEWEST, (number, now)).fetchone() for series, number in numbers if number is not None}
    return {series: (int(row[0]), float(row[1])) for series, row in rows.items() if row}


def forget(db: Database, now: int, budget: int) -> bool:
    """Delete at most about ``budget`` rows that are too old, or of a future that a wrong clock made; whether there may be more."""
    for (number,) in db.execute("SELECT id FROM series ORDER BY id").fetchall():
        for resolution, seconds in KEPT.items():
            # Whole hours: a bucket is read whole or not at all.
            before = now - seconds - (now - seconds) % HOUR
            budget -= _forget(db, number, resolution, (before, now + AHEAD), max(1, budget))
            if budget <= 0:
                return True
    gone = now - KEPT[HOUR]
    db.execute("UPDATE series SET latest = ?1 WHERE latest > ?1 + ?2", (now, AHEAD))
    db.execute("DELETE FROM series WHERE latest < ? AND NOT EXISTS (SELECT 1 FROM samples WHERE series = series.id)", (gone,))
    return False


def _forget(db: Database, number: int, resolution: int, kept: tuple[int, int], budget: int) -> int:
    """Rows outside of ``kept``, by the ends of the index only: what is to stay is not looked at."""
    rows = db.execute(_AFTER, (number, resolution, kept[1])).rowcount
    oldest = db.execute(_OLDEST, (number, resolution)).fetchone()
    if oldest and oldest[0] < kept[0]:
        rows += db.execute(_FORGET, (number, resolution, kept[0], budget)).rowcount
    return rows
