"""Evidence: errors, the picture, commands and starts around an alert, said once below its message, also after a crash."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot import alerting
from bot.alert_evidence import Evidence
from bot.errors import Unreachable
from bot.model import Attachment
from bot.registry import Registry, discover
from bot.series import Series
from bot.store import alert_rows
from bot.store.error_rows import FoundErrors, Reading, add
from bot.testing.bot import Bot, a_bot
from tests.bot.alerted import STATE, everywhere, looks, rule
from tests.bot.test_alert_signals import BACKEND

DISK = rule(**{"for": "0s"})
DOWN = rule(STATE, name="service-down", **{"for": "0s"})


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Bot]:
    """The whole house on chats in memory."""
    async with a_bot(tmp_path) as bot:
        yield bot


def below(bot: Bot, platform: str = "slack") -> list[tuple[str, list[str]]]:
    """(title, names of fields) of what stands in threads."""
    posts = [post.reply for post in bot.chats[platform].posts.values() if post.below]
    return [(reply.title, [name for name, _ in reply.fields]) for reply in posts]


async def errors(bot: Bot, service: str) -> None:
    now = bot.clock()
    found = FoundErrors(
        "f1", "timeout", "MongoTimeout: mongodb://u:hunter2secret@h/ no server", (), now - 60, now, {(int(now) // 60 * 60, 60): 7}
    )
    await bot.app.store.write(lambda db: add(db, Reading(service, "c1", "", "p", now, [found])))


async def test_errors_and_what_people_changed_stand_below_the_alert_on_every_platform(bot: Bot) -> None:
    await errors(bot, "backend")
    await bot.types("slack:olga", "maintenance start --for 1h")
    await bot.types("slack:olga", "maintenance stop")
    await bot.types("slack:olga", "help")
    await looks(bot, DOWN, backend=1.0)
    await bot.app.evidence.round()
    await everywhere(bot)
    for platform in ("slack", "discord"):
        posts = [post.reply for post in bot.chats[platform].posts.values() if post.below]
        (found,) = [reply for reply in posts if reply.title.startswith("Around it")]
        told = dict(found.fields)
        assert told["Recent errors"].startswith("backend 7× MongoTimeout")
        assert "hunter2secret" not in told["Recent errors"]
        assert [line.partition(": ")[2] for line in told["Recent changes by people"].splitlines()] == [
            "maintenance stop",
            "maintenance start --for 1h",
        ]


@pytest.mark.parametrize(
    ("line", "told"),
    [("restart backend", True), ("backup create", True), ("status", False), ("checklist run daily", False), ("alert ack 1", False)],
)
def test_only_what_may_have_changed_what_is_watched_is_told(line: str, told: bool) -> None:
    assert alerting._changes(Registry(discover()), line) is told


async def test_it_is_given_once(bot: Bot) -> None:
    await errors(bot, "backend")
    await looks(bot, DOWN, backend=1.0)
    for _ in range(3):
        await bot.app.evidence.round()
    await everywhere(bot)
    assert len(below(bot)) == 1


async def test_the_course_of_the_figure_is_drawn_where_it_is_on_record(bot: Bot) -> None:
    team = bot.app.settings.vcc_home / "painted.png"
    drawn: list[str] = []

    class Painter:
        async def draw(self, reference: str, name: str, *charts: object) -> Attachment:
            drawn.append(reference)
            return Attachment(f"{name}.png", team, "image/png")

    for _ in range(10):
        await bot.app.history.add(bot.clock(), {Series("disk", "root", "percent"): 93.0})
        bot.clock.forward(30)
    await looks(bot, DISK, root=93.0)
    await evidence(bot, pictures=Painter()).round()
    assert drawn == ["alert-1"]
    await everywhere(bot)
    assert len(below(bot)) == 1


def evidence(bot: Bot, **changes: object) -> Evidence:
    made = bot.app.evidence
    return Evidence(replace(made._sight, **changes), bot.app.alerts, bot.app.rules, bot.app.words, bot.app.wake, bot.clock)  # type: ignore[arg-type]


async def test_containers_that_began_lately_are_named(bot: Bot) -> None:
    async def services() -> list[object]:
        return [replace(BACKEND, started_at=bot.clock() - 600), replace(BACKEND, name="redis", started_at=bot.clock() - 90_000)]

    await looks(bot, DOWN, redis=1.0)
    (alert,) = await bot.app.alerts.open()
    found = await evidence(bot, services=services).gathered(alert)
    assert found is not None
    assert dict(found.fields)["Containers started lately"] == "backend 10m ago (vcc)"


async def test_with_everything_down_the_alert_stands_alone(bot: Bot) -> None:
    async def services() -> list[object]:
        raise Unreachable("docker")

    await looks(bot, DOWN, backend=1.0)
    await evidence(bot, services=services).round()
    await everywhere(bot)
    assert below(bot) == []
    assert await bot.app.store.read(alert_rows.owed) == []


async def test_what_is_owed_is_given_after_a_restart(tmp_path: Path) -> None:
    async with a_bot(tmp_path) as bot:
        await errors(bot, "backend")
        await looks(bot, DOWN, backend=1.0)
        clock = bot.clock
    async with a_bot(tmp_path, clock=clock) as again:
        await again.app.evidence.round()
        assert await again.app.store.read(alert_rows.owed) == []
        again.chats["slack"]._numbers = iter(range(100, 200))  # type: ignore[assignment]
        await everywhere(again)
        assert [title for title, _ in below(again)] == ["Around it: Disk · backend"]
