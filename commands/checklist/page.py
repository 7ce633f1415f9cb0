"""A run of a checklist as one message: the verdict, then the worst first, a line for each item, and buttons to sign. Asks nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from bot import chart
from bot.checklists import WORST_FIRST, Result, Run, Unit, Verdict
from bot.context import Context
from bot.figures import Figures
from bot.line import join
from bot.model import Button, Reply, Tone
from bot.ops.trend_telling import UNCHANGED, TrendTelling
from bot.plain_text import harmless

SIGNS = {Verdict.FAIL: "✘", Verdict.UNKNOWN: "?", Verdict.WARN: "!", Verdict.UNSIGNED: "☐", Verdict.WELL: "✔"}
TONES = {Verdict.FAIL: Tone.BAD, Verdict.UNKNOWN: Tone.WARN, Verdict.WARN: Tone.WARN, Verdict.UNSIGNED: Tone.WARN, Verdict.WELL: Tone.GOOD}
# Discord takes 25 buttons, and nobody scrolls through as many.
MOST_BUTTONS = 15
_DAY = 86_400.0
# An age always moves, which is no news.
_AGES = ("seconds", "age")
_UNITS = {"percent": chart.Unit.PERCENT, "bytes": chart.Unit.BYTES, "count": chart.Unit.COUNT}
_NOTE = 120


class Page:
    """Tells runs in the words and figures of one reader."""

    def __init__(self, ctx: Context) -> None:
        self._words = ctx.words
        self._now = ctx.clock()
        self.figures = Figures(ctx.words.language, ctx.settings.vcc_tz)
        self._telling = TrendTelling(ctx.words, self.figures)

    def report(self, run: Run, before: Run | None, fault: str = "") -> Reply:
        """The message. ``before`` is the run it is compared with; ``fault`` what is wrong with the team's own lists."""
        ordered = run.worst_first
        lines = [self._line(each, before.result(each.item) if before else None) for each in ordered]
        return Reply(
            title=self._title(run),
            text="\n".join((*lines, *self._typed(run))),
            tone=TONES[ordered[0].verdict],
            buttons=self.buttons(run),
            footer="\n".join(part for part in (self._footer(run, before), fault) if part),
            data=self.raw(run, before),
        )

    def _title(self, run: Run) -> str:
        name = run.title.of(self._words.language)
        counted = [(verdict, count) for verdict in WORST_FIRST if (count := run.count(verdict))]
        if counted[0][0] is Verdict.WELL:
            return self._words("checklist.all_pass", name=name, count=self.figures.count(len(run.results)))
        told = " · ".join(f"{self.verdict(verdict)} {self.figures.count(count)}" for verdict, count in counted)
        return self._words("checklist.title", name=name, counts=told)

    def verdict(self, verdict: Verdict) -> str:
        """Its name."""
        return self._words(f"checklist.verdict.{verdict.value}")

    def name(self, result: Result) -> str:
        """The item's name."""
        return result.title.of(self._words.language)

    def _line(self, result: Result, before: Result | None) -> str:
        told = " — ".join(part for part in (self._said(result, before), result.detail, self._signed(result)) if part)
        moved = before is not None and before.verdict is not result.verdict and Verdict.UNSIGNED not in (before.verdict, result.verdict)
        told = self._words("checklist.before", said=told, verdict=self.verdict(before.verdict)) if moved and before else told
        return f"{SIGNS[result.verdict]} {self.name(result)}: {told}"

    def _said(self, result: Result, before: Result | None) -> str:
        """The figure with its change; a word where there is none."""
        figure = self.value(result.unit, result.value)
        if result.value is not None:
            change = self.change(result, before)
            figure = self.figures.since(0.0, result.value) if result.unit == "age" else figure
            figure = f"{figure} ({change})" if change not in ("", UNCHANGED) else figure
        waits = result.verdict is Verdict.UNSIGNED
        word = self._words(f"checklist.waits_{result.signer}") if waits and result.signer else ""
        plain = "" if result.detail or result.signature else self.verdict(result.verdict)
        return " · ".join(part for part in (figure, word) if part) or plain

    def value(self, unit: Unit, value: float | None) -> str:
        """A figure; empty when there is none."""
        if value is None:
            return ""
        if unit == "count":
            return self._words("checklist.count", count=self._telling.value(chart.Unit.COUNT, value))
        if unit in _UNITS:
            return self._telling.value(_UNITS[unit], value)
        return self.figures.duration(value * _DAY if unit == "days" else value)

    def change(self, result: Result, before: Result | None) -> str:
        """By how much a figure moved since the last run."""
        if (
            result.value is None
            or before is None
            or before.value is None
            or before.unit != result.unit
            or result.unit in ("seconds", "age")
        ):
            return ""
        if result.unit == "days":
            apart = result.value - before.value
            sign = "+" if apart > 0 else "-"
            return f"{sign}{self.figures.duration(abs(apart) * _DAY)}" if apart else UNCHANGED
        return self._telling.change(_UNITS[result.unit], result.value, before.value)

    def _signed(self, result: Result) -> str:
        signature = result.signature
        if signature is None:
            return ""
        key = "checklist.signed_fail" if signature.verdict is Verdict.FAIL else "checklist.signed_pass"
        told = self._words(key, person=signature.person, at=self.figures.moment(signature.at))
        return f"{told}: {harmless(signature.note, limit=_NOTE, newlines=False)}" if signature.note else told

    def _typed(self, run: Run) -> tuple[str, ...]:
        """What there is no button for is typed; a fault always is, with its note."""
        waiting = run.unsigned
        if not waiting:
            return ()
        lines = tuple(f"/vcc {sign_line(run, each.item)}" for each in waiting[MOST_BUTTONS:])
        return (*lines, self._words("checklist.how_to_fail", line=sign_line(run, waiting[0].item)))

    def buttons(self, run: Run) -> tuple[Button, ...]:
        """One for each item that waits for a person, as far as they fit."""
        return tuple(
            Button(self._words("checklist.button", item=self.name(each)), sign_line(run, each.item)) for each in run.unsigned[:MOST_BUTTONS]
        )

    def _footer(self, run: Run, before: Run | None) -> str:
        compared = (
            self._words("checklist.compared", at=self.figures.moment(before.at)) if before is not None else self._words("checklist.first")
        )
        return self._words("checklist.footer", run=run.id, at=self.figures.moment(run.at), compared=compared)

    def raw(self, run: Run, before: Run | None) -> dict[str, Any]:
        """The same for programs."""
        return {
            "run": run.id,
            "name": run.name,
            "at": run.at,
            "verdict": run.worst_first[0].verdict.value,
            "counts": {verdict.value: run.count(verdict) for verdict in WORST_FIRST},
            "items": [self._raw_item(each, before.result(each.item) if before else None) for each in run.results],
            "previous": before.id if before else None,
        }

    def _raw_item(self, result: Result, before: Result | None) -> dict[str, Any]:
        known = before is not None and result.value is not None and before.value is not None and before.unit == result.unit
        return {
            "item": result.item,
            "title": self.name(result),
            "verdict": result.verdict.value,
            "value": result.value,
            "unit": result.unit if result.value is not None else None,
            "change": (result.value or 0.0) - (before.value or 0.0) if known and before else None,
            "course": _course(result, before),
            "detail": result.detail,
            "signer": result.signer,
            "signed": asdict(result.signature) if result.signature else None,
        }


def _course(result: Result, before: Result | None) -> str | None:
    """Whether it is better or worse than the last time."""
    if before is None or Verdict.UNSIGNED in (before.verdict, result.verdict):
        return None
    now, then = WORST_FIRST.index(result.verdict), WORST_FIRST.index(before.verdict)
    return "same" if now == then else "better" if now > then else "worse"


def sign_line(run: Run, item: str) -> str:
    """The line that signs an item of this run."""
    return join(("checklist", "sign", f"{run.id}-{item}"))


def listed(page: Page, results: Sequence[Result]) -> str:
    """Items below each other."""
    return "\n".join(f"{SIGNS[each.verdict]} {page.name(each)}" for each in results)
