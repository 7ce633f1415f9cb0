"""The whole bot, with a few small commands, behind the fake Slack: nothing of the bot, of slack_bolt or of slack_sdk is replaced."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.app import App
from bot.command import Group, Rest
from bot.config import read
from bot.connectors import slack as slack_door
from bot.connectors.slack_link import Pace
from bot.context import Context
from bot.model import Fact, Plan, Progress, Reply, Risk
from bot.testing.waiting import PATIENCE
from bot.webserver import WebServer
from bot.words import catalogue
from commands import approve, deny, help
from tests.parts import no_schedules
from tests.platforms.picture_command import picture_group
from tests.platforms.slack import FakeSlack, Message

# As patient as the real one, so that a machine that stands still for a moment cuts nobody off; only looked at more often.
PACE = Pace(look=0.05)


@dataclass
class Bench:
    """What the commands of these tests did, and what they wait for."""

    runs: list[str] = field(default_factory=list)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    def groups(self) -> Sequence[Group]:
        """``say``, ``whisper``, ``slow``, ``long``, ``wipe`` (risky); ``approve``, ``deny`` and ``help`` are the real ones."""
        own = (_say(self), _whisper(self), _slow(self), _long(self), _wipe(self), picture_group(self.go))
        return (*own, approve.group, deny.group, help.group)


def _say(bench: Bench) -> Group:
    group = Group("say")

    @group.command("say", Risk.READ, examples=("say hello",))
    async def say(ctx: Context, text: Rest = Rest("")) -> Reply:
        bench.runs.append(f"say {text}")
        return Reply(text, text, fields=((text, text),), code=text, footer=text)

    return group


def _whisper(bench: Bench) -> Group:
    group = Group("whisper")

    @group.command("whisper", Risk.READ, examples=("whisper",))
    async def whisper(ctx: Context, lines: int = 1, *, late: bool = False) -> Reply:
        bench.runs.append("whisper")
        if late:
            ctx.say(Progress("half way"))
            await bench.go.wait()
        return Reply("psst", "only you", code="\n".join(f"line {number} of the secret" for number in range(lines)), private=True)

    return group


def _slow(bench: Bench) -> Group:
    group = Group("slow")

    @group.command("slow", Risk.READ, examples=("slow",))
    async def slow(ctx: Context) -> Reply:
        bench.runs.append("slow")
        ctx.say(Progress("half way", 1, 2, "parts"))
        await bench.go.wait()
        return Reply("slow is done")

    return group


def _long(bench: Bench) -> Group:
    group = Group("long")

    @group.command("long", Risk.READ, examples=("long",))
    async def long(ctx: Context) -> Reply:
        bench.runs.append("long")
        attached = await ctx.attach("evidence.txt", (f"row {number}" for number in range(3)))
        return Reply("long", code="\n".join(f"line {number}" for number in range(3_000)), files=(attached,))

    return group


def _wipe(bench: Bench) -> Group:
    group = Group("wipe")

    async def plan(ctx: Context, target: str) -> Plan:
        return Plan("wipe", f"wipes {target}", (Fact("target", "target", target, target),), (target,), True, "undo it")

    @group.risky("wipe", plan, examples=("wipe x",))
    async def wipe(ctx: Context, plan: Plan) -> Reply:
        bench.runs.append(f"wipe {plan.value('target')}")
        return Reply("wiped", plan.value("target"))

    return group


_OWN = {
    **{f"picture.{name}.summary": name for name in ("now", "slow", "hidden")},
    **{f"{name}.{name}.summary": name for name in ("say", "whisper", "slow", "long", "wipe")},
    **{
        f"{name}.{name}.param.{word}": word
        for name, word in (("say", "text"), ("whisper", "lines"), ("whisper", "late"), ("wipe", "target"))
    },
}


def sentences(language: str) -> Mapping[str, str]:
    """The house's words, and those of the commands here."""
    return {**catalogue(language), **_OWN}


