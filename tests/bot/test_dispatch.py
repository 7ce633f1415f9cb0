"""The walk of one request: on the record first, once, one at a time, answered always."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from bot.errors import Conflict, RecordUnwritable, Usage
from bot.model import Account, Outcome, Place
from bot.testing.bot import OPS, Bot, a_bot
from bot.testing.waiting import until
from tests.bot.demo import Demo, rejected
from tests.bot.test_approvals import asked, reason


async def test_a_delivery_that_comes_twice_runs_once(bot: Bot, demo: Demo) -> None:
    first = await bot.app.dispatch.accept(bot.invocation("slack:vera", "demo read", key="event-1"))
    again = await bot.app.dispatch.accept(bot.invocation("slack:vera", "demo read", key="event-1"))
    assert first is not None
    assert again is None
    await bot.app.dispatch.run(first)
    assert await bot.app.dispatch.accept(bot.invocation("slack:vera", "demo read", key="event-1")) is None
    assert demo.ran == ["demo read"]


async def test_deliveries_that_come_twice_at_once_are_taken_once(bot: Bot) -> None:
    copies = [bot.invocation("slack:vera", "demo read", key="event-1") for _ in range(20)]
    taken = await asyncio.gather(*(bot.app.dispatch.accept(copy) for copy in copies))
    assert sum(each is not None for each in taken) == 1


async def test_a_request_is_on_the_record_before_it_runs(bot: Bot, demo: Demo) -> None:
    demo.may_end.clear()
    running = asyncio.create_task(bot.types("slack:olga", "demo change a"))
    await demo.started.wait()
    rows = await bot.audit()
    assert [(row["event"], row["line"]) for row in rows] == [("opened", "demo change a")]
    demo.may_end.set()
    await running
    assert [(row["event"], row["outcome"]) for row in await bot.audit()] == [("opened", ""), ("closed", "done")]


@pytest.mark.parametrize("line", ["demo read", "demo fail", "demo wipe", "nonsense", "demo change", '"unclosed', ""])
@pytest.mark.parametrize("who", ["slack:olga", "slack:zed", "local:vera"])
async def test_every_request_is_opened_and_closed_on_the_record(bot: Bot, who: str, line: str) -> None:
    reply = await bot.types(who, line)
    rows = [row for row in await bot.audit() if row["reference"] == reply.reference]
    assert rows[0]["event"] == "opened"
    assert [row["outcome"] for row in rows if row["event"] == "closed"] == [reply.outcome.value]
    assert (await bot.app.audit.verify())[1] == 0


async def test_nothing_runs_when_the_record_cannot_be_written(bot: Bot, demo: Demo) -> None:
    await fill_the_disk(bot)
    with pytest.raises(RecordUnwritable):
        await bot.types("slack:olga", "demo change a " + "x" * 400)
    assert demo.ran == []
    await make_room(bot)
    assert (await bot.types("slack:olga", "demo change a")).outcome is Outcome.DONE


async def fill_the_disk(bot: Bot) -> None:
    """No page more for the state file, and none free in it."""

    async def no_more(padding: int) -> bool:
        try:
            await bot.app.dispatch.accept(bot.invocation("slack:vera", "demo read " + "x" * padding))
        except RecordUnwritable:
            return True
        return False

    pages = await bot.app.store.read(lambda db: db.execute("PRAGMA page_count").fetchone()[0])
    await bot.app.store.write(lambda db: db.execute(f"PRAGMA max_page_count = {pages + 1}").fetchone())
    for padding in (1_000, 0):  # where a long line has no room a short one may have some
        await until(partial(no_more, padding), "the disk is full")


async def make_room(bot: Bot) -> None:
    """There is room again."""
    await bot.app.store.write(lambda db: db.execute("PRAGMA max_page_count = 1000000").fetchone())


@pytest.mark.parametrize(
    ("who", "line", "place", "key"),
    [
        ("slack:vera", "nonsense", None, "registry.unknown"),
        ("slack:vera", "demo wipee", None, "registry.unknown"),
        ("slack:vera", "demo change a", None, "permissions.too_low"),
        ("slack:zed", "demo read", None, "permissions.unknown_account"),
        ("slack:ada", "demo read", Place("slack", "ELSEWHERE"), "permissions.unknown_place"),
        ("slack:ada", "demo read", Place("slack", "D1", direct=True), "permissions.unknown_place"),
        ("slack:ada", "demo read", OPS["discord"], "permissions.unknown_place"),
        ("slack:ada", "demo read", OPS["local"], "permissions.console_off"),
        ("slack:olga", "demo change", None, "bind.missing"),
        ("slack:olga", "demo change a b", None, "bind.too_many"),
        ("slack:olga", "demo change a --fast", None, "bind.no_options"),
        ("slack:olga", 'demo change "a', None, "line.unclosed_quote"),
        ("slack:olga", "demo change " + "a" * 3000, None, "line.too_long"),
        ("slack:olga", "demo change " + "a " * 60, None, "line.too_many_words"),
    ],
)
async def test_every_refusal_says_what_is_missing(bot: Bot, demo: Demo, who: str, line: str, place: Place | None, key: str) -> None:
    reply = await bot.types(who, line, place=place)
    assert reason(reply) == key
    assert len(reply.text) > 20
    assert "{" not in reply.text
    assert demo.ran == []


async def test_a_refused_person_hears_who_can_help(bot: Bot) -> None:
    assert "ada, ben, olga" in (await bot.types("slack:vera", "demo change a")).text
    assert "ada, ben" in (await bot.types("slack:zed", "help")).text


async def test_a_refused_person_sees_the_refusal_in_chat(bot: Bot) -> None:
    await bot.types("slack:zed", "demo read")
    await bot.shown()
    (post,) = bot.chats["slack"].at(OPS["slack"])
    assert post.reply.outcome is Outcome.REFUSED
    assert post.reply.private is True


async def test_a_crash_gives_a_reference_that_finds_it_in_the_log(bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    reply = await bot.types("slack:vera", "demo fail")
    assert reply.outcome is Outcome.CRASHED
    assert reply.reference in reply.footer
    assert any(reply.reference in record.getMessage() and record.exc_info for record in caplog.records)


async def test_the_text_of_an_exception_is_never_said(bot: Bot) -> None:
    reply = await bot.types("slack:vera", "demo fail")
    assert "hunter22" not in repr(reply)
    assert "cannot connect" not in repr(reply)


async def test_a_vendors_own_words_are_never_said(bot: Bot, demo: Demo) -> None:
    demo.failure = rejected()
    reply = await bot.types("slack:vera", "demo fail")
    assert reply.outcome is Outcome.FAILED
    assert reply.reference in reply.footer
    assert "auth failed" not in repr(reply)
    assert "mongodb" in reply.text


async def test_a_command_past_its_time_is_answered(bot: Bot) -> None:
    reply = await bot.types("slack:vera", "demo slow")
    assert reply.outcome is Outcome.FAILED
    assert "0.05" in reply.text


async def test_an_answer_that_cannot_be_written_down_is_a_crash_and_not_silence(bot: Bot) -> None:
    reply = await bot.types("slack:vera", "demo odd")
    assert reply.outcome is Outcome.CRASHED
    await bot.shown()
    (post,) = bot.chats["slack"].at(OPS["slack"])
    assert post.reply.reference == reply.reference
    assert (await bot.audit())[-1]["outcome"] == "crashed"


async def test_a_sentence_with_a_missing_value_is_still_an_answer(bot: Bot, demo: Demo) -> None:
    demo.failure = Conflict("locks.busy", target="uploads")
    reply = await bot.types("slack:vera", "demo fail")
    assert reason(reply) == "locks.busy"
    assert "uploads" in reply.text


HOSTILE = [
    "\ud800",
    "a\x00b",
    "\u202egnp.exe",
    "\x1b[2J",
    "﷽" * 500,
    "e" + "\u0301" * 900,
    "\U000e0041",
    "status\r\nstatus",
    "/",
    "vcc",
    "\\",
]


@pytest.mark.parametrize("text", HOSTILE)
async def test_malicious_letters_are_refused_in_words_and_on_the_record(bot: Bot, text: str) -> None:
    reply = await bot.types("slack:olga", f"demo change {text} --x")
    assert reply.outcome is Outcome.REFUSED
    assert not set(repr(reply)) & {"\u202e", "\x1b", "\x00", "\ud800"}
    assert [row["event"] for row in await bot.audit()] == ["opened", "closed"]
    await bot.shown()


async def test_what_is_asked_in_the_course_of_a_request_is_recorded_with_it_and_shown_nowhere(bot: Bot, demo: Demo) -> None:
    accepted = await bot.app.dispatch.accept(bot.invocation("slack:olga", "demo change a"))
    assert accepted is not None
    reply = await bot.app.dispatch.ask(accepted, "demo read")
    assert (reply.outcome, demo.ran) == (Outcome.DONE, ["demo read"])
    opened = next(row for row in await bot.audit() if row["reference"] == reply.reference and row["event"] == "opened")
    assert f'"within": "{accepted.reference}"' in opened["detail"].replace('":"', '": "')
    messages = await bot.app.store.read(lambda db: db.execute("SELECT COUNT(*) FROM messages").fetchone()[0])
    assert messages == 1  # of the request itself
    with pytest.raises(Usage):
        await bot.app.dispatch.ask(accepted, "demo change b")
    stranger = replace(accepted, account=Account("slack", "zed"))
    assert (await bot.app.dispatch.ask(stranger, "demo read")).outcome is Outcome.REFUSED


async def test_what_is_asked_ends_with_whoever_asked_and_leaves_nothing_open(bot: Bot, demo: Demo) -> None:
    accepted = await bot.app.dispatch.accept(bot.invocation("slack:olga", "demo change a"))
    assert accepted is not None
    demo.may_end.clear()
    asking = asyncio.create_task(bot.app.dispatch.ask(accepted, "demo work"))
    await demo.started.wait()
    asking.cancel()  # as its deadline does
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert [each.reference for each in await bot.app.audit.all_running()] == [accepted.reference]


async def test_a_held_target_refuses_and_names_who_holds_it(bot: Bot, demo: Demo) -> None:
    demo.may_end.clear()
    running = asyncio.create_task(bot.types("slack:olga", "demo change a"))
    await demo.started.wait()
    bot.clock.forward(90)
    reply = await bot.types("slack:ada", "demo change a")
    assert reason(reply) == "locks.busy"
    assert "olga" in reply.text
    assert "1m 30s" in reply.text
    demo.may_end.set()
    assert (await running).outcome is Outcome.DONE
    assert (await bot.types("slack:ada", "demo change a")).outcome is Outcome.DONE


async def test_a_target_is_free_again_after_a_crash_of_the_work(bot: Bot, demo: Demo) -> None:
    number = await asked(bot)
    demo.failure = RuntimeError("bug")
    assert (await bot.types("local:ada", f"approve {number}")).outcome is Outcome.CRASHED
    assert (await bot.types("slack:olga", "demo change uploads")).outcome is Outcome.DONE


async def test_what_runs_when_the_bot_stops_is_told_as_interrupted_when_it_is_back(tmp_path: Path, demo: Demo) -> None:
    demo.may_end.clear()
    async with a_bot(tmp_path, *demo.groups) as bot:
        accepted = await bot.app.dispatch.accept(bot.invocation("slack:olga", "demo change a"))
        assert accepted is not None
        running = bot.app.dispatch.start(accepted)
        await demo.started.wait()
        await bot.app.dispatch.stop(0)
        assert (await running).outcome is Outcome.INTERRUPTED
    async with a_bot(tmp_path, *demo.groups) as bot:
        await bot.shown()
        assert bot.chats["slack"].at(OPS["slack"])[0].reply.outcome is Outcome.INTERRUPTED
    assert demo.ran == []


async def test_groups_that_cannot_be_looked_up_grant_nothing(tmp_path: Path, demo: Demo) -> None:
    async with a_bot(tmp_path, *demo.groups, vcc_viewers=((Account("slack-group", "S1"),),)) as bot:
        chat = bot.chats["slack"]
        chat.groups = {Account("slack", "U1"): frozenset({Account("slack-group", "S1")})}
        chat.knows_groups = False
        assert reason(await bot.types("slack:U1", "demo read")) == "permissions.roles_unknown"
        assert (await bot.types("slack:ada", "demo read")).outcome is Outcome.DONE
        chat.knows_groups = True
        assert (await bot.types("slack:U1", "demo read")).outcome is Outcome.DONE


async def test_an_endless_line_is_refused_for_its_length_and_not_for_the_time_its_cleaning_takes(tmp_path: Path) -> None:
    async with a_bot(tmp_path) as bot:
        refusal = await bot.types("slack:vera", "help " + "x password=" * 1_500_000)
        assert (refusal.outcome, refusal.data["reason"]) == (Outcome.REFUSED, "line.too_long")
