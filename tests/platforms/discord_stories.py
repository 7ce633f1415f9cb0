"""The whole bot against the fake Discord, for the stories: a small team, commands of each kind, and what a person sees.

Knows nothing of how the door is made: it starts ``App`` with settings, as the program does.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from bot.app import App
from bot.command import Between, Duration, Group, Rest, ServiceName
from bot.config import Settings
from bot.context import Context
from bot.errors import Conflict
from bot.model import Account, Button, Fact, Plan, Progress, Reply, Risk, Tone
from bot.testing.bot import with_words, words_of
from commands.approve import group as approve
from commands.deny import group as deny
from commands.help import group as help_
from tests.platforms.discord import FakeDiscord, Message
from tests.platforms.picture_command import picture_group


class Clock:
    """The real time and what a test added to it."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@dataclass
class Works:
    """Commands for the stories; ``gate`` holds the slow one, ``size`` is what the risky one sees, which can ``refuse`` in the end."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    size: int = 3
    refuse: bool = False
    ran: list[str] = field(default_factory=list)

    def groups(self) -> tuple[Group, ...]:
        """All commands, the house's own for approvals among them."""
        return self._trying(), self._sweep(), picture_group(self.gate), approve, deny, help_

    def _trying(self) -> Group:
        group = Group("try")

        @group.command("echo", Risk.READ, examples=("try echo hi",))
        async def echo(ctx: Context, text: Rest = Rest(""), *, tag: str = "-") -> Reply:
            self.ran.append(f"echo {text}")
            return Reply("Echo", text, tone=Tone.GOOD, fields=(("tag", tag),), code=text)

        @group.command("typed", Risk.READ, examples=("try typed failed",))
        async def typed(
            ctx: Context,
            state: Literal["failed", "waiting"],
            service: ServiceName = ServiceName(""),
            *,
            most_lines: Annotated[int, Between(1, 500)] = 50,
            since: Duration = Duration(60.0),
            deep: bool = False,
        ) -> Reply:
            return Reply("Typed", f"{state}/{service}/{most_lines}/{since:g}/{deep}")

        @group.command("slow", Risk.READ, timeout=60, examples=("try slow",))
        async def slow(ctx: Context, *, hidden: bool = False) -> Reply:
            ctx.say(Progress("copying", 3, 10, "files"))
            await self.gate.wait()
            self.ran.append("slow")
            return Reply("Slow work", "all ten copied", private=hidden)

        @group.command("long", Risk.READ, examples=("try long",))
        async def long(ctx: Context) -> Reply:
            return Reply("Long", "\n".join(f"line {number} of many" for number in range(700)))

        @group.command("button", Risk.READ, examples=("try button",))
        async def button(ctx: Context) -> Reply:
            return Reply("Buttons", buttons=(Button("Echo", "try echo from-the-button"), Button("Strange", "no such thing")))

        @group.command("crash", Risk.READ, examples=("try crash",))
        async def crash(ctx: Context) -> Reply:
            raise ZeroDivisionError("mongodb://user:hunter2@db")

        return group

    def _sweep(self) -> Group:
        group = Group("sweep")

        async def plan(ctx: Context, name: str = "all") -> Plan:
            facts = (Fact("files", "files", str(self.size), self.size),)
            return Plan(f"sweep {name}", "removes files", facts, ("sweep",), True, "restore them")

        @group.risky("files", plan, examples=("sweep files",))
        async def apply(ctx: Context, plan: Plan) -> Reply:
            if self.refuse:
                raise Conflict("approvals.unknown", number=4711)
            self.ran.append(f"swept {plan.value('files')}")
            return Reply("Swept", f"{plan.value('files')} files", tone=Tone.GOOD)

        return group


