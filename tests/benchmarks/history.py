"""The row "history": writing a round of 60 figures and reading ten of them, beside plain sqlite3 that writes and selects the same rows.

Grows with the series on record, each filled as a year of measuring fills it. VCC_BENCH_HISTORY_SERIES says how many 16× is.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from sqlite_utils import Database

from bot.history import History
from bot.ops.trend_telling import SECONDS
from bot.series import Series
from bot.store.engine import Store
from bot.store.sample_rows import DAY, HOUR, KEPT, MINUTE, RAW
from bot.testing.clock import Clock
from tests.benchmarks import harness
from tests.benchmarks.harness import Figure

GROWTH = (16, 4, 1)  # the largest last
NOW = 1_770_000_000 - 1_770_000_000 % HOUR
EVERY = 30
A_ROUND, READ = 60, 10
ROUNDS, READS = 100, 20
# The rows that a range is read from.
RESOLUTION = {"1h": RAW, "24h": MINUTE, "7d": MINUTE}

_FILL = (
    "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?3)"
    " INSERT INTO samples (series, resolution, at, total, count, least, most)"
    " SELECT ?1, ?2, ?4 + i * ?5, ?6 * (i % 100), ?6, iif(?2, i % 100, NULL), iif(?2, i % 100, NULL) FROM n"
)
_PLAIN = "CREATE TABLE plain (series INTEGER, at INTEGER, value REAL, PRIMARY KEY (series, at)) WITHOUT ROWID"
_PLAIN_FILL = (
    "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?2)"
    " INSERT INTO plain SELECT ?1, ?3 + i * ?4, i % 100 FROM n"
)
_SELECT = "SELECT at, total, count, least, most FROM samples WHERE series = ? AND resolution = ? AND at >= ? AND at < ? ORDER BY at"


def series(number: int) -> Series:
    """One of very many."""
    return Series("service", f"service-{number // 10}", f"figure-{number % 10}")


def fill_year(db: Database, number: int, each: Series, now: int) -> None:
    """Rows of one series as a year of measuring every 30 seconds, up to ``now``, leaves them."""
    known = "INSERT INTO series (id, part, subject, figure, since, latest) VALUES (?,?,?,?,?,?)"
    db.execute(known, (number, each.part, each.subject, each.figure, now - KEPT[HOUR], now))
    for resolution, seconds in KEPT.items():
        step = resolution or EVERY
        db.execute(_FILL, (number, resolution, seconds // step, now - seconds, step, step // EVERY))


def _plain(folder: Path) -> sqlite3.Connection:
    """A table of plain values, as durable as ours."""
    connection = sqlite3.connect(folder / "plain.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(_PLAIN)
    return connection


async def _fill(store: Store, plain: sqlite3.Connection, numbers: range) -> None:
    for number in numbers:
        await store.write(lambda db: fill_year(db, number, series(number), NOW))  # noqa: B023 - called at once
        plain.execute(_PLAIN_FILL, (number, DAY // EVERY, NOW - DAY, EVERY))


async def _beside(names: tuple[str, str], base: Callable[[int], object], ours: Callable[[int], Awaitable[object]], count: int) -> None:
    """Both in turn, and their rows."""
    taken: tuple[list[float], list[float]] = ([], [])
    for index in range(count):
        begun = time.perf_counter()
        base(index)
        between = time.perf_counter()
        await ours(index)
        taken[0].append(between - begun)
        taken[1].append(time.perf_counter() - between)
    baseline = Figure(names[0], taken[0])
    print(harness.line(baseline))
    print(harness.line(Figure(names[1], taken[1]), baseline))


async def _written(history: History, plain: sqlite3.Connection, turn: int) -> None:
    """Rounds one after the other; each growth begins behind the last one's."""
    begin = NOW + turn * ROUNDS * EVERY

    def insert(index: int) -> None:
        plain.execute("BEGIN")
        plain.executemany("INSERT INTO plain VALUES (?,?,?)", [(number, begin + index * EVERY, 1.0) for number in range(A_ROUND)])
        plain.execute("COMMIT")

    async def add(index: int) -> None:
        await history.add(begin + index * EVERY, {series(number): 1.0 for number in range(A_ROUND)})

    names = (f"plain sqlite3: {A_ROUND} values, one commit", f"ours: {A_ROUND} values, each with its minute and hour")
    await _beside(names, insert, add, ROUNDS)


async def _read(history: History, reader: sqlite3.Connection, name: str) -> None:
    since = NOW - int(SECONDS[name])
    wanted = [series(number) for number in range(READ)]

    def select(_: int) -> Sequence[object]:
        return [reader.execute(_SELECT, (number, RESOLUTION[name], since, NOW)).fetchall() for number in range(READ)]

    async def read(_: int) -> object:
        return await history.read(wanted, since, NOW)

    rows = len(reader.execute(_SELECT, (0, RESOLUTION[name], since, NOW)).fetchall()) * READ
    await _beside((f"plain sqlite3: select {rows:,} rows, {name}", f"ours: {READ} figures over {name}, in buckets"), select, read, READS)


async def _rows(folder: Path) -> None:
    most = int(os.environ.get("VCC_BENCH_HISTORY_SERIES", "960"))
    path, before = folder / "vcc.db", harness.peak_megabytes()
    store = Store(path)
    store.open()
    history = History(store, Clock(NOW))
    filled = 0
    with contextlib.closing(_plain(folder)) as plain, contextlib.closing(sqlite3.connect(path)) as reader:
        for turn, share in enumerate(GROWTH):
            await _fill(store, plain, range(filled, most // share))
            filled = most // share
            (rows,) = reader.execute("SELECT COUNT(*) FROM samples").fetchone()
            print(f" {filled} series, {rows:,} rows, {path.stat().st_size / 1e6:,.0f} MB")
            await _written(history, plain, turn)
            for name in RESOLUTION:
                await _read(history, reader, name)
    store.close()
    print(f"  peak memory {harness.peak_megabytes():,.0f} MB, {harness.peak_megabytes() - before:,.0f} of them for this row")


def main() -> None:
    """Print the row."""
    print("history: a round of figures written, ranges read")
    harness.in_folder(_rows)
