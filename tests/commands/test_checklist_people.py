"""``checklist`` and people: who may sign, what stands in the report then, who is reminded of what, and what a hanging command costs."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.command import Group
from bot.context import Context
from bot.errors import Unreachable
from bot.model import Outcome, Reply, Risk, Tone
from bot.series import Series
from bot.testing.bot import Bot, a_bot
from bot.testing.clock import Clock
from commands import checklist

HOUR = 3_600.0
LISTS = """
[mine]
title = { ko = "우리 점검", en = "Ours" }

[[mine.items]]
id = "level"
title = { ko = "수위", en = "Level" }
line = "probe level"
figure = "level"
unit = "percent"
warn_above = 80
fail_above = 90
trend = { part = "host", figure = "cpu_percent" }

[[mine.items]]
id = "hanging"
title = { ko = "멈춤", en = "Hanging" }
line = "probe hang"
within = 0.05

[[mine.items]]
id = "later"
title = { ko = "아직 없는 명령", en = "To come" }
line = "nosuch command"

[[mine.items]]
id = "secure"
title = { ko = "보안", en = "Security" }
by = "admin"

[small]
title = { ko = "작은 점검", en = "Small" }
items = [{ id = "broken", title = { ko = "고장", en = "Broken" }, line = "probe broken" },
         { id = "write", title = { ko = "쓰기", en = "Write" }, line = "probe write" },
         { id = "private", title = { ko = "비공개", en = "Private" }, line = "/vcc probe private" }]
