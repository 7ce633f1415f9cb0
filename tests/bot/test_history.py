"""The record of figures: the resolution fits the question, nothing odd gets in, and reading stands still for no writer."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.history import MOST_BUCKETS, History
from bot.series import Series
from bot.store import sample_rows
from bot.store.engine import Store
from bot.testing.clock import Clock

CPU = Series("host", "", "cpu_percent")
DAY = 86_400.0
NOW = 1_770_000_000.0 - 1_770_000_000 % 3_600


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """An open state."""
    store = Store(tmp_path / "vcc.db")
    store.open()
    yield store
    store.close()


async def filled(store: Store, days: float, step: float) -> History:
    """A record that ends now, measured every ``step`` seconds; the value is how many hours ago that was."""
    moments = [NOW - number * step for number in range(int(days * DAY / step))]
    await store.write(lambda db: [sample_rows.add(db, int(at), {CPU: (NOW - at) / 3_600}) for at in moments] and None)
    return History(store, Clock(NOW))


async def test_an_hour_is_told_value_by_value_a_day_in_minutes_a_week_in_hours(store: Store) -> None:
    history = await filled(store, 8, 300)
    for since, spans in ((3_600.0, {10.0}), (DAY, {300.0}), (7 * DAY, {1_800.0, 3_600.0})):
        found = (await history.read([CPU], NOW - since, NOW))[CPU]
        assert {bucket.span for bucket in found} <= spans
        assert since / 300 - 1 <= sum(bucket.count for bucket in found) <= since / 300 + 12
        assert len(found) <= MOST_BUCKETS + 1
        assert found[0].at >= NOW - since - found[0].span


async def test_a_step_may_be_asked_for(store: Store) -> None:
    history = await filled(store, 1, 300)
    assert {bucket.span for bucket in (await history.read([CPU], NOW - DAY / 2, NOW, 3_600))[CPU]} == {3_600.0}


async def test_an_old_hour_is_read_from_what_is_still_kept_of_it(store: Store) -> None:
    history = await filled(store, 10, 3_600)
    found = (await history.read([CPU], NOW - 9 * DAY, NOW - 9 * DAY + 7_200))[CPU]
    assert [bucket.mean for bucket in found] == [9 * 24, 9 * 24 - 1]


async def test_nothing_lies_beyond_now(store: Store) -> None:
    history = await filled(store, 0.1, 30)
    await store.write(lambda db: sample_rows.add(db, int(NOW + 7_200), {CPU: 99}))
    assert (await history.newest([CPU]))[CPU].mean == 0.0
    assert max(bucket.most for bucket in (await history.read([CPU], NOW - 3_600, NOW))[CPU]) < 2


async def test_what_is_no_number_or_too_old_is_not_written(store: Store) -> None:
    history = History(store, Clock(NOW))
    assert await history.add(NOW, {CPU: math.nan, Series("host", "", "load_1m"): math.inf}) == 0
    assert await history.add(NOW - 2 * DAY, {CPU: 1}) == 0
    assert await history.add(NOW, {CPU: 1}) == 1
    assert list(await history.known()) == [CPU]


async def test_a_year_behind_is_forgotten_in_pieces(store: Store) -> None:
    history = await filled(store, 3, 60)
    later = History(store, Clock(NOW + 400 * DAY))
    await later.forget()
    assert await history.known() == {}
    assert await store.read(lambda db: db.execute("SELECT COUNT(*) FROM samples").fetchone()[0]) == 0
