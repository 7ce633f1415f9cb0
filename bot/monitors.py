"""One figure after the other to what becomes of an alert: window, hysteresis, flapping. Pure: knows no source, no row, no words.

A figure that is not known changes nothing. A clock that jumped starts a window anew and does nothing else.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace

from bot.alert_rules import Rule
from bot.store.alert_rows import Monitor

# Figures further apart than this say nothing of what was between them.
LONGEST_GAP = 180.0


class Change(enum.Enum):
    """What a figure brought about."""

    OPENED = enum.auto()
    CLOSED = enum.auto()
    FLAPS = enum.auto()


@dataclass(frozen=True, slots=True)
class Step:
    """How it stands now, and what changed by it."""

    after: Monitor
    change: Change | None = None


def step(rule: Rule, before: Monitor, value: float | None, now: float, gap: float = LONGEST_GAP) -> Step:
    """Take a figure in. ``gap`` seconds at most lie between two figures that belong to one window."""
    if value is None:
        return Step(before)
    known = _after_a_jump(rule, before, now, gap)
    bad = rule.is_bad(value) or (known.bad and not rule.is_well(value))
    seen = replace(known, bad=bad, seen_at=now)
    return _while_firing(rule, known, seen, value, now) if known.firing else _while_calm(rule, seen, value, now)


def _after_a_jump(rule: Rule, before: Monitor, now: float, gap: float) -> Monitor:
    flips = tuple(at for at in before.flips if now - rule.flaps_within < at <= now)
    jumped = before.seen_at > now or now - before.seen_at > gap
    return replace(before, flips=flips, since=None if jumped else before.since)


def _while_calm(rule: Rule, seen: Monitor, value: float, now: float) -> Step:
    if not rule.is_bad(value):
        return Step(replace(seen, since=None))
    since = now if seen.since is None else seen.since
    if now - since < rule.for_:
        return Step(replace(seen, since=since))
    flips = (*seen.flips, now)
    return Step(replace(seen, firing=True, since=None, flips=flips, flapping=len(flips) >= rule.flaps), Change.OPENED)


def _while_firing(rule: Rule, known: Monitor, seen: Monitor, value: float, now: float) -> Step:
    if not rule.is_well(value):
        return _turned(rule, known, replace(seen, since=None), now)
    since = now if seen.since is None else seen.since
    if now - since < (rule.calm_for if seen.flapping else rule.clear_for):
        return Step(replace(seen, since=since))
    return Step(replace(seen, firing=False, since=None, flapping=False), Change.CLOSED)


def _turned(rule: Rule, known: Monitor, seen: Monitor, now: float) -> Step:
    """Bad again before it was over: that counts as flapping, too."""
    if known.bad or not seen.bad:
        return Step(seen)
    seen = replace(seen, flips=(*seen.flips, now)[-rule.flaps :])
    if seen.flapping or len(seen.flips) < rule.flaps:
        return Step(seen)
    return Step(replace(seen, flapping=True), Change.FLAPS)
