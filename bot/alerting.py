"""Puts the rooms of alerts together: rules, signals, course, evidence. Used by the composition root, of which it is a part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from bot import alert_rules, line
from bot.alert_book import AlertBook
from bot.alert_course import Course
from bot.alert_evidence import Evidence, Sight
from bot.alert_record import Recorded
from bot.alert_remedies import Remedies
from bot.alert_rules import Rule, RuleBook
from bot.alert_signals import Signals, Source
from bot.config import Settings
from bot.errors import Refusal
from bot.locks import Locks
from bot.model import Risk
from bot.ops.bundle import Ops
from bot.redact import Redactor
from bot.registry import Registry
from bot.services import ErrorIndex, History, Pictures
from bot.store.engine import Store
from bot.team_files import TeamFile
from bot.watch import Watch, Watched
from bot.words import Words

# What people tell us about alerts, lists and turns is no reason for what went wrong.
_NOTED_WITH_US = frozenset({"alert", "checklist", "oncall", "schedule", "approve", "deny"})


@dataclass(frozen=True, slots=True)
class Ground:
    """What alerts stand on. ``healthy`` tells which connectors hear people; ``wake`` lets messages go out; ``locks`` tell what commands
    work on.
    """

    settings: Settings
    store: Store
    ops: Ops
    registry: Registry
    history: History
    errors: ErrorIndex
    pictures: Pictures
    redactor: Redactor
    words: Words
    healthy: Callable[[], Mapping[str, bool]]
    wake: Callable[[], None]
    clock: Callable[[], float]
    locks: Locks


def rules_file(settings: Settings) -> TeamFile[Sequence[Rule]]:
    """The rules: the team's own, or those shipped."""
    return TeamFile(alert_rules.FILE, settings.vcc_team_dir, settings.vcc_home / "team", alert_rules.parse)


def watch(ground: Ground, book: AlertBook, rules: RuleBook) -> Watch:
    """Who watches."""
    signals = Signals(ground.ops, ground.errors, ground.settings, ground.words, ground.healthy)
    recorded = Recorded(ground.history, signals.said, ground.clock)
    sources = (Source("history", recorded.measure), *signals.sources(ground.clock))
    course = Course(book, ground.words, ground.redactor.text)
    remedies = Remedies(book, partial(meaning, ground.registry))
    return Watch(Watched(ground.store, book, course, remedies, ground.wake, ground.locks.held), rules, sources, ground.clock)


def evidence(ground: Ground, book: AlertBook, rules: RuleBook) -> Evidence:
    """Who gathers what is around an alert."""
    changes = partial(_changes, ground.registry)
    sight = Sight(ground.store, ground.errors, ground.history, ground.pictures, ground.ops.containers.services, changes)
    return Evidence(sight, book, rules, ground.words, ground.wake, ground.clock)


def meaning(registry: Registry, typed: str) -> object | None:
    """What a line asks for, however it was typed; None for one that is no command."""
    try:
        command, words = registry.resolve(line.split(line.normalise(typed)))
    except Refusal:
        return None
    return command.path, tuple(words)


def _changes(registry: Registry, typed: str) -> bool:
    """Whether it may have changed what is watched: not what people note with us about it."""
    try:
        command, _ = registry.resolve(line.split(line.normalise(typed)))
    except Refusal:
        return False
    return command.risk is not Risk.READ and command.path[0] not in _NOTED_WITH_US
