"""How long the app lives: opened for one line, or run until a signal ends it; always closed."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from bot import journal
from bot.app import App
from bot.config import Settings
from bot.webserver import WebServer


@asynccontextmanager
async def opened(settings: Settings, *, quiet: bool) -> AsyncIterator[App]:
    """The app with its state and its log. ``quiet`` keeps the terminal for answers."""
    app = App(settings)
    root: logging.Logger | None = None
    try:
        root = journal.begin(settings.vcc_home, app.redactor, quiet=quiet)  # first, so that what a crash interrupted is found in it
        await app.open()
        yield app
    finally:
        await app.close()
        if root is not None:
            journal.end(root)


async def run_bot(settings: Settings, beside: Callable[[App, WebServer], Awaitable[None]] | None = None) -> int:
    """The bot with every connector, until SIGTERM, SIGINT, or the end of ``beside`` (a terminal, say)."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with opened(settings, quiet=beside is not None) as app:
        app.connect()
        async with WebServer(settings, app.health, app.routes()) as server:
            tasks = [asyncio.create_task(app.run()), asyncio.create_task(_set(stop.wait()))]
            if beside is not None:
                tasks.append(asyncio.create_task(_set(beside(app, server))))
            done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in rest:
                task.cancel()
            await asyncio.gather(*rest, return_exceptions=True)
            for task in done:
                task.result()
    return 0


async def _set(work: Awaitable[object]) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        await work
