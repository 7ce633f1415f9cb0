"""The errors of an answer are found however it comes, and no more is asked for than is wanted."""

from __future__ import annotations

import pytest

from bot.ops.container_frames import FrameError
from bot.ops.error_log import ErrorGrouper
from bot.ops.log_entries import Between
from bot.ops.log_errors import ErrorFinder
from bot.ops.log_frames import Resume
from bot.ops.log_on_wire import ErrorsOnWire
from bot.ops.log_position import LogPosition
from tests.bot.ops.log_samples import chunked, on_wire, service
from tests.bot.ops.test_log_errors import a_log, told


def on_the_wire(resume: Resume) -> tuple[ErrorsOnWire, ErrorGrouper]:
    grouper = ErrorGrouper()
    return ErrorsOnWire(ErrorFinder(service(), grouper, Between(None, None)), resume), grouper


@pytest.mark.parametrize("step", [100, 5_000, 1 << 20])
@pytest.mark.parametrize("seed", range(4))
def test_the_groups_are_those_of_every_line(seed: int, step: int) -> None:
    every = a_log(seed)
    found, grouper = on_the_wire(Resume(None))
    answer = chunked(*on_wire(every))
    for at in range(0, len(answer), step):
        found.feed(answer[at : at + step])
    assert found.ended
    found.close()
    assert grouper.groups(known=True) == told(every)
    anchor = found.recent.anchor()
    assert anchor is not None
    assert anchor.seen == len(every)


def test_an_answer_that_ends_inside_a_frame_is_no_answer() -> None:
    found, _ = on_the_wire(Resume(None))
    found.feed(chunked(b"\1\0\0\0\0\0\0\x20half"))
    with pytest.raises(FrameError):
        found.close()


def test_it_wants_no_more_once_the_newest_entries_turn_out_too_few() -> None:
    after = LogPosition("c1", "api", since="2026", seen=1, seen_mark="another", last="2026")
    found, grouper = on_the_wire(Resume(after, whole=False))
    found.feed(chunked(*on_wire(a_log(1)))[:-5])
    assert found.ended
    found.close()
    assert grouper.groups(known=True) == ()
