"""Entries of a file become the very lines that the engine's frames become: text, stream, time, cut and joined alike."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.ops.container_logs import LogWindow, log_stream
from bot.ops.container_values import CONTAINER_LOG_LINE_CAP, LogLine
from bot.ops.log_entries import NO_TIME, Between, Entry, LineMaker, exactly, fixed, parse, stamp_of
from tests.bot.ops.log_samples import BEGIN, Said, in_file, on_wire, service, stamp

TEXT = st.text(max_size=12).map(lambda text: text.encode("utf-8", "replace").decode())
SAID = st.lists(
    st.builds(
        Said,
        st.tuples(TEXT, st.sampled_from(["\n", "\n", "", "\r\n"])).map("".join),
        st.sampled_from(["stdout", "stderr"]),
        st.integers(0, 10**9),
    ),
    max_size=12,
)  # fmt: skip


def from_file(said: Sequence[Said]) -> list[LogLine]:
    maker, lines = LineMaker(service()), list[LogLine]()
    for raw in in_file(said).split(b"\n")[:-1]:
        entry = parse(raw)
        assert entry is not None
        lines += maker.feed(entry)
    return lines + list(maker.rest())


async def from_wire(said: Sequence[Said], *, terminal: bool = False) -> list[LogLine]:
    async def chunks() -> object:
        for each in on_wire(said):
            yield each[8:] if terminal else each

    return [line async for line in log_stream(service(terminal=terminal), nullcontext(chunks()), LogWindow())]  # type: ignore[arg-type]


@given(SAID)
async def test_whatever_is_said_comes_out_alike(said: list[Said]) -> None:
    assert from_file(said) == await from_wire(said)


@pytest.mark.parametrize("length", [CONTAINER_LOG_LINE_CAP - 32, CONTAINER_LOG_LINE_CAP - 31, CONTAINER_LOG_LINE_CAP - 30, 200_000])
async def test_long_lines_are_cut_at_the_same_place(length: int) -> None:
    text = "가" + "x" * length
    pieces = [Said(text[at : at + 16_384]) for at in range(0, len(text), 16_384)]
    said = [*pieces, Said("between\n", "stderr"), Said("\n"), Said("after\n")]
    lines = from_file(said)
    assert lines == await from_wire(said)
    assert [line.text for line in lines[::2]] == ["between", "after"]
    assert [line.text for line in from_file([Said(text + "\n")])] == [line.text for line in await from_wire([Said(text + "\n")])]


def test_a_line_of_fifty_megabytes_is_one_line_and_cut() -> None:
    maker, piece = LineMaker(service()), Entry("stdout", stamp(BEGIN * 10**9), b"x" * 16_384)
    assert [line for _ in range(3_200) for line in maker.feed(piece)] == []
    (line,) = maker.feed(Entry("stdout", stamp(BEGIN * 10**9), b"\n"))
    assert (line.truncated, len(line.text)) == (True, CONTAINER_LOG_LINE_CAP - 31)


async def test_with_a_terminal_the_stamps_between_the_pieces_stay_as_the_engine_leaves_them() -> None:
    said = [Said("a"), Said("b\r\n")]
    maker = LineMaker(service(terminal=True))
    lines = [line for raw in in_file(said).split(b"\n")[:-1] for line in maker.feed(parse(raw) or pytest.fail("no entry"))]
    assert lines == await from_wire(said, terminal=True)


@pytest.mark.parametrize(
    ("raw", "entry"),
    [
        (rb'{"log":"a\n","stream":"stdout","time":"2026-01-22T10:00:00Z"}', Entry("stdout", b"2026-01-22T10:00:00.000000000Z", b"a\n")),
        (rb'{"log":"a\n","stream":"stderr","attrs":{"tag":"\",\"x"},"time":"2026-01-22T10:00:00.5Z"}',
         Entry("stderr", b"2026-01-22T10:00:00.500000000Z", b"a\n")),
        (rb'{"log":"\"\",\"stream\":\"x\"\\n","stream":"stdout","time":"2026-01-22T10:00:00.5Z"}',
         Entry("stdout", b"2026-01-22T10:00:00.500000000Z", rb'"","stream":"x"\n')),
        (rb'{"log":"\u003ctag\u003e \ud83d\ude00 \ud800","stream":"stdout","time":"2026-01-22T10:00:00.5Z"}',
         Entry("stdout", b"2026-01-22T10:00:00.500000000Z", "<tag> 😀 \ufffd".encode())),
        (rb'{"time":"2026-01-22T10:00:00.5Z", "stream":"stdout", "log":"b"}', Entry("stdout", b"2026-01-22T10:00:00.500000000Z", b"b")),
        (b'{"log":"a\xff\xfe","stream":"stdout","time":"2026-01-22T10:00:00.5Z"}',
         Entry("stdout", b"2026-01-22T10:00:00.500000000Z", b"a\xff\xfe")),
        (rb'{"log":"no time\n","stream":"stdout"}', Entry("stdout", NO_TIME, b"no time\n")),
        (rb'{"log":"x","stream":"stdin","time":"2026-01-22T10:00:00.5Z"}', None),
        (rb'{"log":"x","stream":"stdout","time":"yesterday"}', None),
        (rb'{"log":7,"stream":"stdout"}', None),
        (rb'{"log":"half', None),
        (b"\0\0\0", None),
        (b"[" * 100_000, None),
        (b"7", None),
    ],
)  # fmt: skip
def test_an_entry_is_read_in_whatever_shape_it_is_written(raw: bytes, entry: Entry | None) -> None:
    assert parse(raw) == entry


def test_stamps_compare_as_times_do() -> None:
    assert fixed(b"2026-01-22T10:00:00.25Z") == b"2026-01-22T10:00:00.250000000Z"
    assert stamp_of(BEGIN + 0.25) == fixed(b"2026-01-22T10:00:00.25Z")
    assert stamp_of(-5) == b"1970-01-01T00:00:00.000000000Z"
    assert stamp_of(1e300) == b"9999-12-31T23:59:59.000000000Z"
    assert exactly("2026-01-22T10:00:00.123456789Z") == f"{BEGIN}.123456789"


def test_a_window_ends_at_the_first_entry_beyond_it_as_the_engines_does() -> None:
    window = Between(BEGIN + 1, BEGIN + 3)
    times = [0, 2, 1, 4, 3]
    assert [window.keep(stamp((BEGIN + time) * 10**9)) for time in times] == [False, True, True, False, False]
    assert window.ended
