"""SIGKILL at every point of an incident: one channel, one announcement, one of every line of the timeline, nothing said twice."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from bot.testing.waiting import until
from tests.faults import incident_victim
from tests.faults.programs import processes
from tests.parts import no_schedules
from tests.platforms.slack import FakeSlack, Message

OPS, ANNOUNCED = "C1", "C2"
ENOUGH, MOST_POINTS = 20.0, 80
LINES = {
    "open": "incident open service login fails --service backend",
    "note": "incident note seen by many",
    "step": "incident step 2 done",
    "resolve": "incident resolve it was the cache",
}
# What each line leaves in the timeline, whatever else is there.
LEFT = {
    "open": "Opened: login fails",
    "note": "seen by many",
    "step": "Done: 2. Save and read the logs",
    "resolve": "Ended — it was the cache",
}
_OPEN = (
    "SELECT COUNT(*) FROM messages WHERE version > delivered AND dead = 0",
    "SELECT COUNT(*) FROM requests WHERE state = 'open'",
    "SELECT COUNT(*) FROM incident_rooms WHERE state = 'wanted'",
    "SELECT COUNT(*) FROM incident_steps WHERE number = 1 AND state = 'open'",
)


@asynccontextmanager
async def bot(slack: FakeSlack, home: Path, fatal: int = 0) -> AsyncIterator[BaseProcess]:
    """A bot process, connected; ended with SIGTERM unless it is dead by then."""
    environment = {
        "VCC_HOME": str(home),
        **no_schedules(home),
        "VCC_LANG": "en",
        "VCC_ADMINS": "slack:UADA",
        "VCC_OPERATORS": "slack:UOLGA",
        "VCC_CHANNEL_OPS": f"slack:{OPS}",
        "VCC_CHANNEL_INCIDENTS": f"slack:{ANNOUNCED}",
        "DOCKER_HOST": f"unix://{home}/no-docker.sock",
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_API_URL": slack.base_url,
    }
    before = slack.connections
    process = processes.Process(target=incident_victim.main, args=(environment, fatal))
    process.start()
    try:
        await slack.until(lambda: slack.connections > before or not process.is_alive(), ENOUGH)
        yield process
    finally:
        if process.is_alive():
            process.terminate()
        await asyncio.to_thread(process.join, ENOUGH)
        assert not process.is_alive()
        process.close()


@asynccontextmanager
async def workspace() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as slack:
        slack.limits.enforced = False
        slack.add_user("UOLGA", "olga")
        slack.add_user("UADA", "ada")
        slack.add_channel(OPS, "ops")
        slack.add_channel(ANNOUNCED, "incidents")
        yield slack


def rows(home: Path, query: str) -> list[tuple[object, ...]]:
    """What the state file holds now; nothing while there is none yet. Looked at from outside, which keeps nobody waiting."""
    try:
        with closing(sqlite3.connect(f"file:{home / 'vcc.db'}?mode=ro", uri=True, timeout=1)) as state:
            return state.execute(query).fetchall()
    except sqlite3.OperationalError:
        return []


def timeline(home: Path) -> Counter[str]:
    """The lines of it."""
    return Counter(str(text) for (text,) in rows(home, "SELECT text FROM incident_entries"))


def settled(home: Path) -> bool:
    """Whether nothing is left to do. In one statement, or what moves from the one to the other in between would be missed."""
    return rows(home, "SELECT " + " + ".join(f"({each})" for each in _OPEN)) == [(0,)]


async def rest(home: Path, process: BaseProcess, context: str) -> None:
    """Until nothing is left to do, or it is dead."""

    await until(lambda: not process.is_alive() or settled(home), f"{context}: everything is done", ENOUGH)


async def type_all(slack: FakeSlack, home: Path, process: BaseProcess, lines: list[str], context: str) -> None:
    """What a person does: types each line, and again what did not come to pass; until the process is dead."""
    for name in lines:
        if timeline(home)[LEFT[name]]:
            continue
        await slack.slash("UOLGA", OPS, text=LINES[name])

        def there(name: str = name) -> bool:
            return not process.is_alive() or bool(timeline(home)[LEFT[name]])

        await until(there, f"{context}: {name}", ENOUGH)
        await rest(home, process, f"{context} after {name}")
        if not process.is_alive():
            return


def text_of(message: Message) -> str:
    return json.dumps([message.text, message.blocks], ensure_ascii=False)


def count(messages: list[Message], text: str) -> int:
    return sum(text in text_of(message) for message in messages)


def check(slack: FakeSlack, lines: Counter[str], last: str, context: str) -> None:
    """Exactly one of everything."""
    rooms = [channel for channel in slack.site.world.channels.values() if channel.name.startswith("inc-")]
    assert len(rooms) == 1, f"{context}: {[room.name for room in rooms]}"
    said = slack.messages(rooms[0].id)
    above = [message for message in slack.messages(ANNOUNCED) if not message.thread_ts or message.thread_ts == message.ts]
    assert (count(above, "login fails"), len(above)) == (1, 1), f"{context}: {[message.text for message in above]}"
    assert count(said, "Look at the services") == 1, f"{context}: {[message.text for message in said]}"
    assert count(said, "docker: check failed") == 1, f"{context}: {[message.text for message in said]}"
    assert {text: number for text, number in lines.items() if number != 1} == {}, context
    names = list(LINES)
    assert all(lines[LEFT[name]] for name in names[: names.index(last) + 1]), context
    if last == "resolve":
        below = [message for message in slack.messages(ANNOUNCED) if message not in above]
        assert (count(said, "Post-mortem"), count(below, "Post-mortem")) == (1, 1), context


async def one_kill(home: Path, stage: str, fatal: int) -> bool:
    """Everything before the stage, then die in it, start again, and check; False when the point was never reached."""
    names, context = list(LINES), f"{stage} killed at {fatal}"
    async with workspace() as slack:
        async with bot(slack, home, fatal) as process:
            await type_all(slack, home, process, names[: names.index(stage)], context)
            (home / "armed").touch()
            await type_all(slack, home, process, [stage], context)
            await asyncio.to_thread(process.join, 0.2)
            killed = process.exitcode == -signal.SIGKILL
            assert killed or process.is_alive(), context
        async with bot(slack, home) as process:
            await rest(home, process, context) if timeline(home)[LEFT["open"]] else None
            await type_all(slack, home, process, [*names[: names.index(stage)], stage], context)
            await rest(home, process, context)
            check(slack, timeline(home), stage, context)
    return killed


# Opening has the most points, so that its loop is walked in three: every third point from the first, the second, the third.
@pytest.mark.parametrize(
    ("stage", "first", "stride", "least"),
    [("open", 1, 3, 16), ("open", 2, 3, 16), ("open", 3, 3, 16), ("note", 1, 1, 6), ("step", 1, 1, 8), ("resolve", 1, 1, 10)],
)
async def test_an_incident_killed_at_any_point_is_there_once_and_said_once(
    tmp_path: Path, stage: str, first: int, stride: int, least: int
) -> None:
    reached = 0
    for fatal in range(first, MOST_POINTS, stride):
        home = tmp_path / str(fatal)
        home.mkdir()
        if not await one_kill(home, stage, fatal):
            break
        reached = fatal
    assert least <= reached < MOST_POINTS - stride
