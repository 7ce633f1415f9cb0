"""``vcc sandbox``: the embedded deployment in the background, or with the bot and a prompt in front of it."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path

from bot import config
from bot.app import App
from bot.config import Settings
from bot.connectors import console
from bot.errors import OutsideError
from bot.lifetime import run_bot
from bot.model import Account
from bot.sandbox import deployment
from bot.webserver import WebServer
from bot.words import Words

_SPEAKER = Account("local", "olga")


def sandbox(options: argparse.Namespace, settings: Settings) -> int:
    """Start, stop, or show the sandbox; the exit code."""
    words = Words(settings.vcc_lang)
    if options.action == "stop":
        stopped = deployment.stop(settings.vcc_home)
        sys.stdout.write(words("sandbox.stopped" if stopped else "sandbox.not_running") + "\n")
        return 0
    sys.stdout.write(words("sandbox.starting", home=settings.vcc_home) + "\n")
    sys.stdout.flush()
    before = deployment.running(settings.vcc_home)
    try:
        started = deployment.start_detached(settings.vcc_home)
    except OutsideError as error:
        sys.stderr.write(f"{words(error.key, **error.values)} {error.detail}\n")
        return 1
    if options.detach:
        sys.stdout.write(words("sandbox.detached", file=settings.vcc_home / "sandbox.env") + "\n")
        return 0
    try:
        # Real tokens in the environment stay in force, so that a sandbox can be tried from Slack or Discord too.
        return asyncio.run(run_bot(config.read({"VCC_HTTP_PORT": "0", **os.environ, **started.env}), _talk))
    finally:
        if before is None:  # one that ran in the background before us goes on
            deployment.stop(settings.vcc_home)


def _program() -> str:
    """How this program was called, so that it can be called so again."""
    called = Path(sys.argv[0])
    return f"{sys.executable} -m bot" if called.name == "__main__.py" else os.path.relpath(called)


async def _talk(app: App, server: WebServer) -> None:
    """Say where to talk to the bot, then talk; without a terminal, stay until a signal."""
    sys.stdout.write(app.words("sandbox.welcome", program=_program(), home=app.settings.vcc_home, port=server.port) + "\n")
    sys.stdout.flush()
    if sys.stdin.isatty():
        app.say_at_terminal = console.say
        await console.converse(app.dispatch, app.words, _SPEAKER)
    else:
        await asyncio.Event().wait()