@dataclass
class House:
    """The running bot, and who is there."""

    app: App
    fake: FakeDiscord
    works: Works
    clock: Clock
    ops: int
    ada: int
    ben: int
    olga: int
    vera: int
    stranger: int

    @property
    def door(self) -> Any:
        """The connector."""
        return self.app.connectors["discord"]

    async def answer(self, member: int, path: str, options: dict[str, Any] | None = None) -> Message:
        """Use a command and wait until its answer stands; progress is no answer."""
        delivery = await self.fake.slash(member, self.ops, path, options)
        return await delivery.until_finished()

    async def private(self, member: int, path: str, options: dict[str, Any] | None = None) -> Message:
        """Use a command whose answer only the asker sees."""
        delivery = await self.fake.slash(member, self.ops, path, options)
        (followup,) = await delivery.until_followups(1)
        return followup

    async def pressed(self, member: int, card: Message, label: str) -> Message:
        """Press a button and wait for what the presser is told."""
        return await (await self.fake.press(member, card.id, label)).until_finished()

    def visible(self, channel: int | None = None) -> list[Message]:
        """What everybody sees in a channel of what the bot wrote."""
        said = self.fake.messages(channel or self.ops)
        return [message for message in said if message.ephemeral_to is None and message.author == self.fake.application_id]


@dataclass(frozen=True)
class Team:
    """The guild's people and channel, made once so that the bot can be started twice."""

    ops: int
    ada: int
    ben: int
    olga: int
    vera: int
    stranger: int
    viewers: int


def team_in(fake: FakeDiscord) -> Team:
    """Two admins, an operator, a viewer by role, and somebody the settings do not know."""
    ops = fake.add_channel("ops")
    ada, ben, olga, vera, stranger = (fake.add_member(name) for name in ("ada", "ben", "olga", "vera", "stranger"))
    return Team(ops, ada, ben, olga, vera, stranger, fake.add_role("viewers", [vera]))


def settings_in(fake: FakeDiscord, team: Team, home: Path, **changes: Any) -> Settings:
    """Settings of this team on ``home``."""

    def person(member: int) -> tuple[Account, ...]:
        return (Account("discord", str(member)),)

    values: dict[str, Any] = {
        "vcc_home": home,
        "docker_host": f"unix://{home}/no-docker.sock",
        "vcc_lang": "en",
        "vcc_admins": (person(team.ada), person(team.ben)),
        "vcc_operators": (person(team.olga),),
        "vcc_viewers": ((Account("discord-role", str(team.viewers)),),),
        "vcc_channel_ops": (Account("discord", str(team.ops)),),
        "discord_token": fake.token,
        "discord_guild_id": fake.guild_id,
        "discord_api_url": fake.api_url,
        "discord_gateway_url": fake.gateway_url,
    }
    return Settings(**(values | changes))


@asynccontextmanager
async def house(
    fake: FakeDiscord,
    home: Path,
    *,
    team: Team | None = None,
    works: Works | None = None,
    change: Callable[[App], None] | None = None,
    **settings: Any,
) -> AsyncIterator[House]:
    """The bot, connected; stopped cleanly at the end. ``change`` is called with the app before it connects."""
    logging.getLogger("discord").setLevel(logging.CRITICAL)
    team, works, clock = team or team_in(fake), works or Works(), Clock()
    groups = works.groups()
    app = App(settings_in(fake, team, home, **settings), clock, groups, with_words(words_of(groups)))
    await app.open()
    app.connect()
    if change is not None:
        change(app)
    running = asyncio.create_task(app.run())
    sessions = len(fake.gateway.listening)
    try:
        await fake.until_connected(sessions + 1)
        yield House(app, fake, works, clock, team.ops, team.ada, team.ben, team.olga, team.vera, team.stranger)
    finally:
        works.gate.set()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await app.close()


def texts(message: Message) -> str:
    """Everything a message says, escapes and all."""
    parts = [message.content]
    for embed in message.embeds:
        parts.append(embed.get("description") or "")
        parts += [f"{field['name']}: {field['value']}" for field in embed.get("fields") or []]
        parts.append((embed.get("footer") or {}).get("text") or "")
    return "\n".join(parts)


def labels(message: Message) -> list[str]:
    """The buttons that can be pressed."""
    return [button["label"] for row in message.components for button in row["components"]]
