"""The record proves itself: whatever is changed in it, wherever, is found and named; what a crash left is told once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.audit import new_reference
from bot.model import Outcome
from bot.store import request_rows
from bot.testing.bot import OPS, Bot, a_bot
from bot.testing.clock import Clock
from tests.bot.demo import SECRET, Demo
from tests.bot.test_approvals import asked, reason

COLUMNS = ("at", "event", "reference", "account", "person", "place", "line", "outcome", "detail", "previous", "hash")


async def six_rows(bot: Bot) -> None:
    """A record of six rows."""
    for _ in range(3):
        await bot.types("slack:vera", "demo read something")
    assert await bot.app.audit.verify() == (6, 0)


async def spoil(bot: Bot, *statements: str) -> None:
    """Change the record behind its back."""

    def work(db: object) -> None:
        for statement in statements:
            db.execute(statement)  # type: ignore[attr-defined]

    await bot.app.store.write(work)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("row", [1, 4, 6])
async def test_one_changed_letter_in_any_column_names_the_row(bot: Bot, column: str, row: int) -> None:
    await six_rows(bot)
    change = "at + 1" if column == "at" else f"CASE {column} WHEN '' THEN 'x' ELSE 'x' || substr({column}, 2) END"
    await spoil(bot, f"UPDATE audit SET {column} = {change} WHERE seq = {row}")
    assert await bot.app.audit.verify() == (row - 1, row)


@pytest.mark.parametrize("row", [1, 3, 6])
async def test_a_row_that_was_taken_away_is_named(bot: Bot, row: int) -> None:
    await six_rows(bot)
    await spoil(bot, f"DELETE FROM audit WHERE seq = {row}")
    assert await bot.app.audit.verify() == (row - 1, row)


async def test_a_tail_that_was_cut_off_is_named(bot: Bot) -> None:
    await six_rows(bot)
    await spoil(bot, "DELETE FROM audit WHERE seq > 4")
    assert await bot.app.audit.verify() == (4, 5)


async def test_a_record_that_was_emptied_is_named(bot: Bot) -> None:
    await six_rows(bot)
    await spoil(bot, "DELETE FROM audit")
    assert await bot.app.audit.verify() == (0, 1)


@pytest.mark.parametrize("change", ["seq = 5", "seq = 7", "hash = 'x'"])
async def test_a_changed_head_is_found(bot: Bot, change: str) -> None:
    await six_rows(bot)
    await spoil(bot, f"UPDATE audit_head SET {change}")
    assert await bot.app.audit.verify() == (6, 7)


async def test_two_swapped_rows_are_found(bot: Bot) -> None:
    await six_rows(bot)
    await spoil(
        bot,
        "UPDATE audit SET seq = -1 WHERE seq = 2",
        "UPDATE audit SET seq = 2 WHERE seq = 3",
        "UPDATE audit SET seq = 3 WHERE seq = -1",
    )
    assert await bot.app.audit.verify() == (1, 2)


async def test_a_row_put_in_behind_the_last_is_found(bot: Bot) -> None:
    await six_rows(bot)
    await spoil(
        bot,
        "INSERT INTO audit SELECT 7, at, event, reference, account, person, place, line, outcome, detail, hash, 'x'"
        " FROM audit WHERE seq = 6",
    )
    assert await bot.app.audit.verify() == (6, 7)


async def test_the_chain_holds_for_times_without_a_fraction(tmp_path: Path, demo: Demo) -> None:
    async with a_bot(tmp_path, *demo.groups, clock=Clock(1_770_000_000)) as bot:
        await bot.types("slack:vera", "demo read")
        assert await bot.app.audit.verify() == (2, 0)


async def test_the_chain_goes_on_over_a_restart(tmp_path: Path, demo: Demo) -> None:
    async with a_bot(tmp_path, *demo.groups) as bot:
        await six_rows(bot)
    async with a_bot(tmp_path, *demo.groups) as later:
        await later.types("slack:vera", "demo read")
        assert await later.app.audit.verify() == (8, 0)


async def test_an_approval_is_on_the_record_with_both_people_and_the_plan(bot: Bot) -> None:
    number = await asked(bot)
    await bot.types("local:ada", f"approve {number}")
    rows = await bot.audit()
    (granted,) = [row for row in rows if row["event"] == "granted"]
    (held,) = [row for row in rows if row["event"] == "opened" and row["person"] == "olga"]
    assert granted["person"] == "ada"
    assert json.loads(granted["detail"])["how"] == "second-person"
    assert json.loads(held["detail"]) == {"approved_by": "local:ada", "ticket": number}
    assert json.loads(granted["detail"])["held"] == held["reference"]
    assert rows.index(held) < [row["event"] == "closed" and row["reference"] == held["reference"] for row in rows].index(True)


async def test_the_record_holds_no_secret(bot: Bot) -> None:
    await bot.types("slack:vera", f"demo read {SECRET}")
    await bot.types("slack:vera", "demo leak")
    assert "hunter22" not in json.dumps(await bot.audit())


def test_references_are_easy_to_read_out() -> None:
    references = {new_reference() for _ in range(1000)}
    assert len(references) == 1000
    assert not set("".join(references).removeprefix("R-")) & set("01OIl")


# ---------------------------------------------------------------- after a crash
async def crash_with(tmp_path: Path, demo: Demo, line: str, *, approved: bool = False) -> int:
    """A bot that dies while ``line`` is open; the ticket's number when it was approved."""
    async with a_bot(tmp_path, *demo.groups) as bot:
        if approved:
            number = await asked(bot)
            await bot.granted(
                number, await bot.app.gate.person_of(bot.invocation("slack:ada", "x").account), bot.invocation("slack:ada", "x").account
            )
        else:
            number = 0
            await bot.app.dispatch.accept(bot.invocation("slack:olga", line, key="event-1"))
        await bot.app.store.write(
            lambda db: db.execute("INSERT INTO locks SELECT 'a', reference, 'olga', 'x', instance, 1 FROM requests WHERE state = 'open'")
        )
        assert len(await bot.app.store.read(request_rows.still_open)) == 1
    return number


