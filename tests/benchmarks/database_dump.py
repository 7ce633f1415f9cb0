"""The row "database dump": our dump beside one cursor's raw BSON stream of the same collection, and how both grow to a million documents.

Also what verifying, reading and loading it take. Each dump runs in a process of its own, for its peak memory.
"""

from __future__ import annotations

import asyncio
import datetime
import random
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import bson

from bot.ops.bson_fingerprint import fingerprint_file
from bot.ops.bson_walk import walk_bson
from bot.ops.dump_names import Side
from bot.ops.dump_source import open_dump
from bot.ops.load import Load
from tests.benchmarks import harness
from tests.benchmarks.harness import Figure
from tests.parts import find_mongod
from tests.servers import RealMongod

SIZES = (62_500, 250_000, 1_000_000)
RUNS = 3
JOBS = "imagegenerationjobs"
_BATCH = 10_000
# The dump and nothing else, for a peak that is its own; what getrusage tells begins with the peak of the process that started it.
_ALONE = """
import asyncio, pathlib, sys
from bot.ops.dump import Dump

async def run():
    dump = Dump(sys.stdin.read())
    took = (await dump.run(pathlib.Path(sys.argv[1]))).took_s
    await dump.close()
    status = pathlib.Path("/proc/self/status").read_text().splitlines()
    print(took, next(line.split()[1] for line in status if line.startswith("VmHWM")))

asyncio.run(run())
"""


def main() -> None:
    """Print the row."""
    program = find_mongod()
    if program is None:
        print("database dump: no mongod")
        return
    print("database dump")
    with tempfile.TemporaryDirectory(prefix="vcc-bench-") as directory:
        server = RealMongod(program, Path(directory), secrets.token_hex(16))
        server.start()
        try:
            for size in SIZES:
                _fill(server, size)
                _row(server, size, Path(directory) / f"dump-{size}")
        finally:
            server.stop()


def _fill(server: RealMongod, size: int) -> None:
    chance = random.Random(1)
    moment = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    with server.client() as client:
        jobs = client[server.database][JOBS]
        for start in range(jobs.estimated_document_count(), size, _BATCH):
            count = min(_BATCH, size - start)
            jobs.insert_many([_job(chance, moment) for _ in range(count)], ordered=False)


def _job(chance: random.Random, moment: datetime.datetime) -> dict[str, object]:
    prompt = "a cat in the rain, " * chance.randint(1, 5)
    return {
        "userId": bson.ObjectId(),
        "status": chance.choice(("completed", "failed", "pending")),
        "priority": chance.randint(0, 9),
        "inputData": {"prompt": prompt, "seed": chance.getrandbits(40)},
        "progress": 100,
        "createdAt": moment,
        "resultImages": [bson.ObjectId()],
    }


def _row(server: RealMongod, size: int, target: Path) -> None:
    stream, ours, peaks = [], [], []
    for run in range(RUNS):
        stream.append(_timed(lambda: _raw_stream(server)))
        seconds, peak = _child(server, target / str(run))
        ours.append(seconds)
        peaks.append(peak)
    baseline = Figure(f"{size:,} documents: one cursor's raw stream", stream)
    print(harness.line(baseline))
    print(harness.line(Figure("ours: to disk, hashed, counted, fsynced", ours), baseline, f"peak {max(peaks):.0f} MB"))
    path = target / "0" / server.database / f"{JOBS}.bson"
    print(harness.line(Figure("ours: walk_bson", [_timed(lambda: walk_bson(path))]), baseline))
    print(harness.line(Figure("ours: fingerprint of the file", [_timed(lambda: fingerprint_file(path))]), baseline))
    print(harness.line(Figure("ours: fingerprint, one in 16", [_timed(lambda: fingerprint_file(path, 16))]), baseline))
    print(harness.line(Figure("ours: load, with index and proof", [asyncio.run(_load(server, target / "0"))]), baseline))


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _raw_stream(server: RealMongod) -> int:
    with server.client() as client:
        return sum(len(batch) for batch in client[server.database][JOBS].find_raw_batches())


def _child(server: RealMongod, target: Path) -> tuple[float, float]:
    """(seconds, peak megabytes) of a dump in a process of its own."""
    target.mkdir(parents=True)
    words = [sys.executable, "-c", _ALONE, str(target)]
    said = subprocess.run(words, input=server.uri, capture_output=True, text=True, check=True, timeout=600).stdout.split()
    return float(said[0]), float(said[1]) / 1024


async def _load(server: RealMongod, source: Path) -> float:
    load = Load(server.uri, Side(server.database, "bench", scratch=True))

    async def work() -> None:
        await load.run(open_dump(source))

    try:
        return await _closing(load.drop, work)
    finally:
        await load.close()


async def _closing(close: Callable[[], Awaitable[None]], work: Callable[[], Awaitable[object]]) -> float:
    begun = time.perf_counter()
    try:
        await work()
        return time.perf_counter() - begun
    finally:
        await close()
