"""Pictures are opened by a child process: broken ones, huge ones and those that kill it cost only themselves."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bot.errors import NotFound
from bot.ops.images import decode
from bot.sandbox.png import picture, png

GOOD = png(picture(1), "x")
# Dies at any name with "bad" in it, as a decoder with a fault would.
MORTAL = """
import os, sys
names = sys.stdin.buffer.read().split(b"\\0")
print("ready", flush=True)
for name in names:
    if b"bad" in name:
        os.abort()
    print("image", flush=True)
"""


def written(folder: Path, **contents: bytes) -> list[Path]:
    paths = [folder / name.replace("_", ".") for name in contents]
    for path, content in zip(paths, contents.values(), strict=True):
        path.write_bytes(content)
    return paths


async def test_each_file_gets_its_word(tmp_path: Path) -> None:
    told: list[int] = []
    paths = written(
        tmp_path,
        good_png=GOOD,
        named_jpg=GOOD,
        noname=GOOD,
        cut_png=GOOD[: len(GOOD) // 2],
        text_png=b"no picture",
        empty_webp=b"",
        clip_mp4=b"\0\0\0 ftypisom",
        bomb_png=png(b"", "x", 60_000, 60_000),
        big_png=png(b"", "x", 9_000, 9_000),
    )
    found = await decode(paths, told.append)
    assert found == ("image", "image", "image", "broken", "broken", "broken", "other", "large", "large")
    assert told == list(range(1, 10))


async def test_names_of_any_bytes_are_found(tmp_path: Path) -> None:
    path = tmp_path / "new\nline \udcff.png"
    path.write_bytes(GOOD)
    assert await decode([path], lambda done: None) == ("image",)


async def test_a_file_that_kills_the_child_is_broken_and_the_others_are_opened_all_the_same(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("1", "bad", "3", "bad-too")]
    assert await decode(paths, lambda done: None, (sys.executable, "-c", MORTAL)) == ("image", "broken", "image", "broken")


async def test_a_machine_that_cannot_open_any_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="Pillow"):
        await decode([tmp_path / "x.png"], lambda done: None, (sys.executable, "-c", "import no_such_library"))


async def test_the_child_sees_no_setting_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGODB_URI", "mongodb://a:secret@h")
    look = "import os, sys; sys.stdin.read(); print('ready'); print(','.join(sorted(os.environ)))"
    (names,) = await decode([tmp_path / "x"], lambda done: None, (sys.executable, "-c", look))
    assert set(names.split(",")) <= {"LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "TMPDIR"}
