"""What the shelf's glance finds wrong: too old, none at all, suddenly less, no room."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.backup.glance import HOUR, Glance, dropped, problems
from bot.backup.manifest import CollectionPart, DatabasePart, Manifest, UploadsPart
from bot.backup.room import like, needed
from bot.backup.shelf import Backup, Proof
from bot.errors import OutsideError

NOW = 1_769_076_000.0
MIB = 1 << 20


def manifest(documents: int = 1_000, files: int = 100, *, at: float = NOW, new: int = 5) -> Manifest:
    """One with so much in it."""
    collections = (CollectionPart("users", "collection", documents, documents * 100, 1, "users"),)
    database = DatabasePart("vcc-manager", "6", "none", collections, None, 0)
    return Manifest(
        "x", "p", at, at, "asked", "o", "R", "0", (), database, UploadsPart(files, files * 10, new, new * 10, "directory", 0, 0)
    )


def glance(good_at: float | None, **more: object) -> Glance:
    """A shelf whose newest good backup is of that time."""
    good = Backup("x", Path("x"), manifest(at=good_at), Proof(good_at=good_at)) if good_at is not None else None
    figures = {"backups": 1, "good": good, "restorable": None, "newest": good, "since": NOW - HOUR, "free_bytes": 9, "needed_bytes": 1}
    return Glance(**{**figures, **more})  # type: ignore[arg-type]


def kinds(found: Glance) -> list[str]:
    return [problem.name for problem in problems(found, NOW, 26)]


def test_within_the_objective_nothing_is_wrong() -> None:
    assert kinds(glance(NOW - 25 * HOUR)) == []
    assert kinds(glance(NOW - 27 * HOUR)) == ["backup_old"]


def test_without_any_backup_the_time_counts_from_when_there_could_have_been_one() -> None:
    assert kinds(glance(None)) == []
    assert kinds(glance(None, since=NOW - 27 * HOUR)) == ["backup_none"]


def test_without_a_drill_for_a_week_and_the_objective_it_is_told() -> None:
    week = 7 * 24 * HOUR
    proven = Backup("x", Path("x"), manifest(at=NOW - week - 25 * HOUR), Proof(good_at=NOW, restorable_at=NOW))
    assert kinds(glance(NOW, restorable=proven, good_since=NOW - 99 * week)) == []
    proven = Backup("x", Path("x"), manifest(at=NOW - week - 27 * HOUR), Proof(good_at=NOW, restorable_at=NOW))
    assert kinds(glance(NOW, restorable=proven, good_since=NOW - 99 * week)) == ["backup_undrilled"]
    assert kinds(glance(NOW, good_since=NOW - week - 25 * HOUR)) == []
    assert kinds(glance(NOW, good_since=NOW - week - 27 * HOUR)) == ["backup_undrilled"]


def test_room_that_will_not_hold_the_next_is_told_before_it_is_needed() -> None:
    assert kinds(glance(NOW, free_bytes=5, needed_bytes=6)) == ["backup_no_room"]


def test_a_newest_that_is_not_good_is_told() -> None:
    bad = Backup("y", Path("y"), manifest(), Proof(fault="backup.damaged"))
    assert kinds(glance(NOW, newest=bad)) == ["backup_bad"]


def test_where_there_is_a_second_place_it_is_told_when_no_good_one_has_reached_it_for_long() -> None:
    def told(*sent_at: float, since: float) -> list[str]:
        sent = Backup("x", Path("x"), manifest(at=sent_at[0]), Proof(NOW, remote_at=NOW)) if sent_at else None
        found = glance(NOW, sent=sent, good_since=since)
        assert kinds(found) == []
        return [problem.name for problem in problems(found, NOW, 26, twice=True)]

    assert told(NOW - 25 * HOUR, since=NOW - 99 * HOUR) == told(since=NOW - 25 * HOUR) == []
    assert told(NOW - 27 * HOUR, since=NOW - 99 * HOUR) == told(since=NOW - 27 * HOUR) == ["backup_only_here"]


def test_a_shelf_that_cannot_be_seen_is_told() -> None:
    (found,) = problems(OutsideError("backup.no_directory", system="backup", path="/x"), NOW, 26)
    assert (found.name, found.part) == ("down", "backup")


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        ([1_000], []),
        ([700, 1_000], []),
        ([699, 1_000], ["documents", "database_bytes"]),
        ([1_000, 10, 1_000, 1_000], []),
        ([100, 1_000, 100, 1_000, 1_000], ["documents", "database_bytes"]),
        ([2_000, 1_000], []),
    ],
)
def test_a_sudden_drop_is_measured_by_the_middle_of_those_before(counts: list[int], found: list[str]) -> None:
    assert [name for name, _, _ in dropped([manifest(count) for count in counts])] == found


def test_a_first_backup_does_not_make_the_next_look_as_big() -> None:
    assert like(manifest(files=100_000_000, new=100_000_000)) < 100_000_000 * 10
    assert like(manifest(files=100, new=99)) > like(manifest(files=100, new=5))


def test_what_the_uploads_share_with_the_last_one_needs_no_room() -> None:
    assert needed(0, 1_000 * MIB, 0) > 1_000 * MIB
    assert needed(0, 1_000 * MIB, 1_000 * MIB) < 50 * MIB
    assert needed(0, 1_500 * MIB, 1_000 * MIB) > 500 * MIB
