"""The files that documents of a dump point to, whatever else the documents hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bson
import pytest

from bot.ops.bson_paths import paths_in
from bot.ops.dump_faults import Damaged


def test_each_path_is_given_and_what_is_none_is_left_out(tmp_path: Path) -> None:
    odd: list[dict[str, Any]] = [
        {"path": "/a/uploads/1.png"},
        {"path": 5},
        {},
        {"far": bson.DatetimeMS(2**60), "path": "/a/uploads/한글.png"},
    ]
    (tmp_path / "x.bson").write_bytes(b"".join(bson.encode(each) for each in odd))
    assert list(paths_in(tmp_path / "x.bson")) == ["/a/uploads/1.png", "/a/uploads/한글.png"]


@pytest.mark.parametrize("cut", [1, 7])
def test_a_file_that_is_cut_off_is_damaged(tmp_path: Path, cut: int) -> None:
    (tmp_path / "x.bson").write_bytes(bson.encode({"path": "/a"})[:-cut])
    with pytest.raises(Damaged):
        list(paths_in(tmp_path / "x.bson"))


def test_a_document_that_is_no_bson_inside_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "x.bson").write_bytes(bson.encode({"path": "/a"}).replace(b"\x02path", b"\x77path"))
    with pytest.raises(Damaged):
        list(paths_in(tmp_path / "x.bson"))
