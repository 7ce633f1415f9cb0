"""A small document that is there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import OutsideError
from bot.ops.small_record import SmallRecord


def test_what_was_written_is_read_and_gone_when_cleared(tmp_path: Path) -> None:
    record = SmallRecord(tmp_path / "deep" / "one.json")
    assert record.read() is None
    record.write({"a": 1})
    record.write({"a": 2})
    assert record.read() == {"a": 2}
    assert record.path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in record.path.parent.iterdir()] == ["one.json"]
    record.clear()
    record.clear()
    assert record.read() is None


def test_what_a_killed_writer_left_beside_it_is_in_nobodys_way(tmp_path: Path) -> None:
    record = SmallRecord(tmp_path / "one.json")
    for name in (".one.json", ".one.json.part"):
        (tmp_path / name).write_text("half")
    record.write({"a": 1})
    assert record.read() == {"a": 1}


@pytest.mark.parametrize("content", ["{", "[]", '"x"'])
def test_nonsense_is_told_with_its_place_and_is_never_taken_for_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "one.json").write_text(content)
    with pytest.raises(OutsideError) as raised:
        SmallRecord(tmp_path / "one.json").read()
    assert raised.value.values["path"] == str(tmp_path / "one.json")
