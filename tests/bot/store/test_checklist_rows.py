"""The rows of checklists: a run comes back as it was written, its latest signature counts, and it is forgotten after 400 days."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlite_utils import Database

from bot.checklists import Result, Run, Signature, Title, Verdict
from bot.errors import Conflict
from bot.store import checklist_rows
from bot.store.migrations import migrations

NOW = 1_770_000_000.0
TITLE = Title(ko="매일", en="Daily")


@pytest.fixture
def db() -> Iterator[Database]:
    """A store in memory."""
    db = Database(memory=True)
    migrations.apply(db)
    yield db
    db.close()


def run(name: str = "daily", at: float = NOW, *results: Result) -> Run:
    measured = Result("disk", TITLE, Verdict.WARN, 81.5, "percent", "기준 80% 이상")
    return Run(0, name, TITLE, at, "olga", "R-1", results or (measured, Result("log", TITLE, Verdict.UNSIGNED, signer="operator")))


def test_a_run_comes_back_as_it_was_kept(db: Database) -> None:
    number = checklist_rows.keep(db, run())
    found = checklist_rows.get(db, number)
    assert found is not None
    assert (found.name, found.person, found.reference, found.at) == ("daily", "olga", "R-1", NOW)
    assert found.results == run().results
    assert [each.item for each in found.unsigned] == ["log"]
    assert checklist_rows.get(db, number + 1) is None


def test_the_latest_signature_counts_and_all_are_kept(db: Database) -> None:
    number = checklist_rows.keep(db, run())
    checklist_rows.sign(db, number, "log", Signature("olga", NOW, Verdict.WELL, "ok"))
    checklist_rows.sign(db, number, "log", Signature("ada", NOW + 1, Verdict.FAIL, "not ok"))
    found = checklist_rows.get(db, number)
    assert found is not None
    result = found.result("log")
    assert result is not None
    assert (result.verdict, result.signature) == (Verdict.FAIL, Signature("ada", NOW + 1, Verdict.FAIL, "not ok"))
    assert found.unsigned == ()
    assert db["checklist_signatures"].count == 2
    for item, key in (("log", "checklist.signed_before"), ("nothing", "checklist.no_item")):
        with pytest.raises(Conflict) as refused:
            checklist_rows.sign(db, number, item, Signature("ben", NOW + 2, Verdict.FAIL))
        assert refused.value.key == key
    assert db["checklist_signatures"].count == 2


def test_the_newest_is_found_by_list_by_item_and_before_another(db: Database) -> None:
    first, weekly, second = (checklist_rows.keep(db, each) for each in (run(), run("weekly", NOW, Result("x", TITLE, Verdict.WELL)), run()))

    def found(name: str = "", item: str = "", before: int = 0) -> int | None:
        newest = checklist_rows.newest(db, name, item, before)
        return newest.id if newest else None

    assert (found(), found("weekly"), found(item="x"), found("daily", before=second)) == (second, weekly, weekly, first)
    assert (found("nothing"), found(item="nothing"), found("daily", before=first)) == (None, None, None)


def test_a_period_is_listed_newest_first_and_bounded(db: Database) -> None:
    numbers = [checklist_rows.keep(db, run(at=NOW + day)) for day in range(5)]
    assert [each.id for each in checklist_rows.since(db, NOW + 2, "", 10)] == numbers[:1:-1]
    assert [each.id for each in checklist_rows.since(db, 0, "daily", 2)] == numbers[:2:-1]
    assert checklist_rows.since(db, 0, "weekly", 10) == []


def test_what_is_forgotten_leaves_nothing_behind(db: Database) -> None:
    old, new = (checklist_rows.keep(db, run(at=at)) for at in (NOW - checklist_rows.KEPT - 1, NOW))
    for number in (old, new):
        checklist_rows.sign(db, number, "log", Signature("olga", NOW, Verdict.WELL))
    newest = checklist_rows.keep(db, run(), NOW - checklist_rows.KEPT)
    assert [checklist_rows.get(db, number) is None for number in (old, new, newest)] == [True, False, False]
    assert [db[table].count for table in ("checklist_runs", "checklist_results", "checklist_signatures")] == [2, 4, 1]
