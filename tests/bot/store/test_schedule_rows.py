"""Rows of schedules: a moment is claimed once, a run is known until it ends, and a pause has an end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from sqlite_utils import Database

from bot.model import Account, Invocation, Outcome, Place
from bot.store import request_rows, schedule_rows
from bot.store.engine import Store
from bot.store.schedule_rows import Run, ScheduleRow

ELSEWHERE = Place("discord", "100")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A store with one schedule that was looked at when the clock said 10."""
    store = Store(tmp_path / "vcc.db")
    store.open()
    await store.write(lambda db: schedule_rows.anchor(db, "nightly", "10 3 * * * UTC", 10.0))
    yield store
    store.close()


def begin(db: Database, due: float, reference: str, *, known: bool = False) -> bool:
    """Claim a moment and open its request, as the audit does in one commit."""
    claimed = schedule_rows.claim(db, Run("nightly", due, 0.0, "ada", (ELSEWHERE,)), reference, known=known)
    if claimed:
        asked = Invocation("status", Account("slack", "ada"), Place("slack", "C1"), f"k{due}", due, reference=reference)
        request_rows.insert(db, asked, "instance", None)
    return claimed


def finish(db: Database, reference: str) -> Run | None:
    request_rows.close(db, reference, Outcome.DONE, 50.0)
    return schedule_rows.end(db, reference, Outcome.DONE, 50.0)


async def row_of(store: Store) -> ScheduleRow:
    return (await store.read(schedule_rows.everything))["nightly"]


async def test_looking_again_changes_nothing_and_a_new_timetable_counts_from_now(store: Store) -> None:
    await store.write(lambda db: schedule_rows.anchor(db, "nightly", "10 3 * * * UTC", 99.0))
    assert (await row_of(store)).last_due == 10.0
    await store.write(lambda db: schedule_rows.anchor(db, "nightly", "10 4 * * * UTC", 99.0))
    assert (await row_of(store)).last_due == 99.0


async def test_a_run_is_known_with_its_places_until_it_ends_and_then_its_outcome(store: Store) -> None:
    assert await store.write(lambda db: begin(db, 20.0, "R-1"))
    assert await store.read(schedule_rows.running) == {"nightly"}
    assert await store.write(lambda db: finish(db, "R-1")) == Run("nightly", 20.0, 0.0, "ada", (ELSEWHERE,))
    row = await row_of(store)
    assert (row.outcome, row.ended_at, row.reference, row.last_due) == ("done", 50.0, "R-1", 20.0)
    assert await store.read(schedule_rows.running) == frozenset()


async def test_whose_run_it_was_is_known_as_long_as_its_request(store: Store) -> None:
    await store.write(lambda db: begin(db, 20.0, "R-1"))
    await store.write(lambda db: finish(db, "R-1"))
    for forgotten_before, known in ((50.0, True), (51.0, False)):
        await store.write(partial(request_rows.prune, before=forgotten_before))
        await store.write(schedule_rows.prune)
        assert (await store.read(lambda db: schedule_rows.of(db, "R-1")) is not None) is known


async def test_a_moment_that_is_taken_is_not_claimed_and_not_counted_as_left_out(store: Store) -> None:
    await store.write(lambda db: begin(db, 20.0, "R-1"))
    assert not await store.write(lambda db: begin(db, 20.0, "R-2", known=True))
    assert ((await row_of(store)).skipped, (await row_of(store)).reference) == (0, "R-1")


async def test_what_was_left_out_while_one_ran_is_told_by_the_next(store: Store) -> None:
    await store.write(lambda db: begin(db, 20.0, "R-1"))
    for due in (21.0, 22.0):
        assert not await store.write(partial(begin, due=due, reference="R-2"))
    await store.write(lambda db: finish(db, "R-1"))
    await store.write(lambda db: begin(db, 23.0, "R-3"))
    run = await store.write(lambda db: finish(db, "R-3"))
    assert run is not None
    assert (run.skipped, (await row_of(store)).skipped) == (2, 0)


async def test_a_run_by_hand_leaves_the_moments_alone_and_two_do_not_go_on_at_once(store: Store) -> None:
    assert await store.write(lambda db: begin(db, 0.0, "R-1"))
    assert not await store.write(lambda db: begin(db, 0.0, "R-2"))
    assert ((await row_of(store)).last_due, (await row_of(store)).skipped) == (10.0, 0)


async def test_an_unknown_schedule_claims_nothing(store: Store) -> None:
    run = Run("gone", 20.0, 0.0, "ada")
    assert not await store.write(lambda db: schedule_rows.claim(db, run, "R-1", known=False))


async def test_a_pause_ends_at_its_time_or_when_somebody_resumes_it(store: Store) -> None:
    await store.write(lambda db: schedule_rows.pause(db, "nightly", "olga", 30.0, 40.0))
    row = await row_of(store)
    assert (row.paused(39.0), row.paused(40.0), row.paused_by) == (True, False, "olga")
    await store.write(lambda db: schedule_rows.pause(db, "nightly", "olga", 30.0, None))
    assert (await row_of(store)).paused(1e12)
    await store.write(lambda db: schedule_rows.resume(db, "nightly", 60.0))
    assert ((await row_of(store)).paused(60.0), (await row_of(store)).last_due) == (False, 60.0)
    await store.write(lambda db: schedule_rows.resume(db, "nightly", 70.0))
    assert (await row_of(store)).last_due == 60.0  # nothing was paused


async def test_what_is_not_in_the_file_any_more_is_forgotten(store: Store) -> None:
    await store.write(lambda db: schedule_rows.forget_others(db, {"nightly", "new"}, 60.0))
    assert set(await store.read(schedule_rows.everything)) == {"nightly"}
    await store.write(lambda db: schedule_rows.forget_others(db, {"new"}, 60.0))
    assert await store.read(schedule_rows.everything) == {}


async def test_a_file_that_is_away_for_a_moment_ends_no_pause_and_lets_nothing_run_twice(store: Store) -> None:
    await store.write(lambda db: schedule_rows.pause(db, "nightly", "ada", 50.0, 70.0))
    await store.write(lambda db: schedule_rows.forget_others(db, (), 60.0))
    assert (await row_of(store)).paused(60.0)
    await store.write(lambda db: begin(db, 80.0, "R-1"))
    await store.write(lambda db: schedule_rows.forget_others(db, (), 90.0))
    assert (await row_of(store)).reference == "R-1"
    await store.write(lambda db: finish(db, "R-1"))
    await store.write(lambda db: schedule_rows.forget_others(db, (), 90.0))
    assert await store.read(schedule_rows.everything) == {}
