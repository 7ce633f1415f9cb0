"""How figures are taken and printed: medians of interleaved runs, ratios to a baseline, peak memory, growth."""

from __future__ import annotations

import asyncio
import resource
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured series. ``samples`` in seconds."""

    name: str
    samples: Sequence[float]

    def quantile(self, share: float) -> float:
        """The sample at this share of the sorted series, in seconds."""
        ordered = sorted(self.samples)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    @property
    def p50(self) -> float:
        """The median, in seconds."""
        return statistics.median(self.samples)


async def timed(work: Callable[[int], Awaitable[object]], count: int, *, warm_up: int = 50) -> Sequence[float]:
    """Seconds that each of ``count`` calls took, one after the other, after a warm-up."""
    for index in range(warm_up):
        await work(-1 - index)
    samples = []
    for index in range(count):
        begun = time.perf_counter()
        await work(index)
        samples.append(time.perf_counter() - begun)
    return samples


def microseconds(seconds: float) -> str:
    """Seconds as people read them."""
    return f"{seconds * 1e6:,.0f} µs" if seconds < 1e-3 else f"{seconds * 1e3:,.2f} ms"


def line(figure: Figure, baseline: Figure | None = None, note: str = "") -> str:
    """A row: p50, p99, and the ratio of p50 to the baseline's."""
    ratio = f"{figure.p50 / baseline.p50:6.2f}×" if baseline else "   base"
    return (
        f"  {figure.name:<58} p50 {microseconds(figure.p50):>10}  p99 {microseconds(figure.quantile(0.99)):>10}  {ratio}  {note}".rstrip()
    )


def peak_megabytes() -> float:
    """The most memory this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def in_folder(row: Callable[[Path], Coroutine[Any, Any, None]]) -> None:
    """Run a row with a directory of its own."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(row(Path(folder)))
