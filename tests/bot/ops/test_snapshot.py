"""Taking a snapshot: every byte of it, what is shared with the one before, and whatever may happen to the source meanwhile."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.errors import NotFound
from bot.ops import tree_copy
from bot.ops.dump_faults import NoSpace
from bot.ops.snapshot import take
from bot.ops.snapshot_verify import verify
from bot.ops.tree_index import entries
from bot.ops.tree_values import Snapshot, Stopped, TreeFault, TreeMoved
from tests.bot.ops.tree_parts import OLD, fill, look, memory, touch_now, write


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    yield from memory()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return fill(tmp_path / "uploads")


def place(tmp_path: Path, name: str) -> Path:
    """Where a snapshot is to be."""
    (tmp_path / name).mkdir()
    return tmp_path / name / "uploads"


def sound(snapshot: Snapshot) -> bool:
    return verify(snapshot).faults == 0


def test_a_first_snapshot_is_the_source_byte_for_byte(source: Path, tmp_path: Path) -> None:
    result = take(source, target := place(tmp_path, "one"))
    assert look(target) == look(source)
    files = [content for _, _, content in look(source).values() if content is not None]
    assert (result.files, result.bytes) == (len(files), sum(map(len, files)))
    assert (result.new_files, result.new_bytes, result.linked, result.noted) == (result.files, result.bytes, 0, 0)
    assert sound(Snapshot(target))
    assert oct(target.stat().st_mode & 0o777) == "0o700"


def test_what_did_not_change_costs_a_link_and_every_snapshot_is_complete_by_itself(source: Path, tmp_path: Path) -> None:
    take(source, one := place(tmp_path, "one"))
    before = look(one)
    touch_now(source / "videos" / f"videos_{OLD}1_0.png", b"changed")
    (source / "generated" / f"generated_{OLD}2_0.png").unlink()
    write(source / "generated" / "new.png", b"new")
    result = take(source, two := place(tmp_path, "two"), Snapshot(one))
    assert (look(one), look(two)) == (before, look(source))
    assert (result.new_files, result.new_bytes, result.linked) == (2, len(b"changednew"), result.files - 2)
    shared = [name for name in look(two) if (two / os.fsdecode(name)).is_file() and (two / os.fsdecode(name)).stat().st_nlink == 2]
    assert len(shared) == result.linked
    assert sound(Snapshot(one))
    assert sound(Snapshot(two))
    assert len(set(entries(Snapshot(two).index)) - set(entries(Snapshot(one).index))) <= 2 + 2  # and the directories' times


def test_a_change_of_mode_alone_is_a_change(source: Path, tmp_path: Path) -> None:
    take(source, one := place(tmp_path, "one"))
    (source / "generated.txt").chmod(0o600)
    assert take(source, two := place(tmp_path, "two"), Snapshot(one)).new_files == 1
    assert (oct((one / "generated.txt").stat().st_mode), oct((two / "generated.txt").stat().st_mode)) == ("0o100644", "0o100600")


def test_a_file_changed_within_one_tick_of_the_clock_is_not_taken_for_the_old_one(source: Path, tmp_path: Path) -> None:
    young = source / "generated" / "young.png"
    now = time.time()
    write(young, b"before", now)
    take(source, one := place(tmp_path, "one"))
    write(young, b"behind", now)
    result = take(source, two := place(tmp_path, "two"), Snapshot(one))
    assert ((two / "generated" / "young.png").read_bytes(), result.new_files) == (b"behind", 1)
    # Unchanged, it is read again once more, and shared all the same.
    assert take(source, place(tmp_path, "three"), Snapshot(two)).new_files == 0


def test_the_apps_own_working_directories_are_left_alone(source: Path, tmp_path: Path) -> None:
    for name in ("backup-temp", "restore-temp", ".db-tmp-1", "restore-7", ".restoring-a.part", ".before-restore-a"):
        (source / name).mkdir()
        write(source / name / "x", b"x")
    (source / "generated" / "backup-temp").mkdir()
    take(source, target := place(tmp_path, "one"))
    assert {path.name for path in target.iterdir()} == {"generated", "reference", "videos", "empty", ".gitkeep", "generated.txt"}
    assert (target / "generated" / "backup-temp").is_dir(), "only at the top"


def test_links_and_devices_are_named_and_never_followed(source: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    write(outside / "secret", b"secret")
    (source / "link").symlink_to(outside / "secret")
    (source / "directory").symlink_to(outside)
    os.mkfifo(source / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(source / "socket"))
        result = take(source, target := place(tmp_path, "one"))
    assert {(each.remark, each.name) for each in result.noted_first} == {
        ("symlink", "link"),
        ("symlink", "directory"),
        ("fifo", "fifo"),
        ("socket", "socket"),
    }
    assert b"secret" not in {content for _, _, content in look(target).values()}
    assert sound(Snapshot(target))


class Meanwhile:
    """Does something to the source when the named file has just been read, and is not yet known to have stood still."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str, action: Callable[[], object], times: int = 1) -> None:
        self.left = times
        read = tree_copy._read

        def then(opened: int, path: str, size: int) -> bytes:
            piece = read(opened, path, size)
            if path.endswith(name) and self.left:
                self.left -= 1
                action()
            return piece

        monkeypatch.setattr(tree_copy, "_read", then)


def replace(path: Path, content: bytes) -> None:
    other = path.with_name("other")
    write(other, content)
    other.rename(path)


