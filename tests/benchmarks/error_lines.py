"""The row "error lines": every error of a log, classified and grouped, beside ``docker logs | grep -i error``.

On a real engine (VCC_TEST_DOCKER_HOST, whose data root must be readable here) where there is one; else only our own file reading,
beside ``grep -i error`` on the same file. VCC_BENCH_LOG_MB says how much log 16× is.
"""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Awaitable, Callable

from bot.ops.container_values import Service
from bot.ops.error_log import ErrorGrouper
from bot.ops.log_position import LogPosition
from bot.ops.logs import Logs
from tests.benchmarks import harness
from tests.benchmarks.harness import Figure
from tests.benchmarks.log_ground import LogGround, client_seconds, compare, piped

RUNS = 3


async def _errors(logs: Logs, service: Service, after: LogPosition | None = None) -> LogPosition:
    return await logs.errors(service, ErrorGrouper(), after=after)


async def _compared(ground: LogGround, size: int) -> None:
    lines = ground.fill(size)
    print(f" {size / 1e6:,.0f} MB, {lines:,} lines")
    logs, service = ground.logs(by_file=True), ground.service
    taken: dict[str, list[float]] = {"base": [], "file": [], "api": []}
    cpu: dict[str, list[float]] = {"base": [], "api": []}
    for _ in range(RUNS):
        before = client_seconds()
        taken["base"].append(await asyncio.to_thread(piped, ground.guide("error")))
        cpu["base"].append(client_seconds() - before)
        taken["file"].append(await _clocked(lambda: _errors(logs, service)))
        if ground.engine:
            before = _own_seconds()
            taken["api"].append(await _clocked(lambda: _errors(ground.logs(by_file=False), service)))
            cpu["api"].append(_own_seconds() - before)
    baseline = Figure(ground.guide_name("error"), taken["base"])
    print(harness.line(baseline))
    print(harness.line(Figure("ours, from the file", taken["file"]), baseline, "goal ≤ 1/40"))
    if ground.engine:
        print(harness.line(Figure("ours, through the API", taken["api"]), baseline, "goal ≤ 0.55×"))
        print(harness.line(Figure("  its processor time", cpu["api"]), Figure("", cpu["base"]), "goal ≤ 0.2× the guide's"))
    await _again(ground, baseline)


async def _again(ground: LogGround, baseline: Figure) -> None:
    for by_file in (True, False) if ground.engine else (True,):
        logs = ground.logs(by_file=by_file)
        position = await _errors(logs, ground.service)
        taken = [await _clocked(lambda: _errors(logs, ground.service, position)) for _ in range(RUNS)]  # noqa: B023 - called at once
        print(harness.line(Figure(f"asked again, {'file' if by_file else 'API'}", taken), baseline))


async def _clocked(work: Callable[[], Awaitable[object]]) -> float:
    begun = time.perf_counter()
    await work()
    return time.perf_counter() - begun


def _own_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Print the row."""
    print("error lines: every error of a container's log, classified and grouped")
    compare(_compared, " (goal ≤ 64)")
