"""The row "uploads backup": a snapshot of files of 20 KB, the first one and one with 1 % changed, beside rsync, restic and cp.

Takes 1/16 of the full 100,000 files unless VCC_BENCH_UPLOADS says how many; grows at 1×, 4×, 16× of a sixteenth of that. Works
where VCC_BENCH_DIRECTORY says, else where temporary files go.
"""

from __future__ import annotations

import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks import harness
from tests.benchmarks.harness import Figure

FULL = 100_000
SIZE = 20_480
ROUNDS = 3
_POOL = 4 << 20
_OURS = """
import sys, time
from pathlib import Path
from bot.ops.snapshot import take
from bot.ops.tree_values import Snapshot
source, target, *previous = map(Path, sys.argv[1:])
begun = time.perf_counter()
result = take(source, target, Snapshot(previous[0]) if previous else None)
seconds = time.perf_counter() - begun
(peak,) = (line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(result.new_bytes, peak, seconds)
"""


def _write(root: Path, count: int, seed: int = 7) -> None:
    """As many pictures as VCC would write, four of five generated."""
    dice = random.Random(seed)
    pool = dice.randbytes(_POOL)
    for kind in ("generated", "reference"):
        (root / kind).mkdir(parents=True)
    for number in range(count):
        path = root / ("generated" if number % 5 else "reference") / f"generated_{1_769_040_000_000 + number * 37}_{number % 4}.png"
        start = dice.randrange(_POOL - SIZE)
        path.write_bytes(number.to_bytes(8, "big") + pool[start : start + SIZE - 8])
        os.utime(path, (1_769_040_000 + number, 1_769_040_000 + number))


