"""``check setup``: what is misconfigured, with the fix."""

from __future__ import annotations

from bot.context import Context
from bot.model import Outcome, Reply, Risk, Table, Tone
from commands.check.group import group

_SIGNS = {"ok": "✔", "warn": "!", "bad": "✘"}
_TONES = {"ok": Tone.GOOD, "warn": Tone.WARN, "bad": Tone.BAD}
_ORDER = ("bad", "warn", "ok")


@group.command("setup", Risk.READ, timeout=20, examples=("check", "check setup"))
async def setup(ctx: Context) -> Reply:
    """Every part of the set-up, the worst first."""
    words = ctx.words
    findings = sorted(await ctx.services.inspector.faults(words), key=lambda finding: _ORDER.index(finding.state))
    worst = findings[0].state if findings else "ok"
    rows = tuple((_SIGNS[each.state], each.part, each.text, each.fix) for each in findings)
    columns = ("", words("check.column.part"), words("check.column.text"), words("check.column.fix"))
    data = [{"part": each.part, "state": each.state, "text": each.text, "fix": each.fix} for each in findings]
    bad = sum(each.state == "bad" for each in findings)
    title = words("check.bad", count=bad) if bad else words(f"check.{worst}")
    return Reply(title, outcome=Outcome.DONE, tone=_TONES[worst], tables=(Table(columns, rows),), data=data)
