"""An operator in Slack, an admin in Discord, one real backend: asked, refused, approved, restarted, recorded."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from bot.sandbox.deployment import Deployment
from tests.stories.conftest import QuietQueue
from tests.stories.stage import CHANNEL, Stage, stage

PEOPLE = ("olga", "ada")
SETTINGS = {"VCC_OPERATORS": "slack:UOLGA", "VCC_ADMINS": "discord:{ada}"}
LONG = 60.0


async def _asked(on: Stage) -> None:
    """Olga asks in Slack; the card stands on both platforms."""
    delivery = await on.slack.slash("UOLGA", CHANNEL, text="restart backend")
    await delivery.acked()
    assert delivery.acked_within_3s
    await on.slack.until(lambda: any("Approval #1" in said for said in on.said_in_slack()))  # on a busy machine it is progress first
    assert len(on.said_in_slack()) == 1
    await on.discord.until(lambda: bool(on.said_in_discord()))


async def _pid(on: Stage) -> int:
    return (await on.app.ops.containers.service("backend")).pid


async def test_a_restart_asked_in_slack_is_approved_in_discord_and_recorded(
    sandbox: Deployment, whole_sandbox: None, tmp_path: Path
) -> None:
    async with stage(tmp_path, PEOPLE, {**sandbox.env, **SETTINGS}) as on:
        before, known = await _pid(on), await on.app.ops.bull.queues()
        await _asked(on)
        card = on.said_in_slack()[0]
        assert "image generation" in card
        # Her own press is refused, and nothing has happened.
        await on.slack.press("UOLGA", on.slack.messages(CHANNEL)[0], 0)
        await on.slack.until(lambda: len(on.slack.ephemerals("UOLGA")) == 1)
        assert await _pid(on) == before
        # Ada approves in Discord.
        (message,) = on.discord.messages(on.room)
        await on.discord.press(on.members["ada"], message.id, "Approve")
        await on.slack.until(lambda: "approved by" in on.said_in_slack()[0], LONG)
        await on.discord.until(lambda: "It is done" in on.said_in_discord()[0])
        assert await _pid(on) != before
        after = await on.app.ops.bull.queues()
        assert [queue.is_paused for queue in after] == [False] * len(known)
        assert f"discord:{on.members['ada']}" in on.said_in_slack()[0]
        assert f"discord:{on.members['ada']}" in on.said_in_discord()[0]
        rows = list(reversed(await on.app.audit.tail(50)))
        assert [row["event"] for row in rows if "restart" in row["line"]] == ["opened", "closed", "asked", "opened", "closed"]
        assert [row["event"] for row in rows if row["event"] == "granted"] == ["granted"]
        assert (await on.app.audit.verify())[1] == 0


async def test_one_changed_byte_of_one_row_is_named(sandbox: Deployment, tmp_path: Path) -> None:
    async with stage(tmp_path, PEOPLE, {**sandbox.env, **SETTINGS}) as on:
        await _asked(on)
        assert (await on.app.audit.verify())[1] == 0
    with sqlite3.connect(tmp_path / "vcc.db") as database:
        database.execute("UPDATE audit SET line = 'restart backemd' WHERE seq = 2")
    database.close()
    async with stage(tmp_path, PEOPLE, {**sandbox.env, **SETTINGS}) as on:
        assert await on.app.audit.verify() == (1, 2)


@pytest.mark.parametrize("change", ["another job starts", "the container is restarted"])
async def test_an_approval_is_void_when_the_plan_has_changed(
    change: str, sandbox: Deployment, whole_sandbox: None, quiet_queue: QuietQueue, tmp_path: Path
) -> None:
    async with stage(tmp_path, PEOPLE, {**sandbox.env, **SETTINGS}) as on:
        await _asked(on)
        if change == "another job starts":
            await quiet_queue.begin_another_job()
        else:
            service = await on.app.ops.containers.service("backend")
            await on.app.ops.containers.restart(service.container_id)
            await on.app.ops.containers.wait_healthy(service.container_id, LONG)
        before = await _pid(on)
        await on.discord.press(on.members["ada"], on.discord.messages(on.room)[0].id, "Approve")
        await on.slack.until(lambda: len(on.said_in_slack()) == 2 and "Void" in on.said_in_slack()[0])
        await on.discord.until(lambda: len(on.said_in_discord()) == 2)
        assert "What changed" in on.said_in_slack()[1]
        assert "Approval #2" in on.said_in_slack()[1]
        assert await _pid(on) == before