@pytest.mark.parametrize("change", ["grown", "truncated", "replaced"])
def test_a_file_that_changes_while_it_is_copied_is_copied_again(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    path = source / "generated" / f"generated_{OLD}3_0.png"
    actions: dict[str, Callable[[], object]] = {
        "grown": lambda: touch_now(path, path.read_bytes() + b"more"),
        "truncated": lambda: touch_now(path, b"less"),
        "replaced": lambda: replace(path, b"another"),
    }
    Meanwhile(monkeypatch, path.name, actions[change])
    result = take(source, target := place(tmp_path, "one"))
    assert (target / "generated" / path.name).read_bytes() == path.read_bytes()
    assert (result.noted, sound(Snapshot(target))) == (0, True)


def test_a_file_that_never_stands_still_fails_the_snapshot_by_name(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = source / "generated" / f"generated_{OLD}3_0.png"
    Meanwhile(monkeypatch, path.name, lambda: path.write_bytes(path.read_bytes() + b"more"), times=10)
    with pytest.raises(TreeFault) as caught:
        take(source, place(tmp_path, "one"))
    assert (caught.value.key, caught.value.name) == ("snapshot.changing", f"generated/{path.name}")


def test_a_file_deleted_while_it_is_copied_is_left_out_and_told(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = source / "generated" / f"generated_{OLD}3_0.png"
    Meanwhile(monkeypatch, path.name, path.unlink)
    result = take(source, target := place(tmp_path, "one"))
    assert [(each.remark, each.name) for each in result.noted_first] == [("gone", f"generated/{path.name}")]
    assert look(target) == look(source)


def test_a_directory_swapped_for_a_link_meanwhile_leads_nobody_out(source: Path, tmp_path: Path) -> None:
    outside = fill(tmp_path / "outside")
    for number in range(600):
        write(source / "empty" / str(number), b"")

    def swap(_: TreeMoved) -> None:
        """Told in the middle of ``empty``, which comes before the others."""
        if not (tmp_path / "away").exists():
            (source / "generated").rename(tmp_path / "away")
            (source / "generated").symlink_to(outside)

    result = take(source, target := place(tmp_path, "one"), progress=swap)
    assert [(each.remark, each.name) for each in result.noted_first] == [("symlink", "generated")]
    assert not (target / "generated").exists()
    assert sound(Snapshot(target))


def test_a_busy_writer_makes_no_torn_file(source: Path, tmp_path: Path) -> None:
    """A writer replaces and rewrites files of one letter each: whatever is copied is of one letter, and is what its hash says."""
    enough, busy = threading.Event(), source / "generated"
    paths = [busy / f"busy{number}" for number in range(5)]
    for path in paths:
        path.write_bytes(b"a" * 300_000)

    def writer() -> None:
        turn = 0
        while not enough.wait(0.002):
            turn += 1
            replace(paths[turn % 5], bytes([97 + turn % 26]) * (300_000 + turn))

    thread = threading.Thread(target=writer)
    thread.start()
    previous: Snapshot | None = None
    try:
        for number in range(4):
            take(source, target := place(tmp_path, f"s{number}"), previous)
            previous = Snapshot(target)
            assert [len(set((target / "generated" / path.name).read_bytes())) for path in paths] == [1] * 5
            assert sound(previous)
    finally:
        enough.set()
        thread.join()


@pytest.mark.parametrize("number", [errno.EMLINK, errno.EXDEV, errno.EPERM])
def test_where_no_link_can_be_made_files_are_copied(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    take(source, one := place(tmp_path, "one"))

    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuse)
    result = take(source, two := place(tmp_path, "two"), Snapshot(one))
    assert (result.linked, look(two)) == (0, look(source))


def test_a_previous_snapshot_that_is_damaged_is_not_built_upon(source: Path, tmp_path: Path) -> None:
    take(source, one := place(tmp_path, "one"))
    (one / "generated.txt").write_bytes(b"short")
    (one / "generated" / "deep" / "er" / "x.png").unlink()
    result = take(source, two := place(tmp_path, "two"), Snapshot(one))
    assert (look(two), result.new_files) == (look(source), 2)
    assert [(each.remark, each.name) for each in result.noted_first] == [("previous_damaged", "generated.txt")]
    with Snapshot(two).index.open("r+b") as index:
        index.truncate(500)
    result = take(source, three := place(tmp_path, "three"), Snapshot(two))
    assert (look(three), result.linked, result.noted_first[0].remark) == (look(source), 0, "previous_unusable")


def test_a_source_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        take(tmp_path / "nothing", place(tmp_path, "one"))


def test_it_ends_early_when_somebody_wants_it_to(source: Path, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        take(source, place(tmp_path, "one"), cancelled=lambda: True)


def test_a_disk_that_is_full_at_any_write_is_said_and_harms_no_other_snapshot(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(source, one := place(tmp_path, "one"))
    touch_now(source / "generated.txt", b"changed")
    made = {name: getattr(os, name) for name in ("write", "mkdir", "link")}
    descriptors, left = len(os.listdir("/proc/self/fd")), 0  # noqa: PTH208 - only how many

    def full(name: str) -> Callable[..., object]:
        def once(*arguments: object, **options: object) -> object:
            nonlocal left
            left -= 1
            if left == 0:
                raise OSError(errno.ENOSPC, "full")
            return made[name](*arguments, **options)

        return once

    for name in made:
        monkeypatch.setattr(os, name, full(name))
    for point in range(1, 100):
        left, target = point, place(tmp_path, f"p{point}")
        with contextlib.suppress(NoSpace):
            take(source, target, Snapshot(one))
            break
    left = 0
    assert 15 < point < 99
    assert sound(Snapshot(one))
    assert len(os.listdir("/proc/self/fd")) == descriptors  # noqa: PTH208 - only how many
