"""The night something was deleted, on a phone: a backup, a restore asked in one place and approved in the other, the report in both."""

from __future__ import annotations

from pathlib import Path

from bot.sandbox.deployment import Deployment
from tests.commands.backup.restore_parts import client_of, database_of, quiet, spoil
from tests.stories.stage import CHANNEL, Stage, stage

PEOPLE = ("olga", "ada")
LONG = 60.0


def _settings(sandbox: Deployment, shelf: Path, operator: str, admin: str) -> dict[str, str]:
    return {**sandbox.env, "VCC_BACKUP_DIR": str(shelf), "VCC_OPERATORS": operator, "VCC_ADMINS": admin}


def _shelf(tmp_path: Path) -> Path:
    shelf = tmp_path / "backups"
    shelf.mkdir()
    return shelf


async def _restored(on: Stage) -> None:
    await on.slack.until(lambda: any("Restored:" in said for said in on.said_in_slack()), LONG)
    await on.discord.until(lambda: any("Restored:" in said or "It is done" in said for said in on.said_in_discord()), LONG)


async def test_backed_up_in_slack_restored_with_a_second_person_in_discord(
    sandbox: Deployment, whole_sandbox: None, tmp_path: Path
) -> None:
    async with (
        quiet(sandbox.env),
        stage(tmp_path, PEOPLE, _settings(sandbox, _shelf(tmp_path), "slack:UOLGA", "discord:{ada}")) as on,
    ):
        delivery = await on.slack.slash("UOLGA", CHANNEL, text="backup create --wait 5s")
        await delivery.acked()
        assert delivery.acked_within_3s
        await on.slack.until(lambda: any("Compared with its source" in said for said in on.said_in_slack()), LONG)
        before = database_of(sandbox.env)
        spoil(sandbox.env)
        await on.slack.slash("UOLGA", CHANNEL, text="backup restore")
        await on.discord.until(lambda: any("Approve" in said for said in on.said_in_discord()))
        card = next(message for message in on.discord.messages(on.room) if message.components)
        shown = on.said_in_discord()[-1]
        for part in ("Restore backup", "documents made since the backup are lost", "safety backup first", "The service is down"):
            assert part in shown, part
        await on.discord.press(on.members["ada"], card.id, "Approve")
        await _restored(on)
        assert database_of(sandbox.env) == before


async def test_asked_in_discord_approved_in_slack(sandbox: Deployment, whole_sandbox: None, tmp_path: Path) -> None:
    async with (
        quiet(sandbox.env),
        stage(tmp_path, PEOPLE, _settings(sandbox, _shelf(tmp_path), "discord:{olga}", "slack:UADA")) as on,
    ):
        await on.discord.slash(on.members["olga"], on.room, "vcc backup create", {"wait": "5s"})
        await on.discord.until(lambda: any("Compared with its source" in said for said in on.said_in_discord()), LONG)
        with client_of(sandbox.env) as live:
            documents = live["users"].count_documents({})
            live["users"].insert_one({"email": "later@example.com"})
        await on.discord.slash(on.members["olga"], on.room, "vcc backup restore", {"only": "users"})
        await on.slack.until(lambda: any("Approval #1" in said for said in on.said_in_slack()))
        card = next(message for message in on.slack.messages(CHANNEL) if "Approval #1" in str(message.blocks))
        await on.slack.press("UADA", card, 0)
        await on.discord.until(lambda: any("Restored:" in said for said in on.said_in_discord()), LONG)
        with client_of(sandbox.env) as live:
            assert live["users"].count_documents({}) == documents
