"""SIGKILL before and after every commit of the index of errors: no error is counted twice, and none is left out."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

from bot.error_index import ErrorIndex
from bot.ops.container_values import LogLine, Service
from bot.ops.error_log import ErrorGrouper
from bot.ops.log_position import LogPosition
from bot.ops.log_text import LogText
from bot.store.engine import Store
from tests.faults.programs import processes

ROUNDS, EACH, MOST_POINTS = 4, 25, 30
SERVICE = Service("backend", "c1", "backend-1", "image", "sha", "running", "", None, 0, False, 1.0, None, 1, 1, "vcc")


class FileOfLines:
    """A log that outlives its readers: every line is an error."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, count: int) -> None:
        """So many more."""
        with self._path.open("a") as log:
            log.writelines(f"Error: {number % 3 * 'x'}\n" for number in range(count))

    async def errors(
        self,
        service: Service,
        grouper: ErrorGrouper,
        *,
        since: float | None = None,
        until: float | None = None,
        after: LogPosition | None = None,
    ) -> LogPosition:
        """What is new."""
        lines = self._path.read_text().splitlines()
        for line in lines[after.offset if after else 0 :]:
            grouper.feed(LogLine("backend", "backend-1", "stdout", 1_770_000_000.0, line))
        return LogPosition("c1", "file", offset=len(lines))


async def _rounds(home: Path, fatal: int) -> int:
    """Read on, more being written in between, and die at a point; how many errors are counted when it does not."""
    store, log, passed = Store(home / "vcc.db"), FileOfLines(home / "log"), 0
    store.open()
    commit = store._commit

    def point() -> None:
        nonlocal passed
        passed += 1
        if passed == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def watched(batch: Any) -> None:
        point()
        commit(batch)
        point()

    store._commit = watched  # type: ignore[method-assign]
    index = ErrorIndex(store, _nobody, log, LogText(()))
    for _ in range(ROUNDS if fatal else 1):
        await index.catch_up((SERVICE,), 30)
        if fatal:
            log.write(EACH)
    counted = sum(group.count for group in await index.groups(("backend",), 0))
    store.close()
    return counted


async def _nobody() -> tuple[Service, ...]:
    return ()


def victim(home: Path, fatal: int) -> None:
    """The process."""
    asyncio.run(_rounds(home, fatal))


async def test_a_reader_killed_at_any_commit_loses_no_count_and_doubles_none(place: Path) -> None:
    killed = 0
    for fatal in range(1, MOST_POINTS):
        home = place / str(fatal)
        home.mkdir()
        FileOfLines(home / "log").write(EACH)
        process = processes.Process(target=victim, args=(home, fatal))
        process.start()
        await asyncio.to_thread(process.join, 20)
        exit_code = process.exitcode
        process.close()
        written = len((home / "log").read_text().splitlines())
        assert await _rounds(home, 0) == written, f"killed at point {fatal}"
        if exit_code == 0:
            break
        assert exit_code == -signal.SIGKILL
        killed += 1
    assert killed == 2 * ROUNDS
