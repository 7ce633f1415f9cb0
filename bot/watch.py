"""Watches: asks every source in rounds, and takes each rule's figures in, some at a time. Knows no system and says nothing itself.

All that is known between two rounds is in rows: killed at any moment, the next round goes on where this one got to.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from sqlite_utils import Database

from bot.alert_book import TEST, AlertBook
from bot.alert_causes import without_consequences, without_what_is_worked_on
from bot.alert_course import Course, Moment
from bot.alert_remedies import Remedies
from bot.alert_rules import Rule, RuleBook
from bot.alert_signals import Reading, Readings, Source
from bot.errors import RecordUnwritable, VccError
from bot.monitors import LONGEST_GAP
from bot.ops.overview import probe
from bot.store import alert_rows
from bot.store.engine import Store

_LOG = logging.getLogger("vcc.watch")
EVERY = 30.0
TEST_LASTS = 20.0
# Figures taken in by one commit: some tens of milliseconds of the writer's time.
AT_ONCE = 200
_GAPS = 3
Clock = Callable[[], float]
Asked = Mapping[str, tuple[Mapping[str, Reading], float]]


def _nothing(db: Database) -> Collection[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Watched:
    """What the watch works with. ``wake`` lets messages go out; ``held`` tells what commands work on now."""

    store: Store
    book: AlertBook
    course: Course
    remedies: Remedies
    wake: Callable[[], None]
    held: Callable[[Database], Collection[str]] = _nothing


class Watch:
    """Rounds over ``rules`` by ``clock``."""

    def __init__(
        self,
        watched: Watched,
        rules: RuleBook,
        sources: Sequence[Source],
        clock: Clock = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._watched = watched
        self._rules = rules
        self._sources = tuple(sources)
        self._clock = clock
        self._sleep = sleep
        self._asked: dict[str, float] = {}
        self._failing: dict[str, str] = {}
        self.rounded_at = float("-inf")

    async def run(self) -> None:
        """Rounds until cancelled; the first one soon, as what went wrong while we were away should not wait."""
        while True:
            await self._sleep(EVERY / 2)
            await self.round()
            await self._sleep(EVERY / 2)

    async def round(self) -> None:
        """Ask every source whose turn it is, and take in what they say. A state that cannot be written is tried again next time.

        ``rounded_at`` is when that last went well.
        """
        rules = await self._rules.rules()
        now = self._clock()
        due = [source for source in self._sources if self._is_due(source, now)]
        # Also what was worked on when the asking began: a command may end while we are told what it was like before.
        held = set(await self._watched.store.read(self._watched.held))
        answers = await asyncio.gather(*(self._ask(source) for source in due), return_exceptions=True)
        try:
            held |= set(await self._watched.store.read(self._watched.held))
            await self.take(rules, _joined(due, [self._heard(*each) for each in zip(due, answers, strict=True)], held))
        except RecordUnwritable as error:
            _LOG.error("a round was not taken in: %s", error.detail)
        else:
            self.rounded_at = self._clock()

    def _heard(self, source: Source, answer: Readings | BaseException) -> Readings:
        """A bug in one source is told once, and blinds us to no other."""
        if not isinstance(answer, BaseException):
            return answer
        state = type(answer).__name__
        if self._failing.get(source.name) != state:
            self._failing[source.name] = state
            _LOG.error("watching %s broke", source.name, exc_info=answer)
        return {}

    def _is_due(self, source: Source, now: float) -> bool:
        """By the clock's turns; one that was never asked is."""
        turn = now // (source.every or EVERY)
        if source.every and self._asked.get(source.name) == turn:
            return False
        self._asked[source.name] = turn
        return True

    async def _ask(self, source: Source) -> Readings:
        """What it says; nothing when it fails, which is told in the log when that changes."""
        answer = await probe(source.name, source.measure, source.deadline)
        error = answer if isinstance(answer, VccError) else None
        state = error.key if error is not None else ""
        if self._failing.get(source.name, "") != state:
            self._failing[source.name] = state
            _LOG.info("watching %s: %s", source.name, error or "well again")
        return {} if isinstance(answer, VccError) else answer

    async def take(self, rules: Sequence[Rule], asked: Asked) -> None:
        """Take in what was read: by signal, with how far apart its readings lie."""
        watched, now = self._watched, self._clock()
        said = await watched.store.write(watched.book.expire)
        # Before the figures: what recovers in this round may owe it to what was tried.
        said |= await watched.store.write(lambda db: watched.remedies.settle(db, now))
        for rule in rules:
            readings, gap = asked.get(rule.signal, (None, LONGEST_GAP))
            read = None if readings is None else await asyncio.to_thread(watched.course.watched, rule, readings)
            said |= await self._settle(rule, Moment(now, read, gap))
        said |= await self._end_tests(now)
        if not await self._rules.fault():
            said |= await self._drop_others({rule.name for rule in rules}, now)
        if said:
            watched.wake()

    async def _settle(self, rule: Rule, moment: Moment) -> bool:
        """Some figures at a time: other requests are put on the record in between."""
        course, store = self._watched.course, self._watched.store
        said, read = False, iter((moment.readings or {}).items())
        while portion := dict(itertools.islice(read, AT_ONCE)):
            said |= await store.write(partial(course.take, rule=rule, moment=moment, portion=portion))
        return await store.write(partial(course.finish, rule=rule, moment=moment)) or said

    async def _end_tests(self, now: float) -> bool:
        """A test alert is over by itself."""
        watched = self._watched

        def work(db: Database) -> bool:
            over = [alert for alert in alert_rows.open_of(db, TEST) if not 0 <= now - alert.opened_at < TEST_LASTS]
            for alert in over:
                watched.course.close(db, replace(alert, owed=False), now, "test")
            return bool(over)

        return await watched.store.write(work)

    async def _drop_others(self, names: set[str], now: float) -> bool:
        """Alerts of rules that are no more."""
        watched = self._watched

        def work(db: Database) -> bool:
            gone = [name for name in alert_rows.watched_rules(db) if name not in names]
            for name in gone:
                watched.course.drop(db, name, now)
            return bool(gone)

        return await watched.store.write(work)


def _joined(sources: Sequence[Source], answers: Sequence[Readings], held: Collection[str]) -> Asked:
    """By signal: the subjects of all sources that have it, each cause once, and how far apart their readings may lie."""
    gaps: dict[str, float] = {}
    joined: dict[str, dict[str, Reading]] = {}
    for source, answer in zip(sources, answers, strict=True):
        for signal, readings in answer.items():
            joined.setdefault(signal, {}).update(readings)
            gaps[signal] = max(gaps.get(signal, LONGEST_GAP), _GAPS * source.every)
    told = without_what_is_worked_on(without_consequences(joined), held)
    return {signal: (readings, gaps.get(signal, LONGEST_GAP)) for signal, readings in told.items()}
