"""Files on their way to Discord: packed when large, cut when still too large, told about when they are gone."""

from __future__ import annotations

import gzip
import random
from dataclasses import replace
from pathlib import Path

from bot.connectors.discord_embeds import Rendered, render
from bot.connectors.discord_files import LARGEST, load, without_missing
from bot.connectors.discord_wire import Upload
from bot.model import Attachment, Reply
from bot.words import Words

WORDS = Words("en")


def loaded(path: Path, data: bytes | None) -> tuple[str, bytes]:
    if data is not None:
        path.write_bytes(data)
    (file,) = load(Rendered({}, (), (Attachment(path.name, path),)), WORDS)
    return file.name, file.data


def test_a_file_goes_out_as_it_is(tmp_path: Path) -> None:
    assert loaded(tmp_path / "a.txt", b"hello\n") == ("a.txt", b"hello\n")


def test_a_large_file_is_packed(tmp_path: Path) -> None:
    name, content = loaded(tmp_path / "a.log", b"line\n" * 3_000_000)
    assert name == "a.log.gz"
    assert gzip.decompress(content) == b"line\n" * 3_000_000


def test_what_is_too_large_even_packed_is_cut_and_says_so(tmp_path: Path) -> None:
    name, content = loaded(tmp_path / "a.bin", random.Random(1).randbytes(LARGEST + 100_000))
    assert (name, len(content)) == ("a.bin", LARGEST)
    assert content.endswith(b"too large; only this much is sent)\n")


def test_a_file_that_is_gone_is_told_about(tmp_path: Path) -> None:
    name, content = loaded(tmp_path / "a.txt", None)
    assert name == "a.txt.txt"
    assert b"a.txt" in content


def test_a_text_becomes_a_file() -> None:
    assert load(Rendered({}, (("whole.txt", "가\ud800"),)), WORDS) == [Upload("whole.txt", "가?".encode())]


def picture(path: Path, alt: str = "CPU 44%") -> Attachment:
    return Attachment(path.name, path, "image/png", alt)


def test_a_picture_is_described_within_what_discord_takes(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"png")
    (file,) = load(Rendered({}, (), (picture(tmp_path / "a.png"),)), WORDS)
    assert file == Upload("a.png", b"png", "CPU 44%")
    (long,) = load(Rendered({}, (), (picture(tmp_path / "a.png", "가\x1b[31m" * 2_000),)), WORDS)
    assert 900 < len(long.description) <= 1_024
    assert "\x1b" not in long.description


def test_a_message_does_not_show_a_picture_that_is_gone(tmp_path: Path) -> None:
    (tmp_path / "there.png").write_bytes(b"png")
    reply = Reply("t", "text", files=(picture(tmp_path / "gone.png"), picture(tmp_path / "there.png"), picture(tmp_path / "gone2.png")))
    rendered = render(reply, WORDS)
    shown = without_missing(rendered.body, load(rendered, WORDS))
    assert [embed.get("image") for embed in shown["embeds"]] == [None, {"url": "attachment://there.png"}]
    assert shown["embeds"][0]["description"] == "text"
    assert without_missing(render(replace(reply, text=""), WORDS).body, ())["embeds"] == []
