"""Nobody approves their own request; a ticket is granted once, by somebody who may, before it runs out."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.model import Account, Outcome, Person, Reply, Role
from bot.testing.bot import OPS, Bot, a_bot
from bot.testing.clock import Clock
from tests.bot.demo import Demo

ADA, BEN = Account("slack", "ada"), Account("slack", "ben")


def reason(reply: Reply) -> str:
    """The key of a refusal."""
    assert reply.outcome is Outcome.REFUSED, reply
    return str(reply.data["reason"])


async def asked(bot: Bot, who: str = "slack:olga") -> int:
    """The number of a ticket for ``demo wipe``."""
    reply = await bot.types(who, "demo wipe")
    assert reply.outcome is Outcome.PENDING, reply
    assert reply.ticket is not None
    return reply.ticket


async def settled(bot: Bot) -> None:
    """Wait until nothing runs and everything is shown."""
    await bot.quiet()
    for platform in bot.chats:
        await bot.shown(platform)


async def test_a_risky_command_waits_for_a_second_person(bot: Bot, demo: Demo) -> None:
    await asked(bot)
    await settled(bot)
    assert demo.applied == []


async def test_another_admin_approves_and_it_runs_once(bot: Bot, demo: Demo) -> None:
    number = await asked(bot)
    reply = await bot.types("slack:ada", f"approve {number}")
    await settled(bot)
    assert reply.outcome is Outcome.DONE
    assert len(demo.applied) == 1
    (card,) = [post for post in bot.chats["slack"].at(OPS["slack"]) if post.reply.title == "wiped"]
    assert card.reply.footer == f"#{number} · asked by olga · approved by ada"
    assert card.reply.private is False


async def test_an_admin_cannot_approve_their_own_request(bot: Bot, demo: Demo) -> None:
    number = await asked(bot, "slack:ada")
    assert reason(await bot.types("slack:ada", f"approve {number}")) == "permissions.own_request"
    await settled(bot)
    assert demo.applied == []


async def test_an_admin_cannot_approve_their_own_request_from_their_other_account(bot: Bot, demo: Demo) -> None:
    number = await asked(bot, "slack:ada")
    assert reason(await bot.types("discord:1", f"approve {number}")) == "permissions.own_request"
    assert reason(await bot.types("local:ada", f"approve {number}")) == "permissions.own_request"
    assert demo.applied == []


async def test_an_account_known_only_by_its_group_cannot_approve_across_platforms(tmp_path: Path, demo: Demo) -> None:
    admins = ((Account("slack-group", "S1"),), (Account("discord-role", "7"),))
    people: dict[str, Any] = {"vcc_admins": admins, "vcc_operators": (), "vcc_viewers": ()}
    async with a_bot(tmp_path, *demo.groups, **people) as bot:
        bot.chats["slack"].groups = {Account("slack", "U1"): frozenset({Account("slack-group", "S1")})}
        bot.chats["slack"].groups[Account("slack", "U2")] = frozenset({Account("slack-group", "S1")})
        bot.chats["discord"].groups = {Account("discord", "9"): frozenset({Account("discord-role", "7")})}
        number = await asked(bot, "slack:U1")
        assert reason(await bot.types("discord:9", f"approve {number}")) == "permissions.maybe_same_person"
        assert demo.applied == []
        # On one platform, two accounts are two people.
        assert (await bot.types("slack:U2", f"approve {number}")).outcome is Outcome.DONE


@pytest.mark.parametrize(("who", "key"), [("slack:olga", "not_an_approver"), ("slack:vera", "too_low"), ("slack:zed", "unknown_account")])
async def test_only_an_admin_approves(bot: Bot, demo: Demo, who: str, key: str) -> None:
    number = await asked(bot, "slack:ada")
    assert reason(await bot.types(who, f"approve {number}")) == f"permissions.{key}"
    assert demo.applied == []


async def test_two_approvers_at_once_make_one_run(bot: Bot, demo: Demo) -> None:
    number = await asked(bot)
    people = ("slack:ada", "slack:ben", "discord:1", "discord:2", "local:ben")
    replies = await asyncio.gather(*(bot.types(who, f"approve {number}") for who in people))
    await settled(bot)
    assert len(demo.applied) == 1
    refused = [reason(reply) for reply in replies if reply.outcome is Outcome.REFUSED]
    assert refused == ["approvals.already.granted"] * 4


async def test_an_approval_is_used_once(bot: Bot, demo: Demo) -> None:
    number = await asked(bot)
    await bot.types("slack:ada", f"approve {number}")
    await settled(bot)
    assert reason(await bot.types("slack:ben", f"approve {number}")) == "approvals.already.granted"
    assert len(demo.applied) == 1


async def test_a_ticket_runs_out_even_before_anybody_tidies(bot: Bot, demo: Demo) -> None:
    number = await asked(bot)
    bot.clock.forward(30 * 60)
    assert reason(await bot.types("slack:ada", f"approve {number}")) == "approvals.expired"
    assert demo.applied == []


async def test_a_ticket_that_ran_out_says_so_on_every_card(bot: Bot) -> None:
    number = await asked(bot)
    bot.forward(31 * 60)
    assert await bot.app.approvals.expire() == 1
    bot.app.wake()
    await settled(bot)
    for chat in bot.chats.values():
        (card,) = chat.cards(number)
        assert card.reply.text.startswith("Expired")
        assert card.reply.buttons == ()
    assert reason(await bot.types("slack:ada", f"approve {number}")) == "approvals.already.expired"
    assert [row["event"] for row in await bot.audit()].count("expired") == 1


async def test_a_button_of_another_plan_is_refused(bot: Bot, demo: Demo) -> None:
    number = await asked(bot)
    assert reason(await bot.types("slack:ada", f"approve {number} --plan 0000000000")) == "approvals.other_card"
    assert reason(await bot.types("slack:ada", f"deny {number} --plan 0000000000")) == "approvals.other_card"
    assert demo.applied == []


async def test_the_cards_button_types_an_approval_that_holds(bot: Bot, demo: Demo) -> None:
    number = await asked(bot)
    await settled(bot)
    (card,) = bot.chats["discord"].cards(number)
    assert (await bot.presses("discord:2", card, "Approve")).outcome is Outcome.DONE
    await settled(bot)
    assert len(demo.applied) == 1


async def test_a_denied_ticket_never_runs_and_closes_everywhere(bot: Bot, demo: Demo) -> None:
    number = await asked(bot)
    assert (await bot.types("discord:1", f"deny {number} not today")).outcome is Outcome.DONE
    await settled(bot)
    for chat in bot.chats.values():
        (card,) = [post for post in chat.cards(number) if not post.reply.private]
        assert card.reply.text == "Denied by ada. Nothing was run."
        assert card.reply.buttons == ()
    assert reason(await bot.types("slack:ben", f"approve {number}")) == "approvals.already.denied"
    assert demo.applied == []
    (row,) = [row for row in await bot.audit() if row["event"] == "denied"]
    assert "not today" in row["detail"]


async def test_the_asker_withdraws_their_own_request(bot: Bot, demo: Demo) -> None:
    number = await asked(bot)
    assert (await bot.types("local:olga", f"deny {number}")).outcome is Outcome.DONE
    assert reason(await bot.types("slack:ada", f"approve {number}")) == "approvals.already.withdrawn"
    assert demo.applied == []


async def test_another_operator_cannot_deny(tmp_path: Path, demo: Demo) -> None:
    async with a_bot(tmp_path, *demo.groups, vcc_operators=((Account("slack", "olga"),), (Account("slack", "otto"),))) as bot:
        number = await asked(bot)
        assert reason(await bot.types("slack:otto", f"deny {number}")) == "permissions.not_an_approver"


async def test_the_answer_closes_the_card_on_the_other_platform_too(bot: Bot) -> None:
    number = await asked(bot)
    await bot.types("discord:1", f"approve {number}")
    await settled(bot)
    (card,) = [post for post in bot.chats["discord"].cards(number) if not post.reply.private]
    assert card.reply.text == "Approved by ada. It is done."
    assert card.reply.buttons == ()


async def test_an_unknown_ticket_is_refused(bot: Bot) -> None:
    assert reason(await bot.types("slack:ada", "approve 77")) == "approvals.unknown"
    assert reason(await bot.types("slack:ada", "deny 77")) == "approvals.unknown"


async def test_an_approver_who_is_no_admin_any_more_when_it_runs_is_refused(bot: Bot, demo: Demo) -> None:
    number = await asked(bot)
    ticket = await bot.app.approvals.get(number)
    approver = Person("zed", frozenset({Account("slack", "zed")}), Role.ADMIN)
    held = await bot.granted(ticket.id, approver, Account("slack", "zed"))
    reply = await bot.app.dispatch.run(held)
    assert reason(reply) == "permissions.not_an_approver"
    assert demo.applied == []


async def test_an_asker_who_lost_their_rights_is_refused_when_it_runs(tmp_path: Path, demo: Demo) -> None:
    async with a_bot(tmp_path, *demo.groups) as bot:
        number = await asked(bot)
    async with a_bot(tmp_path, *demo.groups, vcc_operators=(), vcc_viewers=((Account("slack", "olga"),),), clock=bot.clock) as later:
        reply = await later.types("local:ada", f"approve {number}")
        assert reason(reply) == "permissions.too_low"
        assert demo.applied == []


async def test_a_ticket_survives_a_restart(tmp_path: Path, demo: Demo) -> None:
    async with a_bot(tmp_path, *demo.groups) as bot:
        number = await asked(bot)
    async with a_bot(tmp_path, *demo.groups, clock=bot.clock) as later:
        reply = await later.types("local:ada", f"approve {number}")
        assert reply.outcome is Outcome.DONE
        assert len(demo.applied) == 1


# ---------------------------------------------------------------- a team of one
async def code_of(bot: Bot, number: int) -> str:
    """The code on the card."""
    return (await bot.app.approvals.get(number)).code


async def test_a_team_of_one_types_the_code_of_the_card(tmp_path: Path, demo: Demo) -> None:
    async with a_bot(tmp_path, *demo.groups, vcc_approvals="solo") as bot:
        number = await asked(bot, "local:ada")
        code = await code_of(bot, number)
        for wrong in ("", " --code 00000", " --code ４８２１", " --code 코드"):
            assert reason(await bot.types("local:ada", f"approve {number}{wrong}")) == "approvals.wrong_code"
        assert demo.applied == []
        assert (await bot.types("local:ada", f"approve {number} --code {code}")).outcome is Outcome.DONE
        assert len(demo.applied) == 1
        (row,) = [row for row in await bot.audit() if row["event"] == "granted"]
        assert '"how":"solo"' in row["detail"]


async def test_a_solo_card_shows_the_code_and_has_no_approve_button(tmp_path: Path, demo: Demo) -> None:
    async with a_bot(tmp_path, *demo.groups, vcc_approvals="solo") as bot:
        reply = await bot.types("local:ada", "demo wipe")
        assert f"--code {await code_of(bot, reply.ticket or 0)}" in reply.text
        assert [button.label for button in reply.buttons] == ["Deny"]


async def test_a_ticket_without_a_code_stays_unapproved_when_the_team_turns_solo(tmp_path: Path, demo: Demo) -> None:
    clock = Clock()
    async with a_bot(tmp_path, *demo.groups, clock=clock) as bot:
        number = await asked(bot, "local:ada")
    async with a_bot(tmp_path, *demo.groups, clock=clock, vcc_approvals="solo") as bot:
        assert reason(await bot.types("local:ada", f"approve {number}")) == "approvals.wrong_code"
        assert demo.applied == []
