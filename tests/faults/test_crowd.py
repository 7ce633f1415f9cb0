"""500 commands from 50 people on both platforms at once: all acknowledged in time, none lost, none answered twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bot.command import Group, Rest
from bot.context import Context
from bot.model import Reply, Risk
from commands import help as help_group
from tests.faults import victim
from tests.platforms.discord import Delivery as DiscordDelivery
from tests.platforms.slack import Delivery as SlackDelivery
from tests.stories.stage import CHANNEL, Stage, stage

PEOPLE = tuple(f"person{number:02d}" for number in range(50))
EACH = 5
ENOUGH = 90.0


def _crowd(ran: list[str]) -> Group:
    group = Group("work")

    @group.command("once", Risk.READ, examples=("work once",))
    async def once(ctx: Context, name: Rest = Rest("")) -> Reply:
        ran.append(name)
        return Reply(f"answer {name}")

    return group


async def _type_in_slack(on: Stage, person: str) -> Sequence[SlackDelivery]:
    return [await on.slack.slash(f"U{person.upper()}", CHANNEL, text=f"work once slack-{person}-{turn}") for turn in range(EACH)]


async def _type_in_discord(on: Stage, person: str) -> Sequence[DiscordDelivery]:
    turns = range(EACH)
    return [await on.discord.slash(on.members[person], on.room, "vcc work once", {"name": f"discord-{person}-{turn}"}) for turn in turns]


def _answers(texts: Sequence[str]) -> Counter[str]:
    return Counter(word for text in texts for word in set(text.split()) if word.startswith(("slack-", "discord-")))


async def test_a_crowd_on_both_platforms_is_acknowledged_in_time_and_answered_once_each(tmp_path: Path) -> None:
    victim.teach()
    ran: list[str] = []
    slack_ids = ",".join(f"slack:U{name.upper()}" for name in PEOPLE)
    settings = {"VCC_VIEWERS": f"{slack_ids},{','.join(f'discord:{{{name}}}' for name in PEOPLE)}"}
    async with stage(tmp_path, PEOPLE, settings, groups=(_crowd(ran), help_group.group)) as on:
        in_slack, in_discord = await asyncio.gather(
            asyncio.gather(*(_type_in_slack(on, name) for name in PEOPLE)), asyncio.gather(*(_type_in_discord(on, name) for name in PEOPLE))
        )
        slack_deliveries = [delivery for each in in_slack for delivery in each]
        discord_deliveries = [delivery for each in in_discord for delivery in each]
        await asyncio.gather(*(delivery.acked() for delivery in slack_deliveries))
        await asyncio.gather(*(delivery.until_answered() for delivery in discord_deliveries))
        assert [delivery.acked_within_3s for delivery in slack_deliveries] == [True] * 250
        assert [delivery.did_not_respond for delivery in discord_deliveries] == [False] * 250
        await on.slack.until(lambda: len(_answers(on.said_in_slack())) == 250, ENOUGH)
        await on.discord.until(lambda: len(_answers(on.said_in_discord())) == 250, ENOUGH)
        assert set(_answers([*on.said_in_slack(), *on.said_in_discord()]).values()) == {1}
        assert Counter(ran) == Counter(
            f"{platform}-{name}-{turn}" for platform in ("slack", "discord") for name in PEOPLE for turn in range(EACH)
        )
        assert (await on.app.audit.verify()) == (1000, 0)
