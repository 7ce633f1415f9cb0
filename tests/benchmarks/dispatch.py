"""The row "dispatch": a command that does nothing, through the whole corridor, beside slack-bolt's own dispatch of one.

Grows with the audit at 1×, 4× and 16× (to a million rows). Baselines run in the same process, interleaved.
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.web.async_client import AsyncWebClient
from sqlite_utils import Database

from bot import binding, config, line
from bot.app import App
from bot.model import Account, Invocation, Place
from bot.store import audit_rows
from tests.benchmarks import harness
from tests.benchmarks.harness import Figure

SIZES = (62_500, 250_000, 1_000_000)
CALLS = 1_500
TOGETHER = 2_000
PERSON, CHANNEL = Account("slack", "U1"), Place("slack", "C1")
_keys = itertools.count()


def _invocation() -> Invocation:
    return Invocation("access whoami", PERSON, CHANNEL, f"slack:{next(_keys)}", time.time())


def _app(home: Path) -> App:
    return App(config.read({"VCC_HOME": str(home), "VCC_ADMINS": "slack:U1", "VCC_CHANNEL_OPS": "slack:C1", "VCC_LANG": "en"}, None))


def _bolt(*, at_once: bool) -> tuple[AsyncApp, str]:
    async def authorize(**_: object) -> AuthorizeResult:
        return AuthorizeResult(enterprise_id=None, team_id="T1", bot_token="xoxb-bench", bot_id="B1", bot_user_id="U0")

    bolt = AsyncApp(
        authorize=authorize,
        client=AsyncWebClient(token="xoxb-bench"),
        request_verification_enabled=False,
        process_before_response=at_once,
        ssl_check_enabled=False,
    )

    @bolt.command("/vcc")
    async def nothing(ack: object) -> None:
        await ack()  # type: ignore[operator]

    body = {"command": "/vcc", "text": "access whoami", "team_id": "T1", "user_id": "U1", "channel_id": "C1", "trigger_id": "1"}
    return bolt, urlencode(body)


async def _bolt_figure(name: str, *, at_once: bool, calls: int) -> Figure:
    bolt, body = _bolt(at_once=at_once)
    headers: dict[str, str | Sequence[str]] = {"content-type": ["application/x-www-form-urlencoded"]}

    async def once(_: int) -> object:
        return await bolt.async_dispatch(AsyncBoltRequest(body=body, headers=headers))

    return Figure(name, await harness.timed(once, calls, warm_up=20))


async def _gates(app: App) -> Figure:
    """Parse, resolve, permission, bind: no disk."""

    async def once(_: int) -> object:
        invocation = _invocation()
        person = await app.gate.admit(invocation)
        command, words = app.registry.resolve(line.split(line.normalise(invocation.line)))
        app.gate.require(person, command)
        return binding.bind(command, words)

    return Figure("ours: parse, resolve, permission, bind", await harness.timed(once, CALLS))


async def _corridor(app: App, name: str) -> Figure:
    async def once(_: int) -> object:
        accepted = await app.dispatch.accept(_invocation())
        return await app.dispatch.run(accepted) if accepted else None

    return Figure(name, await harness.timed(once, CALLS))


async def _throughput(app: App) -> float:
    """Commands per second when many people type at once."""

    async def once() -> None:
        accepted = await app.dispatch.accept(_invocation())
        if accepted:
            await app.dispatch.run(accepted)

    begun = time.perf_counter()
    await asyncio.gather(*(once() for _ in range(TOGETHER)))
    return TOGETHER / (time.perf_counter() - begun)


async def _fill(app: App, rows: int) -> None:
    """Bring the audit to this many rows."""

    def work(db: Database) -> None:
        (have,) = db.execute("SELECT seq FROM audit_head").fetchone()
        for index in range(max(0, rows - have)):
            audit_rows.append(db, app.audit.entry(_filler(index), "closed", outcome="done", detail={}))

    for _ in range(0, rows, 50_000):
        await app.store.write(work)


def _filler(index: int) -> Invocation:
    return Invocation("status", PERSON, CHANNEL, "", 0.0, reference=f"R-{index:08d}")


async def _rows() -> None:
    baseline = await _bolt_figure("slack-bolt async, process_before_response", at_once=True, calls=CALLS)
    print(harness.line(baseline))
    print(harness.line(await _bolt_figure("slack-bolt async, its default (polls for the ack)", at_once=False, calls=200), baseline))
    with tempfile.TemporaryDirectory() as folder:
        app = _app(Path(folder))
        await app.open()
        print(harness.line(await _gates(app), baseline, "goal ≤ 100 µs p50"))
        for size in (0, *SIZES):
            await _fill(app, size)
            name = f"ours: whole corridor, durable, {size:,} audit rows"
            print(harness.line(await _corridor(app, name), baseline, "goal ≤ 2 ms p50, ≤ 10 ms p99"))
        print(f"  {'ours: together, durable':<58} {await _throughput(app):,.0f} commands/s (goal ≥ 500)")
        await app.close()
    print(f"  peak memory {harness.peak_megabytes():,.0f} MB")


def main() -> None:
    """Print the row."""
    print("dispatch: a command that does nothing, in process")
    asyncio.run(_rows())
