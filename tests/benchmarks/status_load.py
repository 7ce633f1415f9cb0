"""The row "status": the whole of ``status`` with everything up, beside its slowest single probe; and with each system hanging in turn.

Grows with the jobs in Redis. VCC_BENCH_JOBS says how many 16× is, VCC_BENCH_LOG_MB how large the backend's log is,
VCC_BENCH_AUDIT_ROWS how long the audit. VCC_TEST_DOCKER_HOST takes it on the real stack.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bot import config
from bot.app import App
from bot.connectors import console
from bot.errors import VccError
from bot.model import Reply
from commands.status.hints import hints
from tests.benchmarks import harness, log_data
from tests.benchmarks.harness import Figure
from tests.benchmarks.status_ground import PERSON, StatusGround, fill_log, fill_record, status_ground
from tests.bot.ops.silent import silent_port, silent_socket

GROWTH = (16, 4, 1)  # the largest last
RUNS, HANGING_RUNS = 7, 3
HOME = "home"
WHOLE = "ours: the whole of status, recorded"

Work = Callable[[], Awaitable[object]]


@contextlib.asynccontextmanager
async def _app(ground: StatusGround, home: Path, **changed: str) -> AsyncIterator[App]:
    app = App(config.read({**ground.settings, "VCC_HOME": str(home), "VCC_LANG": "en", **changed}, None))
    await app.open()
    try:
        yield app
    finally:
        await app.close()


async def _status(app: App) -> Reply:
    return await console.ask(app.dispatch, app.words, "status", PERSON)


def _probes(app: App) -> dict[str, Work]:
    """Each question that status asks, by itself."""
    ops = app.ops
    return {
        "docker: containers": ops.containers.services,
        "docker: what they use, between two samples": ops.containers.stats,
        "health addresses": ops.health.check,
        "MongoDB": ops.mongo.ping,
        "Redis": ops.redis.info,
        "queues": ops.bull.queues,
        "host": ops.host.status,
        "record: hints": lambda: hints(app.history, time.time()),
    }


async def _compared(app: App) -> None:
    """Each alone and all together, in turn."""
    replies: list[Reply] = []

    async def whole_status() -> None:
        replies.append(await _status(app))

    works: dict[str, Work] = {**_probes(app), WHOLE: whole_status}
    taken: dict[str, list[float]] = {name: [] for name in works}
    failed: dict[str, str] = {}
    for run in range(RUNS + 1):
        for name, work in works.items():
            begun = time.perf_counter()
            try:
                await work()
            except VccError as error:
                failed[name] = f"failed: {error.key}"
            if run:  # the first opens connections
                taken[name].append(time.perf_counter() - begun)
    figures = {name: Figure(name, samples) for name, samples in taken.items()}
    whole = figures.pop(WHOLE)
    baseline = max(figures.values(), key=lambda figure: figure.p50)
    for name, figure in figures.items():
        print(harness.line(figure, baseline, failed.get(name, "the slowest" if figure is baseline else "")))
    print(harness.line(whole, baseline, f"goal ≤ 1.3×; {_missing(replies[1:])}"))


def _missing(replies: Sequence[Reply]) -> str:
    """What was missing from how many answers: a quick answer that misses something is none."""
    missing = Counter(part for reply in replies for part in _parts_missing(reply.data))
    told = ", ".join(f"{part} {count}/{len(replies)}" for part, count in missing.items())
    return f"answered without: {told}" if told else "every part answered"


def _parts_missing(data: Mapping[str, Any]) -> list[str]:
    missing = [part for part in ("services", "queues", "disk", "health") if data[part] is None]
    missing += [part for part in ("mongodb", "redis") if not data[part]["up"]]
    if any(service["state"] == "running" and service["cpu_percent"] is None for service in data["services"] or ()):
        missing.append("use of containers")
    missing += [f"health of {each['name']}" for each in data["health"] or () if not each["up"]]
    if data["approvals"]["open"] is None or data["outbox"] is None or data["trends"]["hour_ago"]["host_memory_percent"] is None:
        missing.append("record")
    return missing


async def _hanging(ground: StatusGround, folder: Path) -> None:
    """Accepted and never answered."""
    socket = folder / "silent.sock"
    async with silent_socket(socket), silent_port() as port:
        silent = {
            "Docker": {"DOCKER_HOST": f"unix://{socket}"},
            "MongoDB": {"MONGODB_URI": f"mongodb://admin:secret@127.0.0.1:{port}/vcc-manager?authSource=admin"},
            "Redis": {"REDIS_URL": f"redis://:secret@127.0.0.1:{port}"},
        }
        whole = {name: value for settings in silent.values() for name, value in settings.items()}
        for name, settings in {**silent, "all three": whole}.items():
            await _hung(ground, folder / HOME, name, settings)


async def _hung(ground: StatusGround, home: Path, name: str, settings: Mapping[str, str]) -> None:
    async with _app(ground, home, **settings) as app:
        taken, replies = list[float](), list[Reply]()
        for _ in range(HANGING_RUNS):
            begun = time.perf_counter()
            replies.append(await _status(app))
            taken.append(time.perf_counter() - begun)
    print(f"  {f'{name} hanging':<58} at most {harness.microseconds(max(taken))} (goal ≤ 3 s), {_missing(replies)}")


async def _rows(folder: Path) -> None:
    jobs, before = int(os.environ.get("VCC_BENCH_JOBS", "250000")), harness.peak_megabytes()
    with status_ground(folder / "ground") as ground:
        print(f" on {ground.name}")
        async with _app(ground, folder / HOME) as app:
            rows = int(os.environ.get("VCC_BENCH_AUDIT_ROWS", "0"))
            await fill_record(app, rows)
            backend = await app.ops.containers.service("backend")
            lines = await asyncio.to_thread(fill_log, Path(backend.log_path), log_data.size_from_environment())
            print(f" {lines:,} lines of log, a year of figures, {rows:,} audit rows")
            have = 0
            for share in GROWTH:
                size = ground.fill_jobs(have, jobs // share)
                have = jobs // share
                print(f" {have:,} jobs, {size:,.0f} MB in Redis")
                await _compared(app)
        await _hanging(ground, folder)
    print(f"  peak memory {harness.peak_megabytes():,.0f} MB, {harness.peak_megabytes() - before:,.0f} of them for this row")


def main() -> None:
    """Print the row."""
    print("status: everything at one glance, under load")
    harness.in_folder(_rows)
