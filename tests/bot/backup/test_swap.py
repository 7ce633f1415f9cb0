"""One backup takes the place of another, and a crash at any point leaves one of the two there."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.backup.swap import finish, put
from bot.errors import OutsideError

NAME = "2026-01-22T10-00-00Z"


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A directory with an old one in its place, and a new one that arrived."""
    for folder, content in ((tmp_path / "shelf" / NAME, "old"), (tmp_path / "shelf" / ".making-x" / NAME, "new")):
        folder.mkdir(parents=True)
        (folder / "file").write_text(content)
    return tmp_path / "shelf"


def standing(shelf: Path) -> str:
    assert sorted(entry.name for entry in shelf.iterdir() if not entry.name.startswith(".making-")) == [NAME]
    return (shelf / NAME / "file").read_text()


def test_the_new_one_takes_the_place_and_the_old_one_goes(shelf: Path) -> None:
    put(shelf / ".making-x" / NAME, shelf)
    assert standing(shelf) == "new"


def test_what_was_only_put_aside_comes_back(shelf: Path) -> None:
    (shelf / NAME).rename(shelf / f".replaced-{NAME}")
    finish(shelf)
    assert standing(shelf) == "old"


def test_what_was_replaced_goes_when_the_next_work_begins(shelf: Path) -> None:
    (shelf / NAME).rename(shelf / f".replaced-{NAME}")
    (shelf / ".making-x" / NAME).rename(shelf / NAME)
    finish(shelf)
    assert standing(shelf) == "new"


def test_when_the_place_cannot_be_taken_the_old_one_stays(shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = Path.rename

    def refused(path: Path, target: Path) -> Path:
        if ".making-x" in path.parts:
            raise PermissionError(13, "no")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refused)
    with pytest.raises(OutsideError):
        put(shelf / ".making-x" / NAME, shelf)
    assert standing(shelf) == "old"