def _change(root: Path, seed: int) -> None:
    """One file of a hundred gets other content."""
    dice = random.Random(seed)
    paths = sorted(root.rglob("*.png"))
    for path in dice.sample(paths, max(1, len(paths) // 100)):
        path.write_bytes(dice.randbytes(SIZE))


class Way:
    """One way of making backups ``0``, ``1``, … in a directory of its own; its seconds by round."""

    def __init__(self, name: str, home: Path, source: Path) -> None:
        self.name, self.home, self.source = name, home / name.split()[0].strip(":"), source
        self.home.mkdir()
        self.seconds: list[float] = []

    def round(self, number: int) -> None:
        """The next backup."""
        self.seconds.append(self.make(number))

    def make(self, number: int) -> float:
        """Every way its own; the seconds it took."""
        raise NotImplementedError

    def run(self, *argv: str | Path) -> str:
        """A program; what it printed."""
        return subprocess.run([str(word) for word in argv], check=True, capture_output=True, text=True, env=self.environment()).stdout

    def environment(self) -> dict[str, str]:
        """For the program."""
        return {**os.environ, "RESTIC_PASSWORD": "bench", "RESTIC_REPOSITORY": str(self.home / "repository")}


class Rsync(Way):
    """``rsync -a``, then ``--link-dest`` to the one before."""

    def make(self, number: int) -> float:
        begun = time.perf_counter()
        link: list[str | Path] = ["--link-dest", self.home / str(number - 1)] if number else []
        self.run("rsync", "-a", *link, f"{self.source}/", self.home / str(number))
        return time.perf_counter() - begun


class CopyAndRsync(Way):
    """``cp -al`` of the one before, then ``rsync`` over it."""

    def make(self, number: int) -> float:
        begun = time.perf_counter()
        if number:
            self.run("cp", "-al", self.home / str(number - 1), self.home / str(number))
        self.run("rsync", "-a", "--delete", f"{self.source}/", self.home / str(number))
        return time.perf_counter() - begun


class Restic(Way):
    """A restic repository, without its own copy of the metadata elsewhere."""

    def make(self, number: int) -> float:
        if not number:
            self.run("restic", "init", "--no-cache")
        begun = time.perf_counter()
        self.run("restic", "backup", "--no-cache", "--quiet", self.source)
        return time.perf_counter() - begun


class Ours(Way):
    """A process of its own, for its memory; timed without Python's start, as the bot runs anyway, and with everything synced."""

    megabytes = 0.0
    new_bytes = 0

    def make(self, number: int) -> float:
        (self.home / str(number)).mkdir()
        before = [self.home / str(number - 1) / "uploads"] if number else []
        said = self.run(sys.executable, "-c", _OURS, self.source, self.home / str(number) / "uploads", *before)
        new_bytes, kilobytes, seconds = said.split()
        self.new_bytes, self.megabytes = int(new_bytes), max(self.megabytes, int(kilobytes) / 1024)
        return float(seconds)


def _ways(home: Path, source: Path) -> list[Way]:
    ways: list[Way] = []
    if shutil.which("rsync"):
        ways += [Rsync("rsync", home, source), CopyAndRsync("cp -al + rsync", home, source)]
    else:
        print("  rsync is not installed: its baselines are skipped")
    if shutil.which("restic"):
        ways.append(Restic("restic", home, source))
    else:
        print("  restic is not installed: its baseline is skipped")
    return [*ways, Ours("ours", home, source)]


def _settled() -> None:
    """What others wrote is on the disk before the next one is timed: nobody pays for somebody else's bytes."""
    os.sync()


def _rounds(ways: list[Way], source: Path) -> None:
    """The first backup, then some with 1 % changed; each way in turn."""
    for number in range(ROUNDS + 1):
        if number:
            _change(source, number)
        turn = number % len(ways)
        for way in ways[turn:] + ways[:turn]:
            _settled()
            way.round(number)


def _print(ways: Sequence[Way], count: int) -> None:
    goals = {"rsync": ("≤ 1.2×", "≤ 0.5×"), "restic": ("", "≤ 0.7×")}
    for title, part in ((f"first, {count:,} files", slice(0, 1)), (f"1 % changed, {count:,} files", slice(1, None))):
        figures = [Figure(f"{way.name}: {title}", way.seconds[part]) for way in ways]
        for figure in figures:
            print(harness.line(figure))
        ours = figures[-1]
        for figure, way in zip(figures[:-1], ways[:-1], strict=True):
            goal = goals.get(way.name, ("", ""))[0 if part.stop == 1 else 1]
            print(f"    ours / {way.name:<16} {ours.p50 / figure.p50:5.2f}×  {goal}")


def _disk(root: Path) -> int:
    """Blocks of everything below, each file once."""
    found = {(status.st_dev, status.st_ino): status.st_blocks for path in root.rglob("*") if (status := path.lstat())}
    return sum(found.values()) * 512


def main() -> None:
    """Print the row."""
    count = int(os.environ.get("VCC_BENCH_UPLOADS", FULL // 16))
    print(f"uploads backup: files of {SIZE:,} bytes")
    with tempfile.TemporaryDirectory(dir=os.environ.get("VCC_BENCH_DIRECTORY")) as folder:
        home, source = Path(folder), Path(folder) / "source"
        _write(source, count)
        ways = _ways(home, source)
        _rounds(ways, source)
        _print(ways, count)
        ours = ways[-1]
        assert isinstance(ours, Ours)
        share = _disk(ours.home) / _disk(source)
        print(f"  ours: {ROUNDS + 1} snapshots on disk take {share:.3f}× one copy; last one's new bytes {ours.new_bytes:,}")
        print(f"  ours: peak memory {ours.megabytes:,.0f} MB")
        _growth(home, count // 16)


def _growth(home: Path, least: int) -> None:
    for times in (1, 4, 16):
        place = home / f"grown{times}"
        place.mkdir()
        _write(place / "source", max(100, least * times))
        ours = Ours("ours", place, place / "source")
        _rounds([ours], place / "source")
        changed = statistics.median(ours.seconds[1:])
        print(f"  ours at {times:>2}×: first {ours.seconds[0]:.2f} s, 1 % changed {changed:.2f} s, {ours.megabytes:,.0f} MB")
