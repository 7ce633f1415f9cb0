"""Bisecting finds what reading everything would find; the newest entries are counted over all files."""

from __future__ import annotations

import gzip
import random
from contextlib import ExitStack
from pathlib import Path

import pytest

from bot.ops.log_entries import Between
from bot.ops.log_file_reading import lines
from bot.ops.log_files import opened
from bot.ops.log_spans import spans
from tests.bot.ops.log_samples import BEGIN, SECOND, Said, in_file, kept, service

COUNT = 6_000


def said(seed: int = 1) -> list[Said]:
    """Over ten minutes, nearly in order."""
    dice = random.Random(seed)
    moments = [number * 100_000_000 + dice.randrange(-400_000_000, 400_000_000) for number in range(4, COUNT)]
    return [Said(f"line {at} {'x' * dice.randrange(300)}\n", dice.choice(["stdout", "stderr"]), max(0, at)) for at in moments]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three files, the oldest packed."""
    path, entries = tmp_path_factory.mktemp("log") / "c-json.log", said()
    path.with_name(path.name + ".2.gz").write_bytes(gzip.compress(in_file(entries[:2_000])))
    path.with_name(path.name + ".1").write_bytes(in_file(entries[2_000:4_000]))
    path.write_bytes(in_file(entries[4_000:]) + b'{"log":"half wri')
    return path


def read(path: Path, since: float | None, until: float | None, tail: int = 0) -> tuple[list[str], int]:
    with ExitStack() as stack:
        files = opened(path)
        for file in files:
            stack.callback(file.close)
        batches = list(lines(service(), spans(files, since, until, tail), Between(since, until)))
        return [line.text + "\n" for _, made in batches for line in made], sum(count for count, _ in batches)


def wanted(since: float | None, until: float | None, tail: int = 0) -> list[str]:
    first = -(1 << 62) if since is None else round((since - BEGIN) * SECOND)
    last = 1 << 62 if until is None else round((until - BEGIN) * SECOND)
    return [each.text for each in kept(said()[-tail:] if tail else said(), first, last)]


@pytest.mark.parametrize(
    ("since", "until"),
    [(None, None), (0, None), (None, 300), (200, 201), (199.5, 400.25), (0, 1), (598, 700),
     (1e4, 2e4), (-5e8, -4e8), (300, 200), (None, 200), (400, None)],
)  # fmt: skip
def test_a_window_holds_what_reading_everything_would_give(log: Path, since: float | None, until: float | None) -> None:
    begin, end = None if since is None else BEGIN + since, None if until is None else BEGIN + until
    assert read(log, begin, end)[0] == wanted(begin, end)


def test_a_window_costs_what_it_holds_and_some_room(log: Path) -> None:
    everything = read(log, None, None)[1]
    assert read(log, BEGIN + 500, BEGIN + 501)[1] < everything / 8


@pytest.mark.parametrize("tail", [1, 2, 1_999, 2_000, 2_001, 5_000, 5_996, 9_999])
def test_the_newest_are_counted_over_all_files_and_then_the_window_is_taken(log: Path, tail: int) -> None:
    assert read(log, None, None, tail)[0] == wanted(None, None, tail)
    assert read(log, BEGIN + 450, BEGIN + 550, tail)[0] == wanted(BEGIN + 450, BEGIN + 550, tail)


def test_an_empty_log_has_nothing_in_any_window(tmp_path: Path) -> None:
    (tmp_path / "c-json.log").touch()
    assert read(tmp_path / "c-json.log", BEGIN, None)[0] == []
    assert read(tmp_path / "c-json.log", None, None, 5)[0] == []


def test_lines_that_are_no_entries_do_not_mislead(tmp_path: Path) -> None:
    good = said()[:1_000]
    (tmp_path / "c-json.log").write_bytes(b"\0" * 70_000 + b"\n" + in_file(good[:500]) + b"nonsense\n" * 20_000 + in_file(good[500:]))
    assert len(read(tmp_path / "c-json.log", None, None)[0]) == 1_000
    since = BEGIN + 60
    assert read(tmp_path / "c-json.log", since, None)[0] == [each.text for each in good if each.after >= 60 * SECOND]
