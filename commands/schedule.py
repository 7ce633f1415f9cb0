"""``schedule``: what the bot does by itself and when; running one now, letting one rest, letting it go on."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from bot.command import Between, Duration, Group
from bot.context import Context
from bot.errors import Usage
from bot.figures import NONE, Figures
from bot.line import closest
from bot.model import Button, Reply, Risk, Table, Tone
from bot.scheduler_data import ScheduleState
from bot.scheduler_times import Timetable

group = Group("schedule", default="list")
_LONGEST_PAUSE = 90 * 86_400
# At the terminal the answer is the outcome itself, and a restore drill takes as long as it takes.
_PATIENCE = 6 * 3_600
_MOST_BUTTONS = 3
_GOOD = frozenset({"done", "pending"})


def _one(name: str, **_: object) -> tuple[str, ...]:
    return (f"schedule:{name}",)


@group.command("list", Risk.READ, timeout=10, examples=("schedule", "schedule list"))
async def listing(ctx: Context) -> Reply:
    """Each schedule: when, what it did last, and what is wrong with it."""
    words, states = ctx.words, await ctx.services.schedules.everything()
    page = _Page(ctx)
    faulty, resting = [each for each in states if each.fault], [each for each in states if each.row.paused(ctx.clock())]
    if not states:
        return Reply(words("schedule.none"), data=[])
    title = words("schedule.faulty", count=len(faulty)) if faulty else words("schedule.title", count=len(states))
    columns = tuple(words(f"schedule.column.{name}") for name in ("name", "when", "next", "last"))
    lines = [page.fault(each) for each in faulty] + [page.pause(each) for each in resting]
    failed = any(each.row.outcome and each.row.outcome not in _GOOD for each in states)
    return Reply(
        title,
        "\n".join(lines),
        tone=Tone.BAD if faulty else Tone.WARN if resting or failed else Tone.GOOD,
        tables=(Table(columns, tuple(page.row(each) for each in states)),),
        buttons=tuple(_resume_button(ctx, each.schedule.name) for each in resting[:_MOST_BUTTONS]),
        data=[page.data(each) for each in states],
    )


@group.command("run", Risk.CHANGE, timeout=_PATIENCE, examples=("schedule run nightly-backup",))
async def run(ctx: Context, name: str) -> Reply:
    """Type its line now, as the asker and with their rights; it comes at its own times as well."""
    state = await _found(ctx, name)
    if state.fault is not None:
        raise state.fault
    schedule = state.schedule
    begun = await ctx.services.schedules.begin(schedule.name, ctx.invocation, ctx.person.name)
    outcome = await ctx.services.run_held(begun, ctx.invocation.place.platform == "local")
    said = ctx.words("schedule.started", name=schedule.name, line=schedule.line)
    if outcome is not None:
        return replace(outcome, footer=" · ".join(part for part in (said, outcome.footer) if part))
    return Reply(said, ctx.words("schedule.answer_follows"), tone=Tone.GOOD, data={"name": schedule.name, "reference": begun.reference})


@group.command(
    "pause", Risk.CHANGE, timeout=10, examples=("schedule pause nightly-backup", "schedule pause nightly-backup --for 2h"), locks=_one
)
async def pause(ctx: Context, name: str, *, for_: Annotated[Duration | None, Between(60, _LONGEST_PAUSE)] = None) -> Reply:
    """Let it rest; what is due until then is left out."""
    state = await _found(ctx, name)
    until = None if for_ is None else ctx.clock() + for_
    await ctx.services.schedules.pause(state.schedule.name, ctx.person.name, until)
    told = {"name": state.schedule.name, "until": _Page(ctx).figures.moment(until)}
    return Reply(
        ctx.words("schedule.paused", **told) if until is None else ctx.words("schedule.paused_until", **told),
        ctx.words("schedule.goes_on") if state.running else "",
        tone=Tone.WARN,
        buttons=(_resume_button(ctx, state.schedule.name),),
        data={"name": state.schedule.name, "paused_until": until},
    )


@group.command("resume", Risk.CHANGE, timeout=10, examples=("schedule resume nightly-backup",), locks=_one)
async def resume(ctx: Context, name: str) -> Reply:
    """Let it go on from now."""
    before = await _found(ctx, name)
    await ctx.services.schedules.resume(before.schedule.name)
    state = await _found(ctx, before.schedule.name)
    rested = before.row.paused(ctx.clock())
    told = {"name": state.schedule.name, "next": _Page(ctx).figures.moment(state.next_at)}
    title = ctx.words("schedule.resumed", **told) if rested else ctx.words("schedule.not_paused", **told)
    return Reply(title, tone=Tone.GOOD if rested else Tone.NEUTRAL, data={"name": state.schedule.name, "next_at": state.next_at})


async def _found(ctx: Context, name: str) -> ScheduleState:
    """The schedule a person named; Usage with the nearest name."""
    states = {each.schedule.name: each for each in await ctx.services.schedules.everything()}
    if name.lower() not in states:
        raise Usage("schedule.unknown", name=name, near=closest(name, states) or " · ".join(states) or NONE)
    return states[name.lower()]


def _resume_button(ctx: Context, name: str) -> Button:
    return Button(ctx.words("schedule.resume_button", name=name), f"schedule resume {name}")


class _Page:
    """Says how schedules stand, in few words."""

    def __init__(self, ctx: Context) -> None:
        self._words = ctx.words
        self._zone = ctx.settings.vcc_tz
        self._now = ctx.clock()
        self.figures = Figures(ctx.words.language, ctx.settings.vcc_tz)

    def row(self, state: ScheduleState) -> tuple[str, ...]:
        return (state.schedule.name, self._when(state.schedule.when), self._next(state), self._last(state))

    def _when(self, when: Timetable) -> str:
        words, regular = self._words, when.regular
        if regular is None:
            said = when.cron
        elif regular.day:
            said = words("schedule.monthly", day=regular.day, clock=regular.clock)
        elif regular.weekdays:
            said = words("schedule.weekly", days="·".join(words(f"schedule.day.{day}") for day in regular.weekdays), clock=regular.clock)
        else:
            said = words("schedule.daily", clock=regular.clock)
        return said if when.zone == self._zone else f"{said} ({when.zone})"

    def _next(self, state: ScheduleState) -> str:
        if state.row.paused(self._now) and state.next_at is None:
            return self._words("schedule.resting")
        return self.figures.moment(state.next_at)

    def _last(self, state: ScheduleState) -> str:
        if state.running:
            return self._words("schedule.outcome.running")
        if not state.row.outcome:
            return NONE
        return f"{self._words(f'schedule.outcome.{state.row.outcome}')} {self.figures.moment(state.row.ended_at)}"

    def fault(self, state: ScheduleState) -> str:
        fault = state.fault
        return f"✘ {state.schedule.name}: {self._words(fault.key, **fault.values)}" if fault is not None else ""

    def pause(self, state: ScheduleState) -> str:
        row, figures = state.row, self.figures
        told = {"name": row.name, "by": row.paused_by, "since": figures.moment(row.paused_at), "until": figures.moment(row.paused_until)}
        return self._words("schedule.rests" if row.paused_until is None else "schedule.rests_until", **told)

    def data(self, state: ScheduleState) -> dict[str, object]:
        schedule, row = state.schedule, state.row
        rests = row.paused(self._now)
        return {
            "name": schedule.name,
            "cron": schedule.when.cron,
            "zone": schedule.when.zone,
            "line": schedule.line,
            "owner": state.owner,
            "next_at": state.next_at,
            "running": state.running,
            "last_outcome": row.outcome or None,
            "last_ended_at": row.ended_at,
            "last_reference": row.reference or None,
            "paused_by": row.paused_by if rests else None,
            "paused_until": row.paused_until if rests else None,
            "fault": self._words(state.fault.key, **state.fault.values) if state.fault is not None else None,
        }
