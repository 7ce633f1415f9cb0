"""What is read ahead never touches what is still being judged, also where one file ends and the next begins."""

from __future__ import annotations

from collections import deque
from contextlib import ExitStack
from pathlib import Path

import pytest

from bot.ops import log_file_reading
from bot.ops.log_file_reading import stretches
from bot.ops.log_files import opened
from bot.ops.log_spans import spans
from tests.bot.ops.log_samples import Said, in_file


@pytest.mark.parametrize("files", [1, 2, 3, 4])
@pytest.mark.parametrize("stretches_each", [1, 2, 3])
def test_a_stretch_stays_as_it_is_while_the_next_two_are_read(
    tmp_path: Path, files: int, stretches_each: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_file_reading, "SCANNED", 4_096)
    for number in range(files):
        name = "c-json.log" + (f".{number}" if number else "")
        said = [Said(f"Error: file {number} line {line} {'x' * 1_000}\n", after=line) for line in range(3 * stretches_each)]
        (tmp_path / name).write_bytes(in_file(said))
    with ExitStack() as stack:
        every = opened(tmp_path / "c-json.log")
        for file in every:
            stack.callback(file.close)
        ahead, lasting = stretches(spans(every, None, None)), deque[tuple[bytearray, bytes]](maxlen=3)
        seen = 0
        for data, size in ahead:
            lasting.append((data, bytes(data[:size])))
            assert all(each.startswith(before) for each, before in lasting)
            seen += 1
    assert seen >= files * stretches_each
