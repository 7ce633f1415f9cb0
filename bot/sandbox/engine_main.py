"""The engine process: prepares a home, starts and seeds the deployment, serves the Docker Engine API until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import json
import logging
import os
import signal
import sys
import time
from pathlib import Path
from typing import TextIO

import aiohttp
import psutil
from aiohttp import web

from bot.sandbox.api import build_api
from bot.sandbox.binaries import find_binaries
from bot.sandbox.engine import Engine
from bot.sandbox.layout import Identity, Layout, establish_identity, private_write
from bot.sandbox.project import write_project, write_tools
from bot.sandbox.seed import seed
from bot.sandbox.services import describe_services

# Settings of the stand-ins that tests shorten or stretch; see backend.py.
PASSED_ON = (
    "VCC_SANDBOX_JOB_SECONDS",
    "VCC_SANDBOX_NEW_JOB_SECONDS",
    "VCC_SANDBOX_CONCURRENCY",
    "VCC_SANDBOX_STALLED_SECONDS",
    "VCC_SANDBOX_TRICKLE_SECONDS",
)
READY_WITHIN = 40.0

log = logging.getLogger("sandbox")


def main() -> int:
    parser = argparse.ArgumentParser(prog="bot.sandbox.engine_main")
    parser.add_argument("--home", type=Path, required=True)
    home = parser.parse_args().home.resolve()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    layout = Layout(home)
    layout.root.mkdir(parents=True, exist_ok=True)
    with (layout.root / "engine.lock").open("w") as lock:
        if not _held(lock):
            log.error("another engine runs in this home")
            return 1
        asyncio.run(_serve(layout))
    return 0


def _held(lock: TextIO) -> bool:
    """Hold the lock until this process ends, however it ends."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _prepare(layout: Layout) -> tuple[Engine, Identity]:
    identity = establish_identity(layout)
    binaries = find_binaries(layout.root / "bin")
    write_project(layout, identity)
    write_tools(layout, identity, binaries)
    extra = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    services = describe_services(layout, identity, binaries, extra)
    for service in services:
        for mount in service.mounts:
            mount.source.mkdir(parents=True, exist_ok=True)
    layout.backups.mkdir(parents=True, exist_ok=True)
    identity.socket.unlink(missing_ok=True)  # left by an engine that was killed
    return Engine(layout, services), identity


async def _serve(layout: Layout) -> None:
    begin = time.monotonic()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    engine, identity = _prepare(layout)
    _record(layout, ready=False)
    runner = web.AppRunner(build_api(engine), access_log=None, shutdown_timeout=0.5, handler_cancellation=True)
    await runner.setup()
    await web.UnixSite(runner, str(identity.socket)).start()
    identity.socket.chmod(0o600)
    work = asyncio.create_task(_boot(engine, identity, layout))
    stop = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait([work, stop], return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            work.result()
            _record(layout, ready=True)
            log.info("ready after %.1f s", time.monotonic() - begin)
            await stop
    finally:
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await work
        await engine.close()
        await runner.cleanup()
        identity.socket.unlink(missing_ok=True)


def _record(layout: Layout, *, ready: bool) -> None:
    created = psutil.Process().create_time()
    private_write(layout.engine_record, json.dumps({"pid": os.getpid(), "created": created, "ready": ready}))


async def _boot(engine: Engine, identity: Identity, layout: Layout) -> None:
    await asyncio.gather(engine.service("mongodb").start(), engine.service("redis").start())
    await asyncio.gather(_until_listening(identity.ports["mongodb"]), _until_listening(identity.ports["redis"]))
    if not layout.seeded_mark.exists():
        await asyncio.to_thread(seed, layout, identity)
        layout.seeded_mark.touch()
    await asyncio.gather(engine.service("backend").start(), engine.service("frontend").start())
    engine.watch_health()
    await _until_answering(engine, identity)


async def _until_listening(port: int) -> None:
    end = time.monotonic() + READY_WITHIN
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            if time.monotonic() > end:
                raise
            await asyncio.sleep(0.05)
            continue
        writer.close()
        await writer.wait_closed()
        return


async def _until_answering(engine: Engine, identity: Identity) -> None:
    """All four processes run, and the two web servers answer; the backend does so only with both databases at hand."""
    end = time.monotonic() + READY_WITHIN
    page = f"http://127.0.0.1:{identity.ports['frontend']}/"
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
        while time.monotonic() < end:
            healthy = engine.service("backend").state.health == "healthy" and all(one.running for one in engine.containers)
            if healthy and await _answers(session, page):
                return
            await asyncio.sleep(0.05)
    states = ", ".join(f"{one.service.name} {one.state.status} {one.state.health}".strip() for one in engine.containers)
    raise RuntimeError(f"not ready within {READY_WITHIN:.0f} s: {states}")


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(url) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


if __name__ == "__main__":
    sys.exit(main())