async def test_what_a_crash_interrupted_is_told_once(tmp_path: Path, demo: Demo) -> None:
    await crash_with(tmp_path, demo, "demo change a")
    async with a_bot(tmp_path, *demo.groups) as bot:
        await bot.shown()
        (post,) = bot.chats["slack"].at(OPS["slack"])
        assert post.reply.outcome is Outcome.INTERRUPTED
        assert "demo change a" in post.reply.text
        assert post.reply.reference in post.reply.footer
    async with a_bot(tmp_path, *demo.groups) as bot:
        await bot.shown()
        assert bot.chats["slack"].posts == {}
        assert [row["outcome"] for row in await bot.audit() if row["event"] == "closed"] == ["interrupted"]
    assert demo.ran == []


async def test_a_delivery_repeated_after_a_crash_is_not_run(tmp_path: Path, demo: Demo) -> None:
    await crash_with(tmp_path, demo, "demo change a")
    async with a_bot(tmp_path, *demo.groups) as bot:
        assert await bot.app.dispatch.accept(bot.invocation("slack:olga", "demo change a", key="event-1")) is None


async def test_targets_held_in_a_crash_are_free_again(tmp_path: Path, demo: Demo) -> None:
    await crash_with(tmp_path, demo, "demo change a")
    async with a_bot(tmp_path, *demo.groups) as bot:
        assert (await bot.types("slack:olga", "demo change a")).outcome is Outcome.DONE


async def test_an_approved_request_that_a_crash_interrupted_is_not_repeated(tmp_path: Path, demo: Demo) -> None:
    number = await crash_with(tmp_path, demo, "", approved=True)
    async with a_bot(tmp_path, *demo.groups) as bot:
        for platform in bot.chats:
            await bot.shown(platform)
        assert reason(await bot.types("slack:ben", f"approve {number}")) == "approvals.already.granted"
        (elsewhere,) = bot.chats["discord"].cards(number)
        assert "interrupted" in elsewhere.reply.text
        assert elsewhere.reply.buttons == ()
        assert any(post.reply.outcome is Outcome.INTERRUPTED for post in bot.chats["slack"].posts.values())
    assert demo.applied == []


async def test_what_another_living_program_runs_is_left_alone(tmp_path: Path, demo: Demo) -> None:
    demo.may_end.clear()
    async with a_bot(tmp_path, *demo.groups) as bot:
        accepted = await bot.app.dispatch.accept(bot.invocation("local:olga", "demo change a"))
        assert accepted is not None
        running = bot.app.dispatch.start(accepted)
        await demo.started.wait()
        async with a_bot(tmp_path, *demo.groups, running=False) as second:
            assert reason(await second.types("local:ada", "demo change a")) == "locks.busy"
        demo.may_end.set()
        assert (await running).outcome is Outcome.DONE
