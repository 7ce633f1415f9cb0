"""Files beside documents: both kinds of orphans are counted and the first named."""

from __future__ import annotations

from pathlib import Path

from bot.ops.snapshot import take
from bot.ops.snapshot_compare import compare_with_documents, names_in
from bot.ops.tree_values import Snapshot
from tests.bot.ops.tree_parts import fill


def test_both_sides_are_compared_as_sets_would_be() -> None:
    files = [f"generated/{number}.png" for number in range(0, 3000, 2)]
    documents = [f"generated/{number}.png" for number in range(0, 3000, 3)] + ["generated/0.png"]
    found = compare_with_documents(lambda: iter(files), iter(documents), first=3)
    assert (found.files, found.documents) == (1500, 1001)
    assert (found.unowned, found.broken) == (len(set(files) - set(documents)), len(set(documents) - set(files)))
    assert found.unowned_first == ("generated/2.png", "generated/4.png", "generated/8.png")
    assert found.broken_first == ("generated/3.png", "generated/9.png", "generated/15.png")


def test_the_names_are_those_of_the_index_byte_for_byte(tmp_path: Path) -> None:
    source = fill(tmp_path / "uploads")
    snapshot = Snapshot(tmp_path / "copy")
    take(source, snapshot.tree)
    names = [str(path.relative_to(source)) for path in source.rglob("*") if path.is_file() and path.name != ".gitkeep"]
    found = compare_with_documents(lambda: names_in(snapshot), names)
    assert (found.files, found.unowned, found.broken) == (len(names), 0, 0)
    assert any("\udcff" in name for name in names)
