"""The uploads directory: kinds, sizes, ages; an empty placeholder is seen for what it is, and a walk ends in time."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from bot.errors import Denied, NotFound, OutsideError, Rejected
from bot.ops import uploads
from bot.ops.uploads import Amount, Presence, Uploads, measure, presence, translate, within_uploads

NOW = 1_800_000_000.0
DAY = 86400.0


def put(root: Path, name: str, size: int, days: float) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    os.utime(path, (NOW - days * DAY, NOW - days * DAY))


def test_files_are_counted_by_kind_and_age(tmp_path: Path) -> None:
    put(tmp_path, "generated/a.png", 10, 0.5)
    put(tmp_path, "generated/deep/b.png", 20, 5)
    put(tmp_path, "generated/c.png", 30, 400)
    put(tmp_path, "reference/d.jpg", 5, 20)
    put(tmp_path, "videos/e.mp4", 7, 60)
    put(tmp_path, "backup-temp/f.zip", 1, 0)
    put(tmp_path, "restore-temp/g.zip", 1, 0)
    put(tmp_path, "stray.txt", 2, 0)
    usage = measure(tmp_path, 10, NOW)
    kinds = {kind.kind: kind for kind in usage.kinds}
    assert {name: (kind.total.count, kind.total.bytes) for name, kind in kinds.items()} == {
        "generated": (3, 60),
        "reference": (1, 5),
        "videos": (1, 7),
        "temp": (2, 2),
        "other": (1, 2),
    }
    none = Amount(0, 0)
    assert kinds["generated"].by_age == {"7d": Amount(2, 30), "30d": none, "90d": none, "older": Amount(1, 30)}
    assert (kinds["generated"].oldest_at, kinds["generated"].newest_at) == (NOW - 400 * DAY, NOW - 0.5 * DAY)
    assert (usage.total, usage.placeholder, usage.partial, usage.unreadable) == (Amount(8, 76), False, False, 0)


def test_a_directory_of_nothing_but_gitkeep_is_a_placeholder_and_an_empty_one_is_just_empty(tmp_path: Path) -> None:
    (tmp_path / "generated").mkdir()
    assert not measure(tmp_path, 10, NOW).placeholder
    put(tmp_path, "generated/.gitkeep", 0, 0)
    usage = measure(tmp_path, 10, NOW)
    assert (usage.placeholder, usage.total) == (True, Amount(0, 0))
    put(tmp_path, "generated/a.png", 1, 0)
    assert not measure(tmp_path, 10, NOW).placeholder


def test_links_are_not_followed_out_of_the_directory(tmp_path: Path) -> None:
    put(tmp_path, "elsewhere/big", 1000, 0)
    inside = tmp_path / "uploads"
    put(inside, "generated/a.png", 1, 0)
    (inside / "generated" / "link").symlink_to(tmp_path / "elsewhere" / "big")
    (inside / "loop").symlink_to(inside)
    assert measure(inside, 10, NOW).total == Amount(1, 1)


def test_a_walk_that_takes_too_long_says_that_it_saw_only_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LOOK_AT_CLOCK_EVERY", 10)
    for number in range(50):
        put(tmp_path, f"generated/{number}.png", 1, 0)
    usage = measure(tmp_path, -1, NOW)
    assert usage.partial
    assert 0 < usage.total.count < 50
    assert not usage.placeholder


def test_directories_without_files_take_their_time_too(tmp_path: Path) -> None:
    for number in range(uploads.LOOK_AT_CLOCK_EVERY):
        (tmp_path / f"empty{number}").mkdir()
    assert measure(tmp_path, -1, NOW).partial


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("/app/uploads/generated/a.png", ("/app/uploads", "generated/a.png")),
        ("/uploads/videos/b.mp4", ("/uploads", "videos/b.mp4")),
        ("/app/uploads/../../etc/passwd", ("", "")),
        ("/app/uploads//etc/passwd", ("", "")),
        ("/app/uploads/", ("", "")),
        ("/elsewhere/a.png", ("", "")),
        ("/app/uploads/a\0b", ("", "")),
    ],
)
def test_a_path_of_the_backend_is_read_as_one_below_its_uploads_and_never_leads_out(path: str, parts: tuple[str, str]) -> None:
    assert within_uploads(path) == parts


def test_files_that_documents_name_are_looked_for_here(tmp_path: Path) -> None:
    put(tmp_path, "generated/a.png", 1, 0)
    paths = [f"/app/uploads/generated/{name}.png" for name in ("a", "b", "c")]
    assert presence(tmp_path, [*paths, "/elsewhere/d.png"], 5) == Presence(3, 2, "/app/uploads")
    assert presence(tmp_path, paths, -1) == Presence(0, 0, "")
    with pytest.raises(FileNotFoundError):
        presence(tmp_path / "none", paths, 5)


async def test_a_directory_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    adapter = Uploads(tmp_path / "none")
    with pytest.raises(NotFound):
        await adapter.usage()
    adapter.close()


async def test_the_adapter_measures_against_the_clock(tmp_path: Path) -> None:
    put(tmp_path, "generated/a.png", 3, 0)
    os.utime(tmp_path / "generated/a.png", (time.time(), time.time()))
    adapter = Uploads(tmp_path)
    usage = await adapter.usage(5)
    adapter.close()
    assert usage.kinds[0].by_age["7d"] == Amount(1, 3)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (PermissionError(13, "no"), Denied),
        (FileNotFoundError(2, "no"), NotFound),
        (NotADirectoryError(20, "no"), NotFound),
        (OSError(5, "I/O error"), Rejected),
    ],
)
def test_what_an_error_means_is_told_apart(error: Exception, kind: type[OutsideError]) -> None:
    assert type(translate(error, 1)) is kind
