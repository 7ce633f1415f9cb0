"""What was approved is what runs: a plan that moved further than its card allows is asked about again."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bot.model import Fact, Outcome, Reply, Tolerance
from bot.testing.bot import Bot
from bot.testing.waiting import until
from tests.bot.demo import Demo, files
from tests.bot.test_approvals import asked, reason, settled


async def approved_after(bot: Bot, demo: Demo, change: dict[str, object]) -> Reply:
    """Ask, let the world change, approve at the terminal; the outcome."""
    number = await asked(bot)
    for name, value in change.items():
        setattr(demo, name, value)
    return await bot.types("local:ada", f"approve {number}")


@pytest.mark.parametrize(
    "change",
    [
        {"facts": files("a.png", "c.png")},
        {"facts": files("a.png")},
        {"facts": (*files("a.png", "b.png"), Fact("more", "More", "1", 1))},
        {"facts": ()},
        {"targets": ("uploads", "mongodb")},
        {"reversible": False},
    ],
)
async def test_a_plan_that_moved_is_not_carried_out(bot: Bot, demo: Demo, change: dict[str, object]) -> None:
    reply = await approved_after(bot, demo, change)
    assert reply.outcome is Outcome.PENDING
    assert demo.applied == []
    assert "What changed" in reply.text


async def test_the_new_card_says_what_changed_and_can_be_approved(bot: Bot, demo: Demo) -> None:
    reply = await approved_after(bot, demo, {"facts": files("a.png", "b.png", "c.png")})
    assert "Files: 2 → 3" in reply.text
    assert reply.ticket is not None
    assert (await bot.types("local:ben", f"approve {reply.ticket}")).outcome is Outcome.DONE
    assert demo.applied[0].value("files") == ["a.png", "b.png", "c.png"]


async def test_the_void_card_closes_everywhere_and_names_its_successor(bot: Bot, demo: Demo) -> None:
    number = await asked(bot)
    demo.facts = files("z.png")
    await bot.types("discord:2", f"approve {number}")
    await settled(bot)
    for chat in bot.chats.values():
        (old,) = [post for post in chat.cards(number) if not post.reply.private]
        assert old.reply.text.startswith("Void")
        assert old.reply.buttons == ()
        (new,) = chat.cards(number + 1)
        assert f"#{number + 1}" in old.reply.text
        assert [button.label for button in new.reply.buttons] == ["Approve", "Deny"]
    assert reason(await bot.types("slack:ada", f"approve {number}")) == "approvals.already.void"
    assert [row["event"] for row in await bot.audit()].count("void") == 1


@pytest.mark.parametrize(
    ("before", "after", "runs"),
    [
        (["a", "b"], ["a"], True),
        (["a", "b"], [], True),
        (["a", "b"], ["a", "c"], False),
        (["a", "b"], ["a", "b", "c"], False),
        (10, 9, True),
        (10, 11, False),
    ],
)
async def test_a_plan_that_may_shrink_runs_only_when_it_did_not_grow(
    bot: Bot, demo: Demo, before: object, after: object, runs: bool
) -> None:
    fact = Fact("files", "Files", "", before, Tolerance.MAY_SHRINK)
    demo.facts = (fact,)
    reply = await approved_after(bot, demo, {"facts": (replace(fact, value=after),)})
    assert (reply.outcome is Outcome.DONE) is runs
    assert [plan.value("files") for plan in demo.applied] == ([after] if runs else [])


async def test_a_fact_that_may_change_does_not_void(bot: Bot, demo: Demo) -> None:
    fact = Fact("age", "Age", "1 h", 3600, Tolerance.ANY)
    demo.facts = (*files("a"), fact)
    reply = await approved_after(bot, demo, {"facts": (*files("a"), replace(fact, value=7200))})
    assert reply.outcome is Outcome.DONE


async def test_a_card_that_allows_nothing_is_not_widened_by_the_second_plan(bot: Bot, demo: Demo) -> None:
    reply = await approved_after(bot, demo, {"facts": files("a.png", "z.png", tolerance=Tolerance.ANY)})
    assert reply.outcome is Outcome.PENDING
    assert demo.applied == []


async def test_a_fact_that_json_writes_differently_is_no_change(bot: Bot, demo: Demo) -> None:
    demo.facts = (
        Fact("pairs", "Pairs", "1", ((1, "a"),)),
        Fact("names", "Names", "2", frozenset({"x", "y"})),
        Fact("path", "", "", Path("p")),
    )
    assert (await approved_after(bot, demo, {})).outcome is Outcome.DONE


async def test_the_target_is_held_from_before_the_second_look(bot: Bot, demo: Demo) -> None:
    number = await asked(bot)
    demo.planning.clear()
    running = asyncio.create_task(bot.types("local:ada", f"approve {number}"))

    async def is_held() -> bool:
        return bool(await bot.app.store.read(lambda db: db.execute("SELECT 1 FROM locks").fetchone()))

    await until(is_held, "the target is held while the plan is computed again")
    assert reason(await bot.types("slack:olga", "demo change uploads")) == "locks.busy"
    demo.planning.set()
    assert (await running).outcome is Outcome.DONE
