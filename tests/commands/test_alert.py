"""Alerts on a real deployment: a real disk figure and a really stopped container, told and closed; and ``status`` shows them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.alert_signals import Source
from bot.alerts import Alert, AlertState
from bot.model import Tone
from bot.testing.chat import TestChat
from tests.commands.conftest import Bot, MakeBot, stop, until

RULES = """
[[rule]]
name = "disk"
title = { ko = "디스크 사용량", en = "Disk use" }
signal = "disk.percent"
above = LIMIT
clear_for = "0s"
severity = "critical"

[[rule]]
name = "service-down"
title = { ko = "컨테이너 꺼짐", en = "Container stopped" }
signal = "service.down"
above = 1
clear_for = "0s"
severity = "critical"
remedy = "service start {subject}"

[[rule]]
name = "unreachable"
title = { ko = "연결 안 됨", en = "Unreachable" }
signal = "reachable.lost"
above = 1
clear_for = "0s"
severity = "critical"
"""
CHANNEL = "slack:ALERTS"


@asynccontextmanager
async def watching(make_bot: MakeBot, team: Path, limit: float = 101.0) -> AsyncIterator[tuple[Bot, TestChat]]:
    """A bot whose alerts are shown in a chat in memory, with rules that need no time; its rounds are the test's."""
    await asyncio.to_thread(_write, team, limit)
    bot, chat = await make_bot(VCC_TEAM_DIR=str(team), VCC_CHANNEL_ALERTS=CHANNEL, VCC_LANG="ko"), TestChat("slack")
    bot.app.watching = False
    bot.app.add(chat)
    running = asyncio.create_task(bot.app.run())
    try:
        yield bot, chat
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def _write(team: Path, limit: float) -> None:
    team.mkdir()
    (team / "alerts.toml").write_text(RULES.replace("LIMIT", str(limit)))
    (team / "schedules.toml").write_text("schedule = []\n")


async def looked(bot: Bot, condition: Callable[[], Awaitable[bool]]) -> None:
    """Rounds until it is so: what is watched takes its time."""

    async def after_a_round() -> bool:
        await bot.app.watch.round()
        return await condition()

    await until(after_a_round, "the watch has seen it", 40.0)


async def open_alerts(bot: Bot) -> list[Alert]:
    return list(await bot.app.alerts.open())


async def test_a_whole_deployment_raises_nothing_by_the_shipped_rules(make_bot: MakeBot, whole_sandbox: None, tmp_path: Path) -> None:
    bot = await make_bot()
    bot.app.sampler.begin_round()
    await bot.app.sampler.idle()
    await bot.app.watch.round()
    found = {alert.rule for alert in await bot.app.alerts.open()}
    assert found <= {"backup"}  # whether there is one depends on the tests before


async def test_a_stopped_container_is_told_once_with_its_cause_and_recovers(make_bot: MakeBot, whole_sandbox: None, tmp_path: Path) -> None:
    async with watching(make_bot, tmp_path / "team") as (bot, chat):
        await stop(bot, "redis")

        async def told() -> bool:
            return bool(await open_alerts(bot))

        await looked(bot, told)
        await looked(bot, told)
        found = await open_alerts(bot)
        assert len(found) == 1, found
        alert = found[0]
        assert (alert.rule, alert.subject) == ("service-down", "redis")
        assert "redis 꺼짐" in alert.text
        status = (await bot("status")).data["alerts"]
        assert status == {"open": [alert.id], "critical": 1, "unacknowledged": 1}
        listed = await bot("alert")
        assert listed.title == "열린 알림 1건 (위험 1건)"
        assert (await bot(f"alert ack {alert.id}")).tone is Tone.GOOD
        await bot(f"service start {alert.subject}")

        async def over() -> bool:
            return not await open_alerts(bot)

        await looked(bot, over)
        await until(lambda: shown(chat, "복구됨"), "the message says so")
        assert len([post for post in chat.posts.values() if not post.below]) == 1
        lines = [post.reply.title for post in chat.posts.values() if post.below]
        assert any(line.startswith("‘service start redis’ 후 복구됐습니다") for line in lines), lines


async def shown(chat: TestChat, text: str) -> bool:
    return any(post.reply.title.startswith(text) for post in chat.posts.values())


async def test_a_real_disk_above_its_limit_is_an_alert_with_a_picture(make_bot: MakeBot, whole_sandbox: None, tmp_path: Path) -> None:
    async with watching(make_bot, tmp_path / "team", limit=0.1) as (bot, chat):
        bot.app.sampler.begin_round()
        await bot.app.sampler.idle()
        await bot.app.watch.round()
        alerts = [alert for alert in await open_alerts(bot) if alert.rule == "disk"]
        assert alerts
        assert all(alert.value is not None and 0 < alert.value <= 100 for alert in alerts)
        await bot.app.evidence.round()
        await until(lambda: shown(chat, "참고: 디스크 사용량"), "the evidence is there", 60.0)
        evidence = [post.reply for post in chat.posts.values() if post.reply.title.startswith("참고: 디스크 사용량")]
        assert [file.is_picture for reply in evidence for file in reply.files] == [True] * len(evidence)


async def test_nothing_secret_leaves_with_an_alert(
    make_bot: MakeBot, whole_sandbox: None, tmp_path: Path, sandbox_secrets: tuple[str, ...]
) -> None:
    async with watching(make_bot, tmp_path / "team", limit=0.1) as (bot, chat):
        services = await bot.app.ops.containers.services()
        await bot.app.errors.catch_up(services, 20.0)
        await stop(bot, "mongodb")

        async def told() -> bool:
            return any(alert.subject == "mongodb" for alert in await open_alerts(bot))

        await looked(bot, told)
        await bot.app.evidence.round()
        await until(lambda: shown(chat, "참고: 컨테이너 꺼짐"), "the evidence is there", 60.0)
        said = repr([post.said for post in chat.posts.values()])
        assert [secret for secret in sandbox_secrets if secret in said] == []


@pytest.mark.parametrize("source", ["docker", "mongodb", "redis", "health", "errors", "backup", "certificates", "connectors"])
async def test_every_source_answers_on_a_whole_deployment(make_bot: MakeBot, whole_sandbox: None, source: str) -> None:
    bot = await make_bot()
    asked: Source = next(each for each in bot.app.watch._sources if each.name == source)

    async def well() -> bool:  # what the test before stopped may have begun a moment ago
        async with asyncio.timeout(asked.deadline):
            readings = await asked.measure()
        bad = {signal for signal, found in readings.items() for each in found.values() if each.value}
        return bad <= {"backup.old", "backup.good_age_s", "redis.memory_percent", "errors.new"}

    await until(well, f"{source} finds nothing wrong", 40.0)


def test_the_states_of_an_alert_are_three() -> None:
    assert [each.value for each in AlertState] == ["open", "acknowledged", "closed"]
