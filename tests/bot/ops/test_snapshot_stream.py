"""Snapshots out of tar streams: the same as from the directory itself, and nothing hostile gets in."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.ops.snapshot_stream import take_from
from bot.ops.snapshot_verify import verify
from bot.ops.tree_values import Snapshot, TreeFault
from tests.bot.ops.tree_parts import fill, look, memory, touch_now, write


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    yield from memory()


def archived(directory: Path) -> bytes:
    """As an engine sends it: the directory first, then by the bytes of the names."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        archive.add(directory, arcname="uploads")
    return buffer.getvalue()


def chunked(content: bytes, size: int = 1000) -> Iterator[bytes]:
    return (content[at : at + size] for at in range(0, len(content), size))


def made(*members: tarfile.TarInfo) -> bytes:
    """A stream of our own making."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(bytes(member.size)))
    return buffer.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, **values: object) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    for key, value in values.items():
        setattr(info, key, value)
    return info


ROOT = member("uploads", tarfile.DIRTYPE, mode=0o755)


def test_out_of_a_stream_comes_what_is_in_the_directory_and_what_is_unchanged_is_linked(tmp_path: Path) -> None:
    source = fill(tmp_path / "uploads")
    (source / "backup-temp").mkdir()
    write(source / "backup-temp" / "x", b"x")
    first = take_from(chunked(archived(source)), tmp_path / "one")
    assert verify(Snapshot(tmp_path / "one")).faults == 0
    touch_now(source / "generated.txt", b"changed")
    (source / "videos" / "new").mkdir()
    second = take_from(chunked(archived(source)), tmp_path / "two", Snapshot(tmp_path / "one"))
    assert (second.new_files, second.linked, second.noted) == (1, first.files - 1, 0)
    (source / "backup-temp" / "x").unlink()
    (source / "backup-temp").rmdir()
    ours, theirs = look(tmp_path / "two"), look(source)
    assert ours.pop(b"generated.txt")[2] == theirs.pop(b"generated.txt")[2] == b"changed"
    assert ours == theirs


HOSTILE = {
    "dots": (ROOT, member("uploads/../x")),
    "absolute": (ROOT, member("/etc/x")),
    "elsewhere": (ROOT, member("other/x")),
    "beginning alike": (ROOT, member("uploads2/x")),
    "no directory first": (member("uploads"),),
    "a root that leads out": (member("..", tarfile.DIRTYPE),),
    "an empty part": (ROOT, member("uploads/a//b")),
    "a file below a file": (ROOT, member("uploads/a"), member("uploads/a/b")),
    "a file below a link": (ROOT, member("uploads/a", tarfile.SYMTYPE, linkname="/etc"), member("uploads/a/b")),
    "the same name twice": (ROOT, member("uploads/a"), member("uploads/a")),
    "out of order": (ROOT, member("uploads/b"), member("uploads/a")),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_stream_is_refused_and_writes_nothing_outside(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(TreeFault) as caught:
        take_from([made(*HOSTILE[name])], tmp_path / "in" / "one")
    assert caught.value.key == "snapshot.unsafe_name"
    assert {path.name for path in tmp_path.iterdir()} == {"in"}
    assert {path.name for path in (tmp_path / "in").iterdir()} <= {"one", "one.jsonl"}


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_a_stream_that_is_cut_off_is_no_snapshot(tmp_path: Path, share: float) -> None:
    content = archived(fill(tmp_path / "uploads")).rstrip(b"\0")
    with pytest.raises(TreeFault):
        take_from(chunked(content[: int(len(content) * share) // 512 * 512]), tmp_path / "one")


def test_cut_off_between_two_files_is_cut_off_as_well(tmp_path: Path) -> None:
    content = made(ROOT, member("uploads/a", size=512), member("uploads/b", size=512))
    with pytest.raises(TreeFault):
        take_from([content[: 512 * 3]], tmp_path / "one")


def test_links_and_devices_in_a_stream_are_named_and_not_made(tmp_path: Path) -> None:
    kinds = {"a": tarfile.SYMTYPE, "b": tarfile.LNKTYPE, "c": tarfile.CHRTYPE, "d": tarfile.FIFOTYPE}
    stream = made(ROOT, *(member(f"uploads/{name}", kind, linkname="/etc/passwd") for name, kind in kinds.items()))
    result = take_from([stream], tmp_path / "one")
    assert [(each.name, each.remark) for each in result.noted_first] == [("a", "symlink"), ("b", "special"), ("c", "device"), ("d", "fifo")]
    assert list((tmp_path / "one").iterdir()) == []
