"""Where a stream's entries are is the same whether it says much or little, and wherever one asks first."""

from __future__ import annotations

import random

import pytest

from bot.ops.log_candidates import looked_through
from bot.ops.log_chunks import LOOK_BACK, NOWHERE, FileChunk
from bot.ops.log_entries import parse
from tests.bot.ops.log_samples import Said, in_file


def a_stretch(seed: int, rare: float) -> list[Said]:
    """Lines of the first stream, and now and then one of the second, which may not end its line."""
    dice = random.Random(seed)
    texts = [("x" * dice.randrange(300), "stderr" if dice.random() < rare else "stdout") for _ in range(200)]
    return [Said(text + dice.choice(["\n", "\n", "\n", "\\n", ""]), stream, number) for number, (text, stream) in enumerate(texts)]


@pytest.mark.parametrize("rare", [0.0, 0.005, 0.03, 0.5, 1.0])
@pytest.mark.parametrize("seed", range(6))
def test_the_next_and_the_one_before_are_found_however_far_away(seed: int, rare: float) -> None:
    said = a_stretch(seed, rare)
    data, starts = in_file(said), [0]
    for each in said:
        starts.append(starts[-1] + len(in_file([each])))
    of_stream: dict[str, list[int]] = {"stdout": [], "stderr": []}
    for start, each in zip(starts, said, strict=False):
        of_stream[each.stream].append(start)
    dice = random.Random(seed)
    known = looked_through(data, len(data)).places
    assert known == {stream: known[stream] for stream, every in of_stream.items() if len(every) <= 16}
    asked, chunk = dice.sample(starts, len(starts)), FileChunk(data, len(data), known if seed % 2 else None)
    for start in asked:
        for stream, every in of_stream.items():
            assert chunk.next_of(stream, start) == min((each for each in every if each >= start), default=NOWHERE)
            expected = max((each for each in every if each < start), default=NOWHERE)
            found = chunk.before(stream, start, far=True)
            assert (found is None) == (expected == NOWHERE)
            if found:
                assert found.finished == said[starts.index(expected)].text.endswith("\n")
                assert found.finished or found.start == expected
            near = chunk.before(stream, start)
            assert near in (found, None)
            assert near == found or start - expected > LOOK_BACK - 500


def test_a_line_in_an_unusual_shape_is_the_same_entry() -> None:
    usual = in_file([Said('say "x"\tand \\n\\" \\ 가\n', "stderr", 123_456_789)]).rstrip(b"\n")
    log, rest = usual.split(b',"stream"')
    assert parse(usual) == parse(usual.replace(b'{"log"', b'{ "log"', 1)) == parse(log + b',"attrs":{},"stream"' + rest)