@dataclass
class House:
    """A running bot."""

    slack: FakeSlack
    app: App
    bench: Bench
    task: asyncio.Task[None]

    @property
    def door(self) -> slack_door.SlackConnector:
        """Slack's connector."""
        door = self.app.connectors["slack"]
        assert isinstance(door, slack_door.SlackConnector)
        return door

    def word(self, key: str, **values: object) -> str:
        """A sentence as people here read it."""
        return self.app.words(key, **values)

    async def until(self, condition: Callable[[], object], within: float = PATIENCE) -> None:
        """Wait for a condition."""
        await self.slack.until(condition, within)

    async def posted(self, count: int = 1, channel: str = "C1", within: float = PATIENCE) -> list[Message]:
        """The bot's messages of a channel, once there are that many."""
        await self.until(lambda: len(self.messages(channel)) >= count, within)
        return self.messages(channel)

    def messages(self, channel: str = "C1") -> list[Message]:
        """The bot's messages of a channel."""
        return [message for message in self.slack.messages(channel) if message.user == self.slack.bot_user]

    async def whispered(self, user: str, count: int = 1, within: float = PATIENCE) -> list[Message]:
        """What one person alone is shown, once there is that much."""
        await self.until(lambda: len(self.slack.ephemerals(user)) >= count, within)
        return self.slack.ephemerals(user)

    async def settled(self) -> None:
        """Nothing runs and nothing waits to be sent."""
        async with asyncio.timeout(PATIENCE):
            while True:
                waiting = await self.app.store.read(lambda db: _open_rows(db))
                if not waiting:
                    return
                await asyncio.sleep(0.02)

    async def crash(self) -> None:
        """Die as a killed process does: nothing is finished, nothing is said."""
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


def _open_rows(db: Any) -> int:
    # In one statement, or what moves from the one to the other in between would be missed.
    unsent = "SELECT COUNT(*) FROM messages WHERE version > delivered AND dead = 0"
    unanswered = "SELECT COUNT(*) FROM requests WHERE state = 'open'"
    return int(db.execute(f"SELECT ({unsent}) + ({unanswered})").fetchone()[0])


def text_of(message: Message) -> str:
    """All that a message shows."""
    return "\n".join([message.text, *_texts(message.blocks)])


def _texts(node: Any) -> list[str]:
    if isinstance(node, list):
        return [text for item in node for text in _texts(item)]
    if isinstance(node, dict):
        own = [node["text"]] if isinstance(node.get("text"), str) else []
        return own + [text for item in node.values() for text in _texts(item)]
    return []


@asynccontextmanager
async def workspace() -> AsyncIterator[FakeSlack]:
    """Ada and Ben are admins, Olga is an operator, Zoe is nobody; C1 is the bot's channel."""
    async with FakeSlack() as slack:
        for identity, name in (("U1", "ada"), ("U2", "ben"), ("U3", "olga"), ("U9", "zoe")):
            slack.add_user(identity, name)
        slack.add_channel("C1", "ops")
        slack.add_channel("C9", "random", members_include_bot=False)
        slack.limits.enforced = False
        yield slack


def environment(slack: FakeSlack, home: Path, more: Mapping[str, str]) -> dict[str, str]:
    """Settings for this workspace, Socket Mode unless told."""
    settings = {
        "VCC_HOME": str(home),
        **no_schedules(home),
        "VCC_ADMINS": "slack:U1,slack:U2",
        "VCC_OPERATORS": "slack:U3",
        "VCC_CHANNEL_OPS": "slack:C1",
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
        "SLACK_API_URL": slack.base_url,
        "DOCKER_HOST": f"unix://{home}/no-docker.sock",
        "VCC_HTTP_PORT": "0",
    }
    return {**settings, **more}


@asynccontextmanager
async def house(
    slack: FakeSlack, home: Path, more: Mapping[str, str] | None = None, pace: Pace = PACE, also: Sequence[Group] = ()
) -> AsyncIterator[House]:
    """The bot, heard by Slack when handed over. ``more``: further settings; ``also``: further commands."""
    bench = Bench()
    app = App(read(environment(slack, home, more or {}), dotenv=None), groups=(*bench.groups(), *also), sentences=sentences)
    await app.open()
    app.add(slack_door.build(app.doors(), pace))
    async with WebServer(app.settings, app.health, app.routes()) as server:
        slack.events_url = f"http://127.0.0.1:{server.port}/slack/events"
        task = asyncio.create_task(app.run())
        running = House(slack, app, bench, task)
        try:
            await running.until(lambda: task.done() or app.health()["slack"])
            yield running
        finally:
            bench.go.set()
            await running.crash()
            await app.close(grace=1)
