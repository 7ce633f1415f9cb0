"""Runbooks as data: what is shipped, what a faulty file is told, and which lines an incident can fill."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bot import runbooks
from bot.runbooks import Kind, filled
from bot.team_files import SHIPPED, TeamFile
from bot.words import Words


def shipped() -> dict[str, Any]:
    return tomllib.loads((SHIPPED / runbooks.FILE).read_text(encoding="utf-8"))


def test_the_guides_five_steps_of_both_kinds_are_shipped_in_both_languages() -> None:
    books = runbooks.parse(shipped())
    assert [len(books[kind].steps) for kind in Kind] == [5, 5]
    assert books[Kind.SECURITY].steps[0].title.ko == "영향받은 서비스 격리"
    for book in books.values():
        assert all(step.text.of(language) for step in book.steps for language in ("ko", "en"))


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda raw: raw.pop("security"), "security"),
        (lambda raw: raw["service"].update(steps=[]), "service"),
        (lambda raw: raw["service"]["steps"][0].update(remind_after=-1), "remind_after"),
        (lambda raw: raw["service"]["steps"][1].update(id="status"), "service"),
        (lambda raw: raw["service"].update(satus_every=5), "satus_every"),
    ],
)
def test_what_makes_no_sense_is_refused_and_named(change: Any, where: str) -> None:
    raw = shipped()
    change(raw)
    with pytest.raises(ValidationError) as fault:
        runbooks.parse(raw)
    assert where in str(fault.value.errors()[0]["loc"])


def test_a_teams_faulty_file_is_told_by_its_line_and_the_last_good_one_stays_in_force(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / runbooks.FILE).write_text('[service]\ntitle = { ko = "a", en = "b" \n', encoding="utf-8")
    file = TeamFile(runbooks.FILE, own, tmp_path / "kept", runbooks.parse)
    assert len(file.read()[Kind.SERVICE].steps) == 5
    assert file.fault is not None
    assert "line" in file.fault.sentence(Words("en"))


def test_a_line_is_filled_with_the_incidents_own_values_or_left_out() -> None:
    assert filled("restart {service}", 3, "backend") == "restart backend"
    assert filled("incident report {number}", 3, "") == "incident report 3"
    assert filled("restart {service}", 3, "") == ""
