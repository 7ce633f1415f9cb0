"""SIGKILL at every commit between a call and its answer: whoever is called is called once, on every platform, and nobody is forgotten."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from bot.model import Outcome
from bot.testing.bot import OPS, a_bot
from bot.testing.clock import Clock
from commands import oncall
from tests.faults import oncall_victim
from tests.faults.programs import processes

ENOUGH = 60.0
MOST_POINTS = 40
OPEN, NEXT, ANSWERED = "olga calls ada", "No answer for", "ben answered the call"


async def killed_at(home: Path, fatal: int) -> bool:
    """Whether the process reached this point, and died there."""
    process = processes.Process(target=oncall_victim.main, args=(home, fatal))
    process.start()
    await asyncio.to_thread(process.join, ENOUGH)
    assert process.exitcode in (0, -signal.SIGKILL)
    killed = process.exitcode != 0
    process.close()
    return killed


async def goes_on(home: Path) -> dict[str, list[str]]:
    """The next start brings it to its end; what every platform shows of it then, and nothing else but answers to requests."""
    async with a_bot(home, oncall.group, clock=Clock(oncall_victim.AFTER)) as bot:
        for _ in range(2):
            await bot.app.calling.escalation.round()
        answer = await bot.types("slack:ben", "oncall ack 1")
        assert answer.outcome in (Outcome.DONE, Outcome.REFUSED)
        bot.forward(10 * oncall_victim.WAIT)
        await bot.app.calling.escalation.round()
        shown = {}
        for platform in ("slack", "discord"):
            await bot.shown(platform)
            titles = [post.reply.title for post in bot.chats[platform].at(OPS[platform])]
            shown[platform] = [title for title in titles if title.startswith((OPEN, NEXT, ANSWERED))]
        return shown


async def test_a_call_killed_at_any_point_reaches_everybody_once(tmp_path: Path) -> None:
    never = reached = 0
    for fatal in range(1, MOST_POINTS):
        home = tmp_path / str(fatal)
        home.mkdir()
        if not await killed_at(home, fatal):
            break
        reached, shown = fatal, await goes_on(home)
        context = f"killed at point {fatal}: {shown}"
        assert shown["slack"] == shown["discord"], context
        if not shown["slack"]:
            never += 1
            assert never == fatal, f"{context}: it was there before"
            continue
        answered, called = shown["slack"]
        assert answered.startswith(ANSWERED), context
        assert called.startswith(NEXT), context
    # Before the request is on the record, and before its page is: nothing. After that it is always brought to its end.
    assert 2 <= never <= 4
    assert 8 <= reached < MOST_POINTS - 1
