"""Passing over lines changes nothing: the groups are those of a grouper that was fed every line, however the log is cut."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ops.error_log import ErrorGroup, ErrorGrouper
from bot.ops.log_candidates import candidates, looked_through
from bot.ops.log_chunks import FileChunk
from bot.ops.log_entries import Between, LineMaker, parse
from bot.ops.log_errors import ErrorFinder
from bot.ops.log_frames import FrameChunker
from tests.bot.ops.log_samples import BEGIN, Said, in_file, on_wire, service

TEXTS = (
    "Error: one\n", "Error: one 2\n", "    at here (/app/a.js:1:1)\n", "\tat there\n", "}\n", "Job 3 is waiting\n", "usual\n",
    "TypeError: x\n",
    "prompt: 'Error: no'\n", "  note: ❌ Error: no\n", "❌ 실패\n", '1.1.1.1 - - [x] "GET / HTTP/1.1" 502 7\n', "x" * 9_000 + "\n", "\n",
    "Error: long " + "y" * 9_000 + "\n", "ValidationError: ERR_ERL_PERMISSIVE_TRUST_PROXY\n",
)  # fmt: skip
LONG = (
    ["z" * 16_384, "Error: not the beginning " + "z" * 16_359, "Error: nor this\n"],
    ["Error: begins " + "z" * 16_370, "ECONNREFUSED rest\n"],
)


def told(every: Sequence[Said], since: float | None = None) -> tuple[ErrorGroup, ...]:
    """By reading every line."""
    grouper, maker, window = ErrorGrouper(), LineMaker(service()), Between(since, None)
    for raw in in_file(every).split(b"\n")[:-1]:
        entry = parse(raw)
        if entry is not None and window.keep(entry.stamp):
            for line in maker.feed(entry):
                grouper.feed(line)
    for line in maker.rest():
        grouper.feed(line)
    return grouper.groups(known=True)


def found_in_file(every: Sequence[Said], lines_each: int, since: float | None = None) -> tuple[ErrorGroup, ...]:
    grouper = ErrorGrouper()
    finder = ErrorFinder(service(), grouper, Between(since, None))
    for at in range(0, len(every), lines_each):
        data = in_file(every[at : at + lines_each])
        looked = looked_through(data, len(data))
        assert looked.hits == candidates(data)
        finder.take(FileChunk(data, len(data), looked.places), looked.hits)
    finder.close()
    return grouper.groups(known=True)


def found_on_wire(every: Sequence[Said], step: int, since: float | None = None) -> tuple[ErrorGroup, ...]:
    grouper = ErrorGrouper()
    finder, frames, data = ErrorFinder(service(), grouper, Between(since, None)), FrameChunker(), b"".join(on_wire(every))
    for at in range(0, len(data), step):
        chunk = frames.feed(data[at : at + step])
        if chunk is not None:
            finder.take(chunk, candidates(chunk.data))
    finder.close()
    return grouper.groups(known=True)


def a_log(seed: int, count: int = 120) -> list[Said]:
    dice, every = random.Random(seed), list[Said]()
    while len(every) < count:
        stream = dice.choice(["stdout", "stdout", "stderr"])
        texts = dice.choice(LONG) if dice.random() < 0.05 else [dice.choice(TEXTS)]
        every += [Said(text, stream, len(every) * 1_000_000 + number) for number, text in enumerate(texts)]
    return every


@pytest.mark.parametrize("seed", range(40))
def test_the_groups_are_those_of_every_line(seed: int) -> None:
    every, dice = a_log(seed), random.Random(seed)
    since = BEGIN + 0.03 if seed % 3 == 0 else None
    assert found_in_file(every, dice.choice([1, 7, 50, 500]), since) == told(every, since)
    assert found_on_wire(every, dice.choice([1_000, 20_000, 1 << 20]), since) == told(every, since)


@given(st.lists(st.tuples(st.sampled_from(TEXTS), st.sampled_from(["stdout", "stderr"])), max_size=12), st.integers(1, 5))
def test_any_order_of_lines_gives_the_same(pairs: list[tuple[str, str]], lines_each: int) -> None:
    every = [Said(text, stream, number) for number, (text, stream) in enumerate(pairs)]
    assert found_in_file(every, lines_each) == found_on_wire(every, 100) == told(every)


def test_what_is_passed_over_is_not_fed() -> None:
    grouper = ErrorGrouper()
    data = in_file([Said("usual\n")] * 1_000 + [Said("Error: x\n"), Said("    at y\n"), Said("usual\n")] + [Said("usual\n")] * 1_000)
    ErrorFinder(service(), grouper, Between(None, None)).take(FileChunk(data, len(data)), candidates(data))
    assert grouper.lines == 2


def test_lines_that_are_no_entries_are_passed_over() -> None:
    grouper, data = ErrorGrouper(), b"Error: bare\n" + in_file([Said("Error: x\n", "stderr")]) + b'"stream":"stderr" Error\n\0\n'
    finder = ErrorFinder(service(), grouper, Between(None, None))
    finder.take(FileChunk(data, len(data)), candidates(data))
    assert [group.count for group in grouper.groups()] == [1]
