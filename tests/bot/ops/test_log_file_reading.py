"""What is read ahead never touches what is still being judged, also where one file ends and the next begins."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from bot.ops import log_file_reading
from bot.ops.log_file_reading import searched
from bot.ops.log_files import opened
from bot.ops.log_spans import spans
from tests.bot.ops.log_samples import Said, in_file


@pytest.mark.parametrize("files", [1, 2, 3, 4])
@pytest.mark.parametrize("stretches", [1, 2, 3])
def test_a_stretch_stays_as_it_is_while_the_next_one_is_read(
    tmp_path: Path, files: int, stretches: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_file_reading, "SCANNED", 4_096)
    for number in range(files):
        name = "c-json.log" + (f".{number}" if number else "")
        said = [Said(f"Error: file {number} line {line} {'x' * 1_000}\n", after=line) for line in range(3 * stretches)]
        (tmp_path / name).write_bytes(in_file(said))
    with ExitStack() as stack:
        every = opened(tmp_path / "c-json.log")
        for file in every:
            stack.callback(file.close)
        ahead = searched(spans(every, None, None))
        seen, now = list[object](), next(ahead, None)
        while now is not None:
            chunk, hits = now
            before = [chunk.entry(chunk.start_of(hit))[0] for hit in hits]
            now = next(ahead, None)
            assert [chunk.entry(chunk.start_of(hit))[0] for hit in hits] == before
            seen.append(before)
    assert len(seen) >= files * stretches
