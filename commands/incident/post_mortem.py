"""The post-mortem of an incident: Markdown with its figures, steps, timeline and what is to be done, and a picture of the time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.alerts import Alert
from bot.chart import Chart, Unit
from bot.context import Context
from bot.incidents import Entry, Incident, StepState, What
from bot.model import Attachment
from bot.ops.trend_telling import Period, TrendTelling
from bot.plain_text import harmless
from bot.series import Series
from commands.incident.group import figures_of, page_of

_MARKUP = str.maketrans({each: f"\\{each}" for each in "\\`*_[]<>|#~"})
_CELL = 1_000
_BEFORE = 30 * 60.0
_ANSWERS = (What.STEP, What.NOTE, What.LEAD, What.COMMAND, What.ACTION, What.EVIDENCE)
_WE = "vcc"


@dataclass(frozen=True, slots=True)
class PostMortem:
    """What is told of an incident: the files, and the same in figures."""

    files: tuple[Attachment, ...]
    figures: Mapping[str, object]


async def post_mortem(ctx: Context, incident: Incident) -> PostMortem:
    """As it stands now; also of one that still goes on."""
    timeline = await ctx.services.incidents.timeline(incident)
    found = [await ctx.services.alerts.get(number) for number in incident.alerts]
    alerts = [alert for alert in found if alert is not None]
    answered = answered_after(incident, timeline, alerts)
    picture = await _picture(ctx, incident)
    told = _Told(ctx, incident, timeline, alerts)
    written = await ctx.attach(f"incident-{incident.number}.md", told.lines(answered, picture))
    figures = {
        "lasted_seconds": incident.lasts(ctx.clock()),
        "answered_after_seconds": answered,
        "alerts": [alert.id for alert in alerts],
        "entries": len(timeline),
        "steps_open": [step.number for step in incident.open_steps],
    }
    return PostMortem((written, picture) if picture is not None else (written,), figures)


def answered_after(incident: Incident, timeline: Sequence[Entry], alerts: Sequence[Alert]) -> float | None:
    """Seconds until somebody was at it: from the first alert to its acknowledgement, else from the opening to the first act after it."""
    begun = min([incident.opened_at, *(alert.opened_at for alert in alerts)])
    acknowledged = [alert.acknowledged_at for alert in alerts if alert.acknowledged_at is not None]
    acts = [entry.at for entry in timeline if entry.what in _ANSWERS and entry.person not in ("", _WE) and entry.at >= incident.opened_at]
    answers = acknowledged or acts
    return max(0.0, min(answers) - begun) if answers else None


class _Told:
    """The lines of the file."""

    def __init__(self, ctx: Context, incident: Incident, timeline: Sequence[Entry], alerts: Sequence[Alert]) -> None:
        self._words = ctx.words
        self._figures = figures_of(ctx)
        self._page = page_of(ctx)
        self._now = ctx.clock()
        self._incident = incident
        self._timeline = timeline
        self._alerts = alerts

    def lines(self, answered: float | None, picture: Attachment | None) -> Iterator[str]:
        """All of it."""
        yield f"# {_cell(self._page.title(self._incident))}"
        yield ""
        yield from self._table(answered)
        yield from self._section("summary", [_cell(self._incident.summary) or self._words("incident.mortem.no_summary")])
        yield from self._section("steps", self._steps())
        yield from self._section("timeline", self._entries())
        if self._alerts:
            yield from self._section("alerts", (self._alert(alert) for alert in self._alerts))
        if picture is not None:
            yield from self._section("picture", [f"![{_cell(picture.alt)}]({picture.name})"])
        yield from self._section("actions", list(self._actions()) or [self._words("incident.mortem.no_actions")])

    def _section(self, name: str, lines: Sequence[str] | Iterator[str]) -> Iterator[str]:
        yield ""
        yield f"## {self._words(f'incident.mortem.head.{name}')}"
        yield ""
        yield from lines

    def _table(self, answered: float | None) -> Iterator[str]:
        incident, figures, words = self._incident, self._figures, self._words
        rows = [
            ("state", words("incident.state.open" if incident.is_open else "incident.state.resolved")),
            ("opened", f"{figures.exact(incident.opened_at)[:19]} ({incident.opened_by})"),
            *([("ended", f"{figures.exact(incident.resolved_at)[:19]} ({incident.resolved_by})")] if not incident.is_open else []),
            ("lasted", figures.duration(incident.lasts(self._now))),
            ("answered", figures.duration(answered) if answered is not None else words("incident.mortem.nobody")),
            ("lead", incident.lead),
            ("service", incident.service or "-"),
            ("alert_count", str(len(self._alerts))),
        ]
        yield f"| {words('incident.mortem.figure')} | |"
        yield "|---|---|"
        for name, value in rows:
            yield f"| {words(f'incident.mortem.{name}')} | {_cell(value)} |"

    def _steps(self) -> Iterator[str]:
        for step in self._incident.steps:
            mark = "x" if step.state is StepState.DONE else " "
            said = f"- [{mark}] {_cell(self._page.named(step))}"
            if step.state is StepState.SKIPPED:
                said += f" ({self._words('incident.mortem.skipped')})"
            if step.state is not StepState.OPEN:
                said += f" — {_cell(step.person)} {self._figures.exact(step.at)[:19]}"
            yield f"{said} — {_cell(step.note)}" if step.note else said

    def _entries(self) -> Iterator[str]:
        words = self._words
        yield f"| {words('incident.mortem.at')} | {words('incident.mortem.who')} | {words('incident.mortem.what')} |"
        yield "|---|---|---|"
        for entry in self._timeline:
            yield f"| {self._figures.exact(entry.at)[:19]} | {_cell(entry.person)} | {_cell(entry.text)} |"

    def _alert(self, alert: Alert) -> str:
        opened, figures = self._figures.exact(alert.opened_at)[:19], self._figures
        closed = figures.exact(alert.closed_at)[:19] if alert.closed_at is not None else "…"
        return f"- #{alert.id} {_cell(' '.join(part for part in (alert.title, alert.subject) if part))} — {opened} → {closed}"

    def _actions(self) -> Iterator[str]:
        for action in self._incident.actions:
            yield f"- [ ] {_cell(action.text)} — {_cell(action.owner) or self._words('incident.nobody')}"


def _cell(text: str) -> str:
    """Foreign text as Markdown shows it, on one line."""
    return harmless(text, limit=_CELL, newlines=False).translate(_MARKUP)


async def _picture(ctx: Context, incident: Incident) -> Attachment | None:
    """What the machine and the queues did from half an hour before until the end; None when nothing was measured."""
    period = Period("incident", incident.opened_at - _BEFORE, incident.resolved_at or ctx.clock())
    history = ctx.services.history
    known = await history.known()
    machine = {Series("host", "", "cpu_percent"): "CPU", Series("host", "", "memory_percent"): ctx.words("incident.mortem.memory")}
    queues = {series: series.subject for series in known if (series.part, series.figure) == ("queue", "waiting")}
    found = await history.read([*machine, *queues], period.since, period.until)
    telling = TrendTelling(ctx.words, figures_of(ctx))
    charts: list[Chart] = [
        telling.chart(ctx.words("incident.mortem.machine"), Unit.PERCENT, {name: found[each] for each, name in machine.items()}, period),
        telling.chart(ctx.words("incident.mortem.queues"), Unit.COUNT, {name: found[each] for each, name in queues.items()}, period),
    ]
    drawn = [chart for chart in charts if any(line.points for line in chart.lines)]
    return await ctx.picture(f"incident-{incident.number}", *drawn) if drawn else None
