"""The row "time window": one second in the middle and at the end of a log, beside ``docker logs --since --until``."""

from __future__ import annotations

import time

from bot.ops.container_logs import LogWindow
from bot.ops.logs import Logs
from tests.benchmarks import harness, log_data
from tests.benchmarks.harness import Figure
from tests.benchmarks.log_ground import LogGround, compare, piped

RUNS = 3


async def _window(logs: Logs, ground: LogGround, begin: float) -> float:
    begun = time.perf_counter()
    async for _ in await logs.read(ground.service, LogWindow(since=begin, until=begin + 1)):
        pass
    return time.perf_counter() - begun


async def _compared(ground: LogGround, size: int) -> None:
    lines = ground.fill(size)
    print(f" {size / 1e6:,.0f} MB, {lines:,} lines")
    logs, length = ground.logs(by_file=True), lines * log_data.STEP / 1e9
    for name, share in (("in the middle", 0.5), ("at the end", 0.999)):
        begin = log_data.BEGIN / 1e9 + length * share
        base, ours = list[float](), list[float]()
        for _ in range(RUNS):
            base.append(piped(ground.guide_window(begin)))
            ours.append(await _window(logs, ground, begin))
        baseline = Figure(f"{ground.window_name}, {name}", base)
        print(harness.line(baseline))
        print(harness.line(Figure(f"ours, {name}", ours), baseline, "goal ≤ 1/40"))


def main() -> None:
    """Print the row."""
    print("time window: one second of a container's log")
    compare(_compared)
