"""Rows of measured figures: rolled up exactly as they come, whatever comes late or twice; forgotten in time, and bounded."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlite_utils import Database

from bot.series import Bucket, Measured, Series
from bot.store import sample_rows
from bot.store.migrations import migrations
from bot.store.sample_rows import DAY, HOUR, KEPT, MINUTE, RAW

CPU = Series("host", "", "cpu_percent")
NOON = 1_770_000_000 - 1_770_000_000 % DAY + DAY // 2
EVER = (0, 2 * NOON)


@pytest.fixture
def db() -> Iterator[Database]:
    """A fresh state in memory."""
    fresh = made()
    yield fresh
    fresh.close()


def made(path: Path | None = None) -> Database:
    db = Database(path) if path else Database(memory=True)
    migrations.apply(db)
    return db


def rows(db: Database, resolution: int, step: int = 0) -> tuple[Bucket, ...]:
    return sample_rows.read(db, [CPU], resolution, step or max(1, resolution), EVER)[CPU]


MEASUREMENTS = st.lists(
    st.tuples(st.integers(NOON, NOON + 3 * HOUR), st.floats(-1e12, 1e12)), min_size=1, max_size=60, unique_by=lambda each: each[0]
)


@given(MEASUREMENTS, st.randoms())
@settings(max_examples=60, deadline=None)
def test_minutes_and_hours_are_what_reckoning_them_from_the_values_gives(measured: list[tuple[int, float]], dice: object) -> None:
    db = made()
    dice.shuffle(measured)  # type: ignore[attr-defined]
    for at, value in measured:
        assert sample_rows.add(db, at, {CPU: value}) == 1
    for at, value in measured[: len(measured) // 2]:
        assert sample_rows.add(db, at, {CPU: value + 1}) == 0  # the same moment again: a restart, or a clock that went back
    for resolution in (MINUTE, HOUR):
        wanted: dict[int, list[float]] = {}
        for at, value in measured:
            wanted.setdefault(at - at % resolution, []).append(value)
        found = rows(db, resolution)
        assert [bucket.at for bucket in found] == sorted(wanted)
        for bucket in found:
            values = wanted[int(bucket.at)]
            assert (bucket.least, bucket.most, bucket.count) == (min(values), max(values), len(values))
            assert math.isclose(bucket.mean * bucket.count, math.fsum(values), rel_tol=1e-9, abs_tol=1e-2)
    assert [bucket.mean for bucket in rows(db, RAW)] == [value for _, value in sorted(measured)]
    db.close()


def test_a_wider_step_is_the_same_figures_in_fewer_buckets(db: Database) -> None:
    for number in range(20):
        sample_rows.add(db, NOON + 30 * number, {CPU: number})
    assert rows(db, MINUTE, 300) == (Bucket(NOON, 300, 0, 4.5, 9, 10), Bucket(NOON + 300, 300, 10, 14.5, 19, 10))
    assert rows(db, RAW, 300) == rows(db, MINUTE, 300)


def test_what_was_not_measured_is_a_gap_and_no_zero(db: Database) -> None:
    sample_rows.add(db, NOON, {CPU: 5})
    sample_rows.add(db, NOON + 600, {CPU: 7})
    assert [(bucket.at, bucket.mean) for bucket in rows(db, MINUTE)] == [(NOON, 5), (NOON + 600, 7)]


def test_each_series_is_apart_and_one_that_is_unknown_is_empty(db: Database) -> None:
    other = Series("queue", "image generation:한글 /", "waiting")
    sample_rows.add(db, NOON, {CPU: 1, other: 2})
    found = sample_rows.read(db, [CPU, other, Series("no", "such", "thing")], RAW, 1, EVER)
    assert [[bucket.mean for bucket in buckets] for buckets in found.values()] == [[1], [2], []]
    assert sample_rows.known(db) == {CPU: Measured(NOON, NOON), other: Measured(NOON, NOON)}
    assert sample_rows.newest(db, [CPU, other], NOON + 5) == {CPU: (NOON, 1), other: (NOON, 2)}
    assert sample_rows.newest(db, [CPU], NOON - 5) == {}


def forget_all(db: Database, now: int, budget: int = 1_000) -> int:
    times = 0
    while sample_rows.forget(db, now, budget):
        times += 1
        assert times < 10_000
    return times


def test_values_last_a_day_minutes_a_week_hours_a_year_and_then_the_series_is_gone(db: Database) -> None:
    sample_rows.add(db, NOON, {CPU: 1})
    for resolution, seconds in KEPT.items():
        forget_all(db, NOON + seconds - 1)
        assert rows(db, resolution)
        forget_all(db, NOON + seconds + 2 * HOUR)
        assert not rows(db, resolution)
    assert sample_rows.known(db) == {}


def test_forgetting_takes_small_bites_and_is_the_same_in_the_end(db: Database) -> None:
    for number in range(500):
        sample_rows.add(db, NOON + 30 * number, {CPU: number})
    db.conn.commit()
    before = db.conn.total_changes
    assert sample_rows.forget(db, NOON + 3 * DAY, 50)
    assert db.conn.total_changes - before == 50
    assert forget_all(db, NOON + 3 * DAY, 50) == 9
    assert not rows(db, RAW)
    assert sum(bucket.count for bucket in rows(db, HOUR)) == 500


def test_nothing_that_is_asked_or_forgotten_walks_through_the_whole_table(db: Database) -> None:
    statements = (sample_rows._READ, sample_rows._NEWEST, sample_rows._OLDEST, sample_rows._AFTER, sample_rows._FORGET)
    for statement in statements:
        count = 5 if "?5" in statement else 4 if "?4" in statement else statement.count("?")
        plan = [str(row[3]) for row in db.execute(f"EXPLAIN QUERY PLAN {statement}", (1,) * count)]
        looks = [step for step in plan if "samples" in step]
        assert looks
        assert all(step.startswith("SEARCH samples USING PRIMARY KEY (series=? AND resolution=?") for step in looks), plan


def test_rows_of_a_future_that_a_wrong_clock_made_go_and_a_renamed_service_too(db: Database) -> None:
    sample_rows.add(db, NOON, {CPU: 1})
    sample_rows.add(db, NOON + 3650 * DAY, {CPU: 2, Series("service", "old", "cpu_percent"): 3})
    forget_all(db, NOON + 60)
    assert [bucket.mean for bucket in rows(db, HOUR)] == [1]
    assert sample_rows.known(db)[CPU].latest == NOON + 60
    forget_all(db, NOON + 60 + KEPT[HOUR] + 2 * HOUR)
    assert sample_rows.known(db) == {}


def test_names_without_end_are_not_let_in(db: Database) -> None:
    many = {Series("queue", str(number), "waiting"): 1.0 for number in range(sample_rows.MOST_SERIES + 50)}
    assert sample_rows.add(db, NOON, many) == sample_rows.MOST_SERIES
    assert len(sample_rows.known(db)) == sample_rows.MOST_SERIES
    assert sample_rows.add(db, NOON + 30, {Series("queue", "0", "waiting"): 2.0}) == 1


def test_a_year_of_figures_stays_as_small_as_is_said_and_is_read_in_no_time(tmp_path: Path) -> None:
    """Filled as the steady state is: the sizes and times are printed, only the bound itself is judged."""
    db, series = made(tmp_path / "vcc.db"), 3
    db.execute("BEGIN")
    for number in range(1, series + 1):
        db.execute("INSERT INTO series VALUES (?,?,?,?,?,?)", (number, "host", str(number), "x", NOON, NOON + KEPT[HOUR]))
        for resolution, seconds in KEPT.items():
            step = resolution or 30
            values = ((number, resolution, NOON + KEPT[HOUR] - seconds + at, at / 7, 120, at / 9, at / 5) for at in range(0, seconds, step))
            db.conn.executemany("INSERT INTO samples (series, resolution, at, total, count, least, most) VALUES (?,?,?,?,?,?,?)", values)
    db.execute("COMMIT")
    size = (tmp_path / "vcc.db").stat().st_size / series
    began = time.perf_counter()
    found = sample_rows.read(db, [Series("host", "1", "x")], HOUR, HOUR, (NOON + KEPT[HOUR] - 7 * DAY, NOON + KEPT[HOUR]))
    took = (time.perf_counter() - began) * 1000
    print(f"a year of one series: {size / 1e6:.2f} MB; its last 7 days read in {took:.1f} ms")
    db.close()
    assert sum(map(len, found.values())) == 7 * 24
    assert size < 1.2e6
