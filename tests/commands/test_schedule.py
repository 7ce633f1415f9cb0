"""``schedule``: what runs when, run now as the asker, rest and go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.model import Outcome, Tone
from bot.registry import Registry
from bot.testing.clock import Clock
from commands import schedule
from commands.help import group as help_group
from tests.bot.demo import Demo
from tests.bot.scheduled import DAY, a_scheduled_bot, at, look, row, shown


@pytest.fixture
def demo() -> Demo:
    return Demo()


@pytest.fixture
def clock() -> Clock:
    return Clock(at("2026-11-20 01:10"))


async def test_the_list_says_when_in_words_and_how_it_went(tmp_path: Path, demo: Demo, clock: Clock) -> None:
    rows = (
        row(),
        row("weekly", "30 8 * * mon,wed", "demo fail"),
        row("monthly", "0 9 1 * *", zone="America/New_York"),
        row("often", "*/5 9-18 * * 1-5"),
    )
    async with a_scheduled_bot(tmp_path, demo, *rows, clock=clock) as bot:
        await look(bot, "2026-11-23 09:02")
        reply = await bot.types("slack:vera", "schedule")
        assert reply.tables[0].rows == (
            ("nightly", "daily 03:10", "11-24 03:10", "✔ done 11-23 09:02"),
            ("weekly", "Mon·Wed 08:30", "11-25 08:30", "✘ crashed 11-23 09:02"),
            ("monthly", "day 1 of the month, 09:00 (America/New_York)", "12-01 23:00", "-"),
            ("often", "*/5 9-18 * * 1-5", "11-23 09:05", "✔ done 11-23 09:02"),
        )
        assert (reply.title, reply.tone) == ("4 schedule(s)", Tone.WARN)
        assert [(each["name"], each["owner"], each["last_outcome"]) for each in reply.data][:2] == [
            ("nightly", "ada", "done"),
            ("weekly", "ada", "crashed"),
        ]


async def test_one_that_cannot_run_is_named_with_what_is_wrong(tmp_path: Path, demo: Demo, clock: Clock) -> None:
    async with a_scheduled_bot(tmp_path, demo, row(), row("odd", line="nothing at all"), clock=clock) as bot:
        reply = await bot.types("slack:vera", "schedule list")
        assert (reply.title, reply.tone) == ("1 schedule(s) cannot run", Tone.BAD)
        assert reply.text.startswith("✘ odd: ")
        assert reply.tables[0].rows[1][2] == "-"
        refused = await bot.types("slack:olga", "schedule run odd")
        assert (refused.outcome, refused.data["reason"]) == (Outcome.REFUSED, "registry.unknown")


async def test_a_paused_one_does_not_run_and_what_was_due_is_not_made_up_for(tmp_path: Path, demo: Demo, clock: Clock) -> None:
    async with a_scheduled_bot(tmp_path, demo, row(), clock=clock) as bot:
        paused = await bot.types("slack:olga", "schedule pause nightly")
        assert paused.title == "nightly is paused"
        await look(bot, "2026-11-22 12:00")
        listed = await bot.types("slack:vera", "schedule list")
        assert listed.text == "nightly: paused by olga (11-20 01:10)"
        assert listed.tables[0].rows[0][2] == "paused"
        resumed = await bot.types("slack:olga", listed.buttons[0].types)
        assert resumed.title == "nightly goes on — next: 11-23 03:10"
        await look(bot, "2026-11-22 12:01")
        assert demo.ran == []
        await look(bot, "2026-11-23 03:10")
        assert demo.ran == ["demo read"]
        assert (await bot.types("slack:olga", "schedule resume nightly")).title.startswith("nightly was not paused")


async def test_a_pause_for_a_time_ends_by_itself_also_after_a_restart(tmp_path: Path, demo: Demo, clock: Clock) -> None:
    async with a_scheduled_bot(tmp_path, demo, row(), clock=clock) as bot:
        paused = await bot.types("slack:olga", "schedule pause nightly --for 3h")
        assert paused.title == "nightly is paused until 11-20 04:10"
        assert (await bot.types("slack:vera", "schedule")).tables[0].rows[0][2] == "11-21 03:10"
        await look(bot, "2026-11-20 03:10")
    async with a_scheduled_bot(tmp_path, demo, clock=clock) as bot:
        await look(bot, "2026-11-20 04:11")
        assert demo.ran == []
        assert (await bot.types("slack:vera", "schedule")).text == ""
        await look(bot, "2026-11-21 03:10")
        assert demo.ran == ["demo read"]


async def test_run_types_the_line_now_as_the_asker_and_its_answer_says_which_schedule(tmp_path: Path, demo: Demo, clock: Clock) -> None:
    async with a_scheduled_bot(tmp_path, demo, row(line="demo read now"), clock=clock) as bot:
        begun = await bot.types("slack:olga", "schedule run nightly")
        assert begun.title == "Schedule nightly: demo read now"
        await bot.quiet()
        _, answer = await shown(bot)
        assert (answer.reply.text, answer.reply.footer) == ("now", "schedule nightly, by hand · olga")
        assert [row["account"] for row in await bot.audit()] == ["slack:olga"] * 4
        await look(bot, "2026-11-20 03:10")
        assert len(demo.ran) == 2


async def test_at_the_terminal_run_answers_with_the_outcome_itself(tmp_path: Path, demo: Demo, clock: Clock) -> None:
    async with a_scheduled_bot(tmp_path, demo, row(line="demo read now"), clock=clock) as bot:
        reply = await bot.types("local:olga", "schedule run nightly")
        assert (reply.title, reply.text, reply.footer) == ("read", "now", "Schedule nightly: demo read now")


async def test_run_goes_by_the_askers_rights_not_by_the_owners(tmp_path: Path, demo: Demo, clock: Clock) -> None:
    async with a_scheduled_bot(tmp_path, demo, row(line="demo boss"), clock=clock) as bot:
        reply = await bot.types("local:olga", "schedule run nightly")
        assert (reply.outcome, reply.data["reason"]) == (Outcome.REFUSED, "permissions.too_low")
        assert demo.ran == []


async def test_run_waits_its_turn(tmp_path: Path, demo: Demo, clock: Clock) -> None:
    async with a_scheduled_bot(tmp_path, demo, row(line="demo change a"), clock=clock) as bot:
        demo.may_end.clear()
        bot.clock.now += DAY
        await bot.app.scheduler.round()
        assert (await bot.types("slack:olga", "schedule list")).tables[0].rows[0][3] == "running"
        refused = await bot.types("slack:olga", "schedule run nightly")
        assert (refused.outcome, refused.data["reason"]) == (Outcome.REFUSED, "scheduler.busy")
        demo.may_end.set()


@pytest.mark.parametrize("line", ["schedule run nightly", "schedule pause nightly", "schedule resume nightly"])
async def test_a_viewer_changes_nothing(tmp_path: Path, demo: Demo, clock: Clock, line: str) -> None:
    async with a_scheduled_bot(tmp_path, demo, row(), clock=clock) as bot:
        refused = await bot.types("slack:vera", line)
        assert (refused.outcome, refused.data["reason"]) == (Outcome.REFUSED, "permissions.too_low")
        assert not (await bot.app.scheduler.everything())[0].row.paused_by


async def test_an_unknown_name_gets_the_nearest(tmp_path: Path, demo: Demo, clock: Clock) -> None:
    async with a_scheduled_bot(tmp_path, demo, row(), row("weekly"), clock=clock) as bot:
        assert '"nigthly". Did you mean: nightly' in (await bot.types("slack:olga", "schedule pause nigthly")).text
        assert "Did you mean: nightly · weekly" in (await bot.types("slack:olga", "schedule run x")).text
        assert (await bot.types("slack:olga", "schedule pause NIGHTLY")).outcome is Outcome.DONE


async def test_a_team_without_schedules_is_told_so(tmp_path: Path, demo: Demo, clock: Clock) -> None:
    async with a_scheduled_bot(tmp_path, demo, "# none", clock=clock) as bot:
        assert (await bot.types("slack:vera", "schedule")).title == "There are no schedules"


def test_a_word_that_python_keeps_for_itself_is_typed_as_it_is() -> None:
    (pause,) = [each for each in Registry((schedule.group, help_group)).listing("en") if each["path"] == "schedule pause"]
    assert [each["name"] for each in pause["parameters"]] == ["name", "for"]
