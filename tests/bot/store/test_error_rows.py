"""The rows of the index of errors: a reading is taken once, minutes become hours, what is old or too much is forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from sqlite_utils import Database

from bot.store import error_rows
from bot.store.error_rows import FORGOTTEN_AFTER, HOUR, MINUTE, FoundErrors, Losses, Reading
from bot.store.migrations import migrations

NOW = 1_770_000_000.0
BEGIN = int(NOW) // HOUR * HOUR


@pytest.fixture
def db() -> Iterator[Database]:
    """A store in memory."""
    db = Database(memory=True)
    migrations.apply(db)
    yield db
    db.close()


def found(fingerprint: str, counts: Mapping[int, int], *, span: int = MINUTE) -> FoundErrors:
    """Errors counted so often in the spans that begin then."""
    times = sorted(counts)
    spans = {(begin, span): count for begin, count in counts.items()}
    return FoundErrors(fingerprint, "application", f"Error: {fingerprint}", ("    at x",), float(times[0]), float(times[-1]), spans)


def reading(before: str, after: str, *errors: FoundErrors, service: str = "backend", gap: bool = False) -> Reading:
    """A look at the one container of a service."""
    return Reading(service, f"{service}-1", before, after, NOW, errors, gap=gap)


def counts(db: Database, since: float = 0.0, *names: str) -> dict[str, int]:
    """How often each error was counted."""
    return {each.fingerprint: each.count for each in error_rows.groups(db, names or ("backend",), since)}


def test_readings_that_follow_each_other_add_up(db: Database) -> None:
    assert error_rows.add(db, reading("", "p1", found("a", {BEGIN: 2})))
    assert error_rows.add(db, reading("p1", "p2", found("a", {BEGIN: 1, BEGIN + 60: 4}), found("b", {BEGIN: 1})))
    (a, b) = error_rows.groups(db, ("backend",), 0)
    assert (a.count, a.total, b.count) == (7, 7, 1)
    assert (a.first_seen, a.last_seen, a.counted_from) == (BEGIN, BEGIN + 60, BEGIN)
    assert error_rows.position(db, "backend-1") == ("p2", NOW)


def test_a_reading_from_where_somebody_read_already_counts_nothing(db: Database) -> None:
    assert error_rows.add(db, reading("", "p1", found("a", {BEGIN: 2})))
    assert not error_rows.add(db, reading("", "p1", found("a", {BEGIN: 2})))
    assert counts(db) == {"a": 2}


def test_the_newest_example_is_kept_whatever_comes_first(db: Database) -> None:
    error_rows.add(db, reading("", "p1", found("a", {BEGIN + 600: 1})))
    late = FoundErrors("a", "application", "older", (), float(BEGIN), float(BEGIN), {(BEGIN, MINUTE): 1})
    error_rows.add(db, reading("p1", "p2", late))
    (group,) = error_rows.groups(db, ("backend",), 0)
    assert (group.example, group.first_seen, group.last_seen) == ("Error: a", BEGIN, BEGIN + 600)


def test_a_window_counts_whole_minutes(db: Database) -> None:
    error_rows.add(db, reading("", "p1", found("a", {BEGIN: 1, BEGIN + 60: 2, BEGIN + 120: 4})))
    assert counts(db, BEGIN + 60) == {"a": 6}
    assert counts(db, BEGIN + 90) == {"a": 6}
    assert counts(db, BEGIN + 120) == {"a": 4}
    assert counts(db, BEGIN + 180) == {}


def test_services_are_apart_and_known_after_they_are_gone(db: Database) -> None:
    error_rows.add(db, reading("", "p", found("a", {BEGIN: 1})))
    error_rows.add(db, reading("", "p", found("b", {BEGIN: 1}), service="redis"))
    assert counts(db, 0, "redis") == {"b": 1}
    assert counts(db, 0, "redis", "backend") == {"a": 1, "b": 1}
    assert error_rows.services(db) == ["backend", "redis"]


def test_old_minutes_become_hours_and_lose_no_count(db: Database) -> None:
    old = BEGIN - 3 * 86_400
    error_rows.add(db, reading("", "p1", found("a", {old: 1, old + 60: 2, old + 3_600: 4, BEGIN: 8})))
    error_rows.age(db, NOW)
    error_rows.age(db, NOW)
    rows = set(db.execute("SELECT begin, span, count FROM error_counts").fetchall())
    assert rows == {(old, HOUR, 3), (old + 3_600, HOUR, 4), (BEGIN, MINUTE, 8)}
    (group,) = error_rows.groups(db, ("backend",), old + 90)
    assert (group.count, group.counted_from) == (15, old)


def test_what_was_not_seen_for_months_is_forgotten(db: Database) -> None:
    ancient = int(NOW - FORGOTTEN_AFTER) - 86_400
    error_rows.add(db, reading("", "p1", found("old", {ancient: 5}), found("new", {ancient: 1, BEGIN: 1})))
    error_rows.age(db, NOW)
    assert counts(db) == {"new": 1}
    assert db.execute("SELECT COUNT(*) FROM error_counts").fetchone() == (1,)


def test_the_groups_not_seen_for_longest_make_room_and_are_counted(db: Database) -> None:
    error_rows.add(db, reading("", "p1", *(found(f"g{number}", {BEGIN + 60 * number: 1}) for number in range(5))), groups_at_most=3)
    assert set(counts(db)) == {"g2", "g3", "g4"}
    assert error_rows.losses(db, ("backend",), 0) == Losses(forgotten=2)


def test_lines_that_were_gone_before_they_were_read_are_told_while_they_matter(db: Database) -> None:
    error_rows.add(db, reading("", "p1", gap=True))
    error_rows.add(db, reading("p1", "p2"))
    assert error_rows.losses(db, ("backend",), NOW - 60).gaps == {"backend": NOW}
    assert error_rows.losses(db, ("backend",), NOW + 60).gaps == {}
