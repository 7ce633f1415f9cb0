"""Names in the order of their bytes, however many."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from bot.ops.tree_walk import open_below, open_root, sorted_names

NAMES = [b"a", b"a.b", b"a\nb", b"a-", b"\xff", "가".encode(), "\U0001f600".encode(), "\uffff".encode(), b"Z", b"z\n"]


@pytest.mark.parametrize("run", [1, 3, 1000])
def test_names_come_in_the_order_of_their_bytes_also_from_pieces_on_disk(tmp_path: Path, run: int) -> None:
    shuffled = NAMES + [str(number).encode() for number in range(50)]
    random.Random(run).shuffle(shuffled)
    for name in shuffled:
        (tmp_path / os.fsdecode(name)).touch()
    root = open_root(tmp_path)
    try:
        assert [os.fsencode(name) for name in sorted_names(root, "", run)] == sorted(shuffled)
    finally:
        os.close(root)


def test_a_link_to_a_directory_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "file").touch()
    root = open_root(tmp_path)
    try:
        assert [open_below(root, name) for name in ("link", "file", "nothing")] == [None, None, None]
        opened = open_below(root, "real")
        assert opened is not None
        os.close(opened)
    finally:
        os.close(root)
