"""The real bot on a directory of its own, with chats in memory and a clock that tests move.

``async with a_bot(tmp_path) as bot: reply = await bot.types("slack:ada", "status")``
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot import outbox
from bot.app import App
from bot.command import Group
from bot.config import Settings
from bot.model import Account, Invocation, Person, Place, Progress, Reply
from bot.registry import discover
from bot.store import request_rows
from bot.testing.chat import Posted, TestChat
from bot.testing.clock import Clock
from bot.testing.waiting import until
from bot.words import Sentences, catalogue

OPS = {"slack": Place("slack", "OPS"), "discord": Place("discord", "100"), "local": Place("local", "console", direct=True)}

# Two admins, one of them on both platforms; an operator and a viewer.
PEOPLE: Mapping[str, Any] = {
    "vcc_admins": (
        (Account("slack", "ada"), Account("discord", "1"), Account("local", "ada")),
        (Account("slack", "ben"), Account("discord", "2"), Account("local", "ben")),
    ),
    "vcc_operators": ((Account("slack", "olga"), Account("local", "olga")),),
    "vcc_viewers": ((Account("slack", "vera"), Account("local", "vera")),),
    "vcc_channel_ops": (Account("slack", "OPS"), Account("discord", "100")),
    "vcc_lang": "en",
}


class Bot:
    """The app and its chats, and the people who type."""

    def __init__(self, app: App, chats: Mapping[str, TestChat], clock: Clock) -> None:
        self.app = app
        self.chats = chats
        self.clock = clock

    def invocation(self, who: str, line: str, *, key: str | None = None, place: Place | None = None) -> Invocation:
        """A line of somebody, as a connector would hand it in."""
        account = Account.parse(who)
        return Invocation(line, account, place or OPS[account.platform], secrets.token_hex(8) if key is None else key, self.clock())

    async def types(self, who: str, line: str, *, key: str | None = None, place: Place | None = None) -> Reply:
        """Type a line and get its answer; AssertionError when this delivery was taken before."""
        accepted = await self.app.dispatch.accept(self.invocation(who, line, key=key, place=place))
        if accepted is None:
            raise AssertionError(f"taken before: {key}")
        return await self.app.dispatch.start(accepted)

    async def presses(self, who: str, post: Posted, label: str) -> Reply:
        """Press a button of a message, as it stands now."""
        return await self.types(who, post.button(label).types)

    async def shown(self, platform: str = "slack") -> None:
        """Wait until the platform shows all that it should and can."""

        async def settled() -> bool:
            return all(waiting == 0 for name, waiting, _, _ in await outbox.state(self.app.store) if name == platform)

        await until(settled, f"everything is delivered on {platform}")

    async def quiet(self) -> None:
        """Wait until no request runs any more."""

        async def nothing_open() -> bool:
            return not await self.app.store.read(request_rows.still_open)

        await until(nothing_open, "every request is answered")

    async def granted(self, number: int, approver: Person, account: Account) -> Invocation:
        """Grant a ticket as this person, without the walk of ``approve``: what a test of the held request begins with."""
        invocation = Invocation(f"approve {number}", account, OPS[account.platform], "", self.clock(), reference=f"R-TEST{number}")
        context = self.app._context(invocation, approver, _say_nothing)
        return await self.app.approvals.grant(context, number, "", "")

    def forward(self, seconds: float) -> None:
        """Let time pass, and let the outboxes see it."""
        self.clock.forward(seconds)
        self.app.wake()

    async def audit(self) -> list[dict[str, Any]]:
        """All rows of the record, oldest first."""
        return [dict(row) for row in await self.app.audit.export(0)]


def settings_for(home: Path, **changes: Any) -> Settings:
    """Settings of a small team on ``home``, with changes."""
    return Settings(**{**PEOPLE, "vcc_home": home, "docker_host": f"unix://{home}/no-docker.sock", **changes})


def with_words(extra: Mapping[str, str]) -> Sentences:
    """The house's sentences, and some more that are the same in every language."""
    return lambda language: {**extra, **catalogue(language)}


def words_of(groups: Sequence[Group]) -> Mapping[str, str]:
    """A summary for every command of the groups and for each of their parameters."""
    commands = [command for group in groups for command in group.commands]
    keys = [f"{each.key}.param.{parameter.name}" for each in commands for parameter in each.parameters]
    return {key: key for key in (*(f"{each.key}.summary" for each in commands), *keys)}


def _say_nothing(progress: Progress) -> None:
    return None


@asynccontextmanager
async def a_bot(
    home: Path,
    *groups: Group,
    running: bool = True,
    clock: Clock | None = None,
    platforms: Sequence[str] = ("slack", "discord"),
    **settings: Any,
) -> AsyncIterator[Bot]:
    """The house with the commands of ``groups`` (without any, all its own), delivering to chats in memory until the end.

    Without ``running`` it takes lines and delivers nothing, as ``vcc do`` beside a running bot.
    """
    clock = clock or Clock()
    app = App(settings_for(home, **settings), clock, groups or discover(), with_words(words_of(groups)))
    app.watching = False
    chats = {platform: TestChat(platform) for platform in platforms}
    await app.open()
    for chat in chats.values():
        app.add(chat)
    delivering = [asyncio.create_task(app.run())] if running else []
    try:
        yield Bot(app, chats, clock)
    finally:
        for task in delivering:
            task.cancel()
        await asyncio.gather(*delivering, return_exceptions=True)
        await app.close(grace=1)
