"""Schedules type their lines: once each time, late when missed, never two at once, and with their owner's rights of that moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.model import Account, Outcome, Place
from bot.testing.bot import OPS, a_bot
from bot.testing.clock import Clock
from bot.testing.waiting import until
from commands import schedule
from tests.bot.demo import Demo
from tests.bot.scheduled import SECOND, a_scheduled_bot, at, look, row, shown, write
from tests.bot.test_dispatch import fill_the_disk, make_room


@pytest.fixture
def clock() -> Clock:
    """Two hours before the nightly run."""
    return Clock(at("2026-11-20 01:10"))


async def test_a_line_is_typed_when_it_is_due_and_only_then_and_only_once(tmp_path: Path, demo: Demo, clock: Clock) -> None:
    async with a_scheduled_bot(tmp_path, demo, row(line="demo read a"), clock=clock) as bot:
        await look(bot, "2026-11-20 03:09")
        assert demo.ran == []
        for moment in ("03:10", "03:10", "03:11", "23:00"):
            await look(bot, f"2026-11-20 {moment}")
            assert demo.ran == ["demo read a"]
        await look(bot, "2026-11-21 03:10")
        assert len(demo.ran) == 2
        opened = [each for each in await bot.audit() if each["event"] == "opened"]
        assert [(each["account"], each["person"] or "-") for each in opened] == [("slack:ada", "-")] * 2
        assert '"schedule":"nightly"' in str(opened[0]["detail"]).replace(" ", "").replace("'", '"')


async def test_the_answer_stands_in_every_channel_and_says_whose_schedule_it_was(tmp_path: Path, demo: Demo, clock: Clock) -> None:
    channels = (Account("slack", "OPS"), Account("slack", "SECOND"), Account("discord", "100"))
    async with a_scheduled_bot(tmp_path, demo, row(line="demo read hello"), clock=clock, vcc_channel_ops=channels) as bot:
        await look(bot, "2026-11-20 03:10")
        for place in (OPS["slack"], SECOND, OPS["discord"]):
            (post,) = await shown(bot, place)
            assert (post.reply.title, post.reply.text) == ("read", "hello")
            assert post.reply.footer == "schedule nightly · ada"
        assert demo.ran == ["demo read hello"]


async def test_a_channel_of_a_platform_that_is_not_connected_is_left_out(tmp_path: Path, demo: Demo, clock: Clock) -> None:
    async with a_scheduled_bot(tmp_path, demo, row(), clock=clock, platforms=("discord",)) as bot:
        await look(bot, "2026-11-20 03:10")
        assert len(await shown(bot, OPS["discord"])) == 1
        assert [each["account"] for each in await bot.audit()] == ["discord:1"] * 2


async def test_without_any_channel_it_runs_all_the_same(tmp_path: Path, demo: Demo, clock: Clock) -> None:
    async with a_scheduled_bot(tmp_path, demo, row(), clock=clock, platforms=(), vcc_channel_ops=()) as bot:
        await look(bot, "2026-11-20 03:10")
        assert demo.ran == ["demo read"]
        assert [each["account"] for each in await bot.audit()] == ["local:ada"] * 2


async def test_several_that_are_due_at_once_do_not_wait_for_each_other(tmp_path: Path, demo: Demo, clock: Clock) -> None:
    rows = (row("one", line="demo change a"), row("two", line="demo read b"))
    demo.may_end.clear()
    async with a_scheduled_bot(tmp_path, demo, *rows, clock=clock) as bot:
        bot.clock.now = at("2026-11-20 03:10")
        await bot.app.scheduler.round()
        await until(lambda: [post.reply.footer for post in bot.chats["slack"].posts.values()] == ["schedule two · ada"], "two is answered")
        demo.may_end.set()
        await bot.quiet()


async def test_what_was_missed_while_down_runs_once_late_and_says_how_late(tmp_path: Path, demo: Demo, clock: Clock) -> None:
    async with a_scheduled_bot(tmp_path, demo, row(), clock=clock):
        pass
    clock.now = at("2026-11-23 09:30")
    async with a_scheduled_bot(tmp_path, demo, clock=clock) as bot:
        await bot.quiet()
        await look(bot, "2026-11-23 09:31")
        (post,) = await shown(bot)
        assert post.reply.text == "It was due 11-23 03:10 and runs 6h 20m late."
        assert len(demo.ran) == 1


async def test_what_is_not_wanted_late_is_left_out(tmp_path: Path, demo: Demo, clock: Clock) -> None:
    async with a_scheduled_bot(tmp_path, demo, row(catch_up=False), clock=clock) as bot:
        await look(bot, "2026-11-20 03:12")
        assert demo.ran == []
        (state,) = await bot.app.scheduler.everything()
        assert state.row.outcome == "passed"
        await look(bot, "2026-11-21 03:10")
        assert demo.ran == ["demo read"]


async def test_one_that_still_runs_is_not_begun_again_and_the_next_answer_says_so(tmp_path: Path, demo: Demo, clock: Clock) -> None:
    async with a_scheduled_bot(tmp_path, demo, row(line="demo change a"), clock=clock) as bot:
        demo.may_end.clear()
        for day in (20, 21, 22):
            bot.clock.now = at(f"2026-11-{day} 03:10")
            await bot.app.scheduler.round()
        demo.may_end.set()
        await bot.quiet()
        assert len(demo.ran) == 1
        await look(bot, "2026-11-23 03:10")
        said = [post.reply.text for post in await shown(bot)]
        assert said == ["a", "2 time(s) it was left out, because the run before was still going on.\na"]


async def test_a_clock_that_jumps_back_runs_nothing_twice_and_keeps_nothing_back(tmp_path: Path, demo: Demo, clock: Clock) -> None:
    async with a_scheduled_bot(tmp_path, demo, row(), clock=clock) as bot:
        await look(bot, "2026-11-20 03:10")
        for moment in ("2026-11-20 02:00", "2026-11-20 03:10", "2026-11-20 03:30"):
            await look(bot, moment)
        assert len(demo.ran) == 1
        await look(bot, "2027-11-20 03:10")  # a year ahead, and back
        await look(bot, "2026-11-20 03:40")
        assert len(demo.ran) == 2
        await look(bot, "2026-11-21 03:10")
        assert len(demo.ran) == 3


async def test_two_programs_on_one_state_run_it_once(tmp_path: Path, demo: Demo, clock: Clock) -> None:
    async with a_scheduled_bot(tmp_path, demo, row(), clock=clock) as one:
        folder = tmp_path / "own"
        async with a_bot(tmp_path, *demo.groups, schedule.group, running=False, clock=clock, vcc_team_dir=folder) as two:
            for day in range(20, 25):
                clock.now = at(f"2026-11-{day} 03:10")
                await two.app.scheduler.round()
                await one.app.scheduler.round()
            await one.quiet()
            assert len(demo.ran) == 5
            assert len(await shown(one)) == len(await shown(one, OPS["discord"])) == 5


async def test_an_owner_who_lost_the_right_is_refused_for_all_to_see(tmp_path: Path, demo: Demo, clock: Clock) -> None:
    rows = (row("gone", owner="slack:gone"), row("weak", line="demo change a", owner="slack:vera"))
    async with a_scheduled_bot(tmp_path, demo, *rows, clock=clock) as bot:
        await look(bot, "2026-11-20 03:10")
        for place in (OPS["slack"], OPS["discord"]):
            posts = {post.reply.footer: post.reply for post in await shown(bot, place)}
            assert set(posts) == {"schedule gone · slack:gone", "schedule weak · vera"}
            for reply in posts.values():
                assert (reply.outcome, reply.private) == (Outcome.REFUSED, False)
            assert posts["schedule weak · vera"].text.startswith("Schedule weak of vera was refused.")
        assert demo.ran == []


async def test_a_risky_line_only_asks_for_approval(tmp_path: Path, demo: Demo, clock: Clock) -> None:
    async with a_scheduled_bot(tmp_path, demo, row(line="demo wipe"), clock=clock) as bot:
        await look(bot, "2026-11-20 03:10")
        assert demo.applied == []
        (card,), (other,) = await shown(bot), await shown(bot, OPS["discord"])
        assert card.reply.ticket == other.reply.ticket is not None
        assert (await bot.types("slack:ada", f"approve {card.reply.ticket}")).outcome is Outcome.REFUSED
        await bot.types("slack:ben", f"approve {card.reply.ticket}")
        await bot.quiet()
        assert len(demo.applied) == 1


@pytest.mark.parametrize(
    ("faulty", "key"),
    [
        (row(line="nothing at all"), "registry.unknown"),
        (row(line="demo read a b"), "bind.too_many"),
        (row(owner="local:ada-alone"), "scheduler.no_place"),
        (row(owner="slack-group:S1"), "scheduler.no_owner"),
        (row(channel="slack:ELSEWHERE"), "scheduler.unknown_channel"),
    ],
)
async def test_one_that_cannot_run_is_told_and_holds_up_no_other(tmp_path: Path, demo: Demo, clock: Clock, faulty: str, key: str) -> None:
    async with a_scheduled_bot(tmp_path, demo, faulty, row("good", line="demo read good"), clock=clock) as bot:
        await look(bot, "2026-11-20 03:10")
        assert demo.ran == ["demo read good"]
        fault = (await bot.app.scheduler.everything())[0].fault
        assert fault is not None
        assert fault.key == key
        findings = [each for each in await bot.app.inspector.faults(bot.app.words) if each.part == "schedules"]
        assert [(each.state, each.text.split(":")[0]) for each in findings] == [("bad", "nightly")]
        await look(bot, "2026-11-21 03:10")  # told once, and no more
        for place in (OPS["slack"], OPS["discord"]):
            told = [post.reply for post in await shown(bot, place) if post.reply.title == "Schedule nightly cannot run"]
            assert [reply.text.split("\n")[0] for reply in told] == [bot.app.words(fault.key, **fault.values)]
        write(tmp_path, row(line="demo read mended"))
        await look(bot, "2026-11-21 12:00")
        assert "demo read mended" not in demo.ran  # what was due while it could not run is not made up for
        await look(bot, "2026-11-22 03:10")
        assert demo.ran[-1] == "demo read mended"


async def test_a_new_time_is_counted_from_now(tmp_path: Path, demo: Demo, clock: Clock) -> None:
    async with a_scheduled_bot(tmp_path, demo, row(), clock=clock) as bot:
        bot.clock.now = at("2026-11-20 02:00")
        write(tmp_path, row(cron="50 1 * * *"), row("other"))
        await bot.app.scheduler.round()
        await look(bot, "2026-11-20 02:10")
        assert demo.ran == []
        await look(bot, "2026-11-21 01:50")
        assert demo.ran[-1] == "demo read"


async def test_a_faulty_file_keeps_the_schedules_that_were_in_force(tmp_path: Path, demo: Demo, clock: Clock) -> None:
    async with a_scheduled_bot(tmp_path, demo, row(), clock=clock) as bot:
        write(tmp_path, "[[schedule]]\nname = ")
        await look(bot, "2026-11-20 03:10")
        assert demo.ran == ["demo read"]
        findings = [each for each in await bot.app.inspector.faults(bot.app.words) if each.part == "schedules.toml"]
        assert [each.state for each in findings] == ["bad"]
        assert "line 2" in findings[0].text


async def test_the_shipped_schedules_have_no_fault_with_the_houses_own_commands(tmp_path: Path, clock: Clock) -> None:
    async with a_bot(tmp_path, running=False, clock=clock) as bot:
        states = await bot.app.scheduler.everything()
        assert {each.schedule.name: each.fault for each in states if each.fault} == {}
        assert {each.owner for each in states} == {"ada"}


async def test_each_platform_sees_it_when_the_first_channel_has_no_account_of_the_owner(tmp_path: Path, demo: Demo, clock: Clock) -> None:
    channels = (Account("discord", "100"), Account("slack", "OPS"))
    async with a_scheduled_bot(tmp_path, demo, row(owner="slack:olga"), clock=clock, vcc_channel_ops=channels) as bot:
        await look(bot, "2026-11-20 03:10")
        for place in (Place("slack", "OPS"), Place("discord", "100")):
            assert len(await shown(bot, place)) == 1
        assert [each["account"] for each in await bot.audit()] == ["slack:olga"] * 2


async def test_with_the_disk_full_it_stays_due_until_there_is_room(tmp_path: Path, demo: Demo, clock: Clock) -> None:
    async with a_scheduled_bot(tmp_path, demo, row(line="demo read " + "x" * 400), clock=clock, platforms=()) as bot:
        await fill_the_disk(bot)
        clock.now = at("2026-11-20 03:10")
        await bot.app.scheduler.round()
        assert demo.ran == []
        await make_room(bot)
        clock.now = at("2026-11-20 03:40")
        await bot.app.scheduler.round()
        await until(lambda: len(demo.ran) == 1, "it ran, and what filled the disk did not")