"""


class Probe:
    """Commands that measure what a test says."""

    def __init__(self) -> None:
        self.level: float | None = 50.0
        self.written = 0
        self.group = Group("probe")
        for name in ("level", "hang", "broken", "private"):
            self.group.command(f"{name}", Risk.READ, examples=(f"probe {name}",))(getattr(self, f"_{name}"))
        self.group.command("write", Risk.CHANGE, examples=("probe write",))(self._write)

    async def _level(self, ctx: Context) -> Reply:
        tone = Tone.GOOD if (self.level or 0) < 90 else Tone.BAD
        return Reply(
            "the level", "✘ too full → empty it\n✘ and leaking → mend it" if tone is Tone.BAD else "", tone=tone, data={"level": self.level}
        )

    async def _hang(self, ctx: Context) -> Reply:
        await asyncio.Event().wait()
        raise AssertionError("nobody sets it")

    async def _broken(self, ctx: Context) -> Reply:
        raise Unreachable("redis")

    async def _private(self, ctx: Context) -> Reply:
        return Reply("for you alone", "✘ of your eyes only", tone=Tone.BAD, private=True)

    async def _write(self, ctx: Context) -> Reply:
        self.written += 1
        return Reply("written")


@asynccontextmanager
async def a_team(home: Path, probe: Probe, **more: Any) -> AsyncIterator[Bot]:
    own = home / "own"
    own.mkdir(exist_ok=True)
    (own / "checklists.toml").write_text(LISTS)
    async with a_bot(home, checklist.group, probe.group, vcc_team_dir=own, **more) as bot:
        yield bot


def verdicts(reply: Reply) -> dict[str, str]:
    return {each["item"]: each["verdict"] for each in reply.data["items"]}


async def _pass(bot: Bot, seconds: float) -> None:
    bot.forward(seconds)
    await bot.app.tending.keep_promises()


async def test_a_hanging_command_fails_only_its_item_and_the_report_is_worst_first(tmp_path: Path) -> None:
    probe = Probe()
    probe.level = 95
    async with a_team(tmp_path, probe) as bot:
        reply = await bot.types("slack:olga", "checklist run mine")
        assert verdicts(reply) == {"level": "fail", "hanging": "unknown", "later": "unsigned", "secure": "unsigned"}
        assert (reply.outcome, reply.tone) == (Outcome.DONE, Tone.BAD)
        lines = reply.text.split("\n")
        assert lines[0] == "✘ Level: 95% — too full, and 1 more · limit 90%"
        assert [line[:10] for line in lines[1:4]] == ["? Hanging:", "☐ To come:", "☐ Security"]
        assert "0.05" in lines[1]
        assert [button.types for button in reply.buttons] == ["checklist sign 1-later", "checklist sign 1-secure"]
        await bot.shown()
        below = [post.reply.title for post in bot.chats["slack"].posts.values()][1:]
        assert below[0] == "Level — the level"
        assert not [row for row in await bot.audit() if row["event"] == "closed" and row["outcome"] == "interrupted"]


async def test_a_figure_is_compared_with_the_last_run(tmp_path: Path) -> None:
    probe = Probe()
    async with a_team(tmp_path, probe) as bot:
        await bot.types("slack:olga", "checklist run mine")
        bot.forward(24 * HOUR)
        probe.level = 85
        reply = await bot.types("slack:olga", "checklist run MINE")
        level = reply.data["items"][0]
        assert (level["value"], level["change"], level["course"]) == (85, 35, "worse")
        assert "! Level: 85% (+35 pts) — limit 80% [last time: well]" in reply.text
        probe.level = None
        assert verdicts(await bot.types("slack:olga", "checklist run mine"))["level"] == "unknown"


async def test_what_cannot_be_asked_is_not_measured_and_nothing_is_changed_by_a_list(tmp_path: Path) -> None:
    probe = Probe()
    async with a_team(tmp_path, probe) as bot:
        reply = await bot.types("slack:olga", "checklist run small")
        assert verdicts(reply) == {"broken": "unknown", "write": "unknown", "private": "fail"}
        assert probe.written == 0


async def test_the_course_of_a_figure_is_drawn_in_the_thread(tmp_path: Path) -> None:
    async with a_team(tmp_path, Probe()) as bot:
        for minute in range(60):
            await bot.app.history.add(bot.clock() - 60 * minute, {Series("host", "", "cpu_percent"): float(minute)})
        reply = await bot.types("slack:olga", "checklist run mine")
        assert reply.files == ()
        await bot.shown()
        pictures = [file for post in bot.chats["slack"].posts.values() for file in post.reply.files]
        assert [file.name for file in pictures] == ["checklist.png"]


async def test_a_signature_stands_in_the_report_and_the_next_run_begins_anew(tmp_path: Path) -> None:
    async with a_team(tmp_path, Probe()) as bot:
        await bot.types("slack:olga", "checklist run mine")
        await bot.shown()
        report = bot.chats["slack"].posts["m1"]
        signed = await bot.presses("slack:olga", report, "Sign: To come")
        assert (signed.outcome, signed.tone) == (Outcome.DONE, Tone.GOOD)
        await bot.shown()
        assert "looked at by olga" in report.reply.text
        assert [button.types for button in report.reply.buttons] == ["checklist sign 1-secure"]
        shown = await bot.types("slack:vera", "checklist show mine")
        assert (shown.text, shown.buttons) == (report.reply.text, report.reply.buttons)
        again = await bot.types("slack:olga", "checklist run mine")
        assert [button.types for button in again.buttons] == ["checklist sign 2-later", "checklist sign 2-secure"]


async def test_an_item_is_signed_once_unless_somebody_sees_it_otherwise(tmp_path: Path) -> None:
    async with a_team(tmp_path, Probe()) as bot:
        await bot.types("slack:olga", "checklist run mine")
        assert (await bot.types("slack:olga", "checklist sign later all --run 1")).data["items"][2]["signed"]["note"] == "all"
        twice = await bot.types("slack:ada", "checklist sign 1-later")
        assert (twice.outcome, twice.data["reason"]) == (Outcome.REFUSED, "checklist.signed_before")
        other = await bot.types("slack:ada", "checklist sign later --fail CVE is still there")
        signature = other.data["items"][2]["signed"]
        assert (signature["person"], signature["verdict"], signature["note"]) == ("ada", "fail", "CVE is still there")


@pytest.mark.parametrize(
    ("who", "line", "reason"),
    [
        ("slack:vera", "checklist sign later", "permissions.too_low"),
        ("slack:vera", "checklist run mine", "permissions.too_low"),
        ("slack:olga", "checklist sign secure", "checklist.admins_only"),
        ("slack:olga", "checklist sign level", "checklist.measured"),
        ("slack:olga", "checklist sign nothing", "checklist.no_such_item"),
        ("slack:olga", "checklist sign 9-later", "checklist.no_run"),
        ("slack:olga", "checklist sign 1-later --run 2", "checklist.two_runs"),
        ("slack:olga", "checklist remind 9", "checklist.no_run"),
        ("slack:olga", "checklist run mien", "checklist.unknown"),
        ("slack:vera", "checklist show --run 9", "checklist.no_run"),
    ],
)
async def test_what_may_not_or_cannot_be_is_refused(tmp_path: Path, who: str, line: str, reason: str) -> None:
    async with a_team(tmp_path, Probe(), running=False) as bot:
        await bot.types("slack:olga", "checklist run mine")
        reply = await bot.types(who, line)
        assert (reply.outcome, reply.data["reason"]) == (Outcome.REFUSED, reason)


async def test_what_nobody_signed_is_reminded_of_and_after_a_day_told_the_admins_also_after_a_restart(tmp_path: Path) -> None:
    clock = Clock()
    async with a_team(tmp_path, Probe(), clock=clock, running=False) as bot:
        await bot.types("slack:olga", "checklist run mine")
    clock.forward(4 * HOUR)
    async with a_team(tmp_path, Probe(), clock=clock) as bot:
        await bot.app.tending.keep_promises()
        await bot.shown()
        posts = bot.chats["slack"].posts.values()
        reminded = [post.reply for post in posts if post.reply.title.startswith("Ours — 2 to sign")]
        assert len(reminded) == 1
        assert "olga" in reminded[0].text
        assert len(reminded[0].buttons) == 2
        await bot.types("slack:olga", "checklist sign 1-later")
        await _pass(bot, 19 * HOUR)
        await bot.quiet()
        assert not [post for post in posts if post.reply.tone is Tone.BAD and "not signed" in post.reply.title]
        await _pass(bot, HOUR)
        await bot.shown()
        (escalated,) = (post.reply for post in posts if post.reply.title == "Ours — 1 not signed after 1d")
        assert "Security" in escalated.text
        assert "ada" in escalated.text
        assert "ben" in escalated.text
        assert "olga" not in escalated.text
        before = len(posts)
        await _pass(bot, 48 * HOUR)
        await bot.shown()
        assert len(posts) == before


async def test_nobody_is_reminded_of_what_was_signed_or_measured_anew(tmp_path: Path) -> None:
    async with a_team(tmp_path, Probe()) as bot:
        await bot.types("slack:olga", "checklist run mine")
        await bot.types("slack:olga", "checklist run mine")
        superseded = await bot.types("slack:olga", "checklist remind 1")
        assert superseded.data["unsigned"] == []
        for line in ("checklist sign 2-later", "checklist sign 2-secure"):
            await bot.types("slack:ada", line)
        await bot.shown()
        before = len(bot.chats["slack"].posts)
        await _pass(bot, 30 * HOUR)
        await bot.shown()
        assert len(bot.chats["slack"].posts) == before


async def test_the_history_opens_in_a_spreadsheet_and_holds_no_formula(tmp_path: Path) -> None:
    async with a_team(tmp_path, Probe(), running=False) as bot:
        assert (await bot.types("slack:vera", "checklist history")).data == {"runs": []}
        await bot.types("slack:olga", "checklist run mine")
        await bot.types("slack:olga", 'checklist sign later \'=HYPERLINK("http://x","y"), | see\'')
        reply = await bot.types("slack:vera", "checklist history mine --format csv")
        with reply.files[0].path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        assert [row["Item"] for row in rows] == ["Level", "Hanging", "To come", "Security"]
        assert (rows[0]["Figure"], rows[0]["Unit"], rows[2]["Signed by"]) == ("50", "percent", "olga")
        assert rows[2]["Note"].startswith("'=HYPERLINK")
        assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]
        reply = await bot.types("slack:vera", "checklist history --format markdown")
        lines = reply.files[0].path.read_text().splitlines()
        assert len(lines) == 6
        assert "\\| see" in lines[4]


async def test_a_faulty_file_of_the_team_is_told_and_its_last_lists_stay(tmp_path: Path) -> None:
    async with a_team(tmp_path, Probe(), running=False) as bot:
        await bot.types("slack:olga", "checklist run mine")
        (tmp_path / "own" / "checklists.toml").write_text(LISTS + "[broken\n")
        reply = await bot.types("slack:olga", "checklist run mine")
        assert reply.outcome is Outcome.DONE
        assert "checklists.toml" in reply.footer
        assert str(LISTS.count("\n") + 1) in reply.footer
