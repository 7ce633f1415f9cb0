"""Probes the services that have a health URL, as Docker's HEALTHCHECK does. Knows nothing of why one is ill."""

from __future__ import annotations

import asyncio
import time

import aiohttp

from bot.sandbox.container import Container, HealthCheck

INTERVAL = 2.0
TIMEOUT = 2.0
RETRIES = 3
START_PERIOD = 15.0
NANOSECONDS = 1_000_000_000


async def watch(container: Container) -> None:
    """Probe for ever; meant to be run as a task and cancelled."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT)) as session:
        while True:
            if container.state.status == "running" and not container.cut_off:  # a real check is made inside, where nothing has changed
                check = await _probe(session, container.service.health_url)
                starting = time.time_ns() - container.state.started_at < START_PERIOD * NANOSECONDS
                if container.state.status == "running":  # it may have ended while we asked
                    container.checked(check, starting=starting, retries=RETRIES)
            fast = container.state.health == "starting"
            await asyncio.sleep(0.2 if fast else INTERVAL)


async def _probe(session: aiohttp.ClientSession, url: str) -> HealthCheck:
    begin = time.time_ns()
    try:
        async with session.get(url) as response:
            body = (await response.text())[:4096]
            return HealthCheck(begin, time.time_ns(), 0 if response.status < 400 else 1, body)
    except (aiohttp.ClientError, TimeoutError) as problem:
        return HealthCheck(begin, time.time_ns(), 1, str(problem) or type(problem).__name__)


def configured() -> dict[str, object]:
    """The check as ``docker inspect`` shows it under Config.Healthcheck."""
    return {
        "Test": ["CMD-SHELL", "wget -qO- http://localhost:3000/health || exit 1"],
        "Interval": int(INTERVAL * NANOSECONDS),
        "Timeout": int(TIMEOUT * NANOSECONDS),
        "StartPeriod": int(START_PERIOD * NANOSECONDS),
        "Retries": RETRIES,
    }
