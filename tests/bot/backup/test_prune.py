"""Keep rules decide what goes; the newest that is proven never does."""

from __future__ import annotations

import calendar
import os
from dataclasses import replace
from pathlib import Path

import pytest

from bot.backup.manifest import DatabasePart, Manifest, UploadsPart
from bot.backup.pins import pin
from bot.backup.prune import Rules, Why, choose, remove_all
from bot.backup.shelf import Backup, Proof, Shelf
from bot.errors import OutsideError
from bot.ops.snapshot_remove import freed_by_removing
from tests.bot.backup.parts import NOW, fill_uploads, make

DAY = 86_400.0
NONE = Rules(1, 0, 0, 0)


def backup(day: float, *, good: bool = True, restorable: bool = False, fault: str = "", parts: str = "both") -> Backup:
    """One made so many days ago."""
    at = NOW - day * DAY
    database = DatabasePart("vcc-manager", "6", "none", (), None, 0) if parts != "files" else None
    uploads = UploadsPart(1, 1, 1, 1, "directory", 0, 0) if parts != "database" else None
    manifest = Manifest(f"{day:010.5f}", "p", at, at, "asked", "olga", "R", "0", (), database, uploads)
    return Backup(manifest.id, Path(manifest.id), manifest, Proof(at if good else None, None, at if restorable else None, fault=fault))


def going(backups: list[Backup], rules: Rules, **more: object) -> list[float]:
    """The days of those that go, the newest first."""
    ordered = sorted(backups, key=lambda each: each.id)
    found = choose(ordered, rules, "Asia/Seoul", **more).going  # type: ignore[arg-type]
    return sorted(float(each.id) for each in found)


def test_the_last_ones_stay_and_older_ones_go() -> None:
    assert going([backup(day) for day in range(6)], Rules(3, 0, 0, 0)) == [3, 4, 5]


def test_one_of_each_day_week_and_month_stays_by_the_calendar_of_the_place() -> None:
    backups = [backup(day / 2) for day in range(800)]
    choice = choose(backups, Rules(1, 14, 8, 12), "Asia/Seoul")
    staying = [each for each, _ in choice.staying]
    assert len(staying) <= 1 + 14 + 8 + 12
    months = {each.manifest.started_at for each in staying if each.manifest}
    assert min(months) < NOW - 300 * DAY
    # 22 January, ten in the morning at Greenwich: seven in the evening in Seoul.
    midnight = calendar.timegm((2026, 1, 21, 15, 0, 0, 0, 0, 0))
    days = [backup((NOW - midnight + seconds) / DAY) for seconds in (-60, 60)]
    assert [each for each, _ in choose(days, Rules(1, 2, 0, 0), "Asia/Seoul").staying] == days
    assert [each for each, _ in choose(days, Rules(1, 2, 0, 0), "UTC").staying] == days[:1]


def test_the_newest_good_and_the_newest_restorable_never_go() -> None:
    backups = [backup(0, good=False), backup(1), backup(2, restorable=True), backup(3, restorable=True), backup(4)]
    choice = choose(backups, NONE, "UTC")
    assert {float(each.id): why for each, why in choice.staying} == {
        0: Why.NOTHING_BETTER,
        1: Why.NEWEST_GOOD,
        2: Why.NEWEST_RESTORABLE,
    }


def test_a_damaged_one_keeps_no_place_and_goes_once_there_is_a_newer_good_one() -> None:
    assert going([backup(0), backup(1, fault="backup.damaged"), backup(2)], Rules(2, 0, 0, 0)) == [1]
    assert going([backup(0, fault="backup.damaged"), backup(1), backup(2)], Rules(2, 0, 0, 0)) == []
    assert going([backup(0, fault="x"), backup(1, fault="x")], NONE) == []


def test_a_damaged_one_that_once_was_restorable_is_not_the_newest_restorable() -> None:
    assert going([backup(0), backup(1, restorable=True, fault="x"), backup(2, restorable=True)], NONE) == [1]


def test_one_of_the_database_alone_takes_no_place_of_a_whole_one() -> None:
    backups = [backup(0, parts="database"), backup(1, parts="files"), backup(2), backup(3, parts="database"), backup(4)]
    assert going(backups, NONE) == [3, 4]


def test_what_is_being_restored_and_what_cannot_be_read_stays() -> None:
    unreadable = replace(backup(3), manifest=None)
    backups = [backup(0), backup(1), backup(2), unreadable]
    assert going(backups, NONE, restoring={backups[2].id}) == [1]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """Three backups that share what has not changed."""
    shelf, uploads, before = Shelf(tmp_path / "backups"), fill_uploads(tmp_path / "uploads", 40), None
    for file in (uploads / "generated").iterdir():
        os.utime(file, (NOW, NOW))
    for day in range(3):
        identity = make(shelf, uploads, NOW + day * DAY, before)
        before = shelf.directory / identity
    return shelf


def test_exactly_those_named_go_and_the_others_stay_whole(shelf: Shelf) -> None:
    newest, middle, oldest = shelf.backups()
    told: list[int] = []
    removed = remove_all(shelf, [oldest.id, "2020-01-01T00-00-00Z"], told.append, lambda: False)
    assert (removed.ids, removed.gone, told) == ((oldest.id,), ("2020-01-01T00-00-00Z",), [0, 1])
    assert [each.id for each in shelf.backups()] == [newest.id, middle.id]
    assert (middle.path / "uploads" / "generated" / "39.png").read_bytes().endswith(bytes([39]))


def test_shared_files_free_nothing_until_the_last_one_goes(shelf: Shelf) -> None:
    newest, middle, oldest = shelf.backups()
    alone = freed_by_removing([oldest.path])
    together = freed_by_removing([each.path for each in (newest, middle, oldest)])
    assert alone.files < 40 < together.files


def test_a_name_that_leads_elsewhere_is_refused(shelf: Shelf) -> None:
    with pytest.raises(OutsideError, match="outside"):
        remove_all(shelf, ["../uploads"], lambda _: None, lambda: False)


def test_what_is_being_restored_from_by_now_stays(shelf: Shelf) -> None:
    ids = [each.id for each in shelf.backups()]
    pin(shelf.directory, ids[1])
    removed = remove_all(shelf, ids[1:], lambda _: None, lambda: False)
    assert (removed.ids, removed.needed) == ((ids[2],), (ids[1],))
    assert [each.id for each in shelf.backups()] == ids[:2]


def test_what_a_crash_left_half_removed_goes_with_the_next(shelf: Shelf) -> None:
    oldest = shelf.backups()[-1]
    oldest.path.rename(shelf.directory / f".deleting-{oldest.id}")
    assert remove_all(shelf, [], lambda _: None, lambda: False).ids == ()
    assert not list(shelf.directory.glob(".deleting-*"))


def test_it_ends_between_two_when_it_is_wanted_to(shelf: Shelf) -> None:
    ids = [each.id for each in shelf.backups()]
    told: list[int] = []
    removed = remove_all(shelf, ids[1:][::-1], told.append, lambda: bool(told))
    assert removed.ids == (ids[2],)
    assert [each.id for each in shelf.backups()] == ids[:2]
