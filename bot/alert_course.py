"""A rule's figures to alerts, in the caller's commit: opened, said again, folded, recovered, each with what is said of it. Asks nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from sqlite_utils import Database

from bot.alert_book import AlertBook
from bot.alert_rules import Rule
from bot.alert_signals import Reading
from bot.alerts import Alert, AlertState
from bot.monitors import LONGEST_GAP, Change, step
from bot.store import alert_rows, audit_rows
from bot.store.alert_rows import Monitor
from bot.words import Words

FOLD_WITHIN = 600.0
# With so many times ``most`` open, however slowly they came, the next ones are told as one, too.
_CROWDED = 4
# The figure of an alert that goes on is written down, and shown, that often at most.
REFRESH = 300.0
# So long a thing must be missing, look after look, from what was measured before its alert is over: half of it until that is noticed.
GONE_AFTER = 600.0
# What only moved on by time is written down now and then.
_NOTED = 60.0
_NAMED = 8
_LONGEST_TEXT = 2_000


@dataclass(frozen=True, slots=True)
class Moment:
    """One look at one rule: when, what it watches (None: nothing is known), and how far apart its looks may lie."""

    now: float
    readings: Mapping[str, Reading] | None
    gap: float = LONGEST_GAP


class Course:
    """Follows every rule. ``clean`` takes secrets out of what is kept; ``book`` keeps and tells."""

    def __init__(self, book: AlertBook, words: Words, clean: Callable[[str], str]) -> None:
        self._book = book
        self._words = words
        self._clean = clean
        # Since when a thing under a rule is missing. After a restart, or a jump of the clock, the wait begins anew.
        self._missing: dict[tuple[str, str], float] = {}

    def watched(self, rule: Rule, readings: Mapping[str, Reading]) -> dict[str, Reading]:
        """What a rule watches of it, its names fit to be kept. Takes its time where there is much: not for the event loop."""
        return {self._clean(subject): reading for subject, reading in readings.items() if rule.watches(subject)}

    def take(self, db: Database, rule: Rule, moment: Moment, portion: Mapping[str, Reading]) -> bool:
        """Take some of a rule's figures in; whether anything may have been said."""
        known = alert_rows.monitors(db, rule.name, tuple(portion))
        said = False
        for subject, reading in portion.items():
            before = known.get(subject) or Monitor(rule.name, subject)
            after, change = self._stepped(rule, before, reading, moment)
            after = self._followed(db, rule, after, reading, change, moment.now)
            said |= change is not None
            if _worth_noting(before, after):
                alert_rows.put_monitor(db, after)
        return said

    def finish(self, db: Database, rule: Rule, moment: Moment) -> bool:
        """Once all figures of a rule are in: what is gone, what stands for many, what is due by time."""
        read, now = moment.readings or {}, moment.now
        gone = [] if moment.readings is None else self._long_missing(db, rule, read, now)
        for monitor in gone:
            self._gone(db, monitor, now)
        folded = self._recount(db, rule, now)
        return self._go_on(db, rule, moment, read) or bool(gone) or folded

    def _long_missing(self, db: Database, rule: Rule, read: Mapping[str, Reading], now: float) -> list[Monitor]:
        """What was not among the figures at every look for so long. When it was last seen says less: nobody may have looked since."""
        half = GONE_AFTER / 2
        missed = {each.subject: each for each in alert_rows.unseen(db, rule.name, (now - half, now)) if each.subject not in read}
        before = {subject: at for (name, subject), at in self._missing.items() if name == rule.name}
        for subject in before.keys() - missed.keys():
            del self._missing[rule.name, subject]
        for subject in missed:
            if before.get(subject, now + 1) > now:
                self._missing[rule.name, subject] = now
        return [each for subject, each in missed.items() if now - self._missing[rule.name, subject] >= half]

    @staticmethod
    def _stepped(rule: Rule, before: Monitor, reading: Reading, moment: Moment) -> tuple[Monitor, Change | None]:
        taken = step(rule, before, reading.value, moment.now, moment.gap)
        return taken.after, taken.change

    def _followed(self, db: Database, rule: Rule, after: Monitor, reading: Reading, change: Change | None, now: float) -> Monitor:
        match change:
            case Change.OPENED:
                return self._opened(db, rule, after, reading, now)
            case Change.CLOSED:
                return self._closed(db, after, now, "recovered", reading)
            case Change.FLAPS:
                alert = alert_rows.get(db, after.alert)
                if alert is not None and not alert.folded:
                    self._book.show(db, replace(alert, flapping=True))
        return after

    # ------------------------------------------------------------ opened
    def _opened(self, db: Database, rule: Rule, after: Monitor, reading: Reading, now: float) -> Monitor:
        alert = self._storm(db, rule, now)
        if alert is None:
            fresh = replace(self._new(db, rule, after.subject, reading, now), flapping=after.flapping)
            alert = self._book.announce(db, alert_rows.insert(db, fresh))
        return replace(after, alert=alert.id)

    def _storm(self, db: Database, rule: Rule, now: float) -> Alert | None:
        """The alert of the storm that goes on, or of one that begins now; None when there is none.

        What comes long after a storm is news of its own, and does not vanish in what somebody has seen and is at.
        """
        storm = next((each for each in alert_rows.folding(db, rule.name) if 0 <= now - each.last_at < FOLD_WITHIN), None)
        if storm is not None:
            if storm.last_at != now:
                alert_rows.save(db, replace(storm, last_at=now))
            return storm
        lately, still_open = alert_rows.crowd(db, rule.name, now - FOLD_WITHIN)
        if lately < rule.most and still_open < _CROWDED * rule.most:
            return None
        return self._book.announce(db, alert_rows.insert(db, self._new(db, rule, "", Reading(None), now, folded=1)))

    def _new(self, db: Database, rule: Rule, subject: str, reading: Reading, now: float, folded: int = 0) -> Alert:
        remedy = "" if folded else rule.line_for(subject)
        return Alert(
            id=0,
            rule=rule.name,
            subject=subject,
            severity=rule.severity,
            title=rule.title.of(self._words.language),
            opened_at=now,
            last_at=now,
            text=self._text(reading),
            value=reading.value,
            unit=rule.unit,
            folded=folded,
            remedy=remedy,
            remedies_most=rule.remedies if remedy else 0,
            remedy_seq=audit_rows.newest(db),
            channels=rule.channel,
        )

    def _text(self, reading: Reading) -> str:
        return self._clean(reading.text[:_LONGEST_TEXT])

    # ------------------------------------------------------------ goes on
    def _go_on(self, db: Database, rule: Rule, moment: Moment, read: Mapping[str, Reading]) -> bool:
        """What is due by time, for each alert of the rule that goes on: its figure shown, itself said again."""
        said = False
        for alert in alert_rows.open_of(db, rule.name):
            reading = read.get(alert.subject)
            fresh = alert if alert.folded else self._refreshed(alert, reading, moment.now)
            fresh, again = self._repeated(db, rule, fresh, moment.now)
            if fresh != alert:
                self._book.show(db, fresh)
                said = True
            if again:
                self._book.below(db, fresh, self._book.telling.still(fresh, moment.now))
        return said

    def _refreshed(self, alert: Alert, reading: Reading | None, now: float) -> Alert:
        if reading is None or reading.value is None or 0 <= now - alert.last_at < REFRESH:
            return alert
        figure = self._book.telling.figure
        if figure(alert.unit, reading.value) == figure(alert.unit, alert.value):
            return alert
        return replace(alert, value=reading.value, text=self._text(reading) or alert.text, last_at=now)

    def _repeated(self, db: Database, rule: Rule, alert: Alert, now: float) -> tuple[Alert, bool]:
        """Said again, later each time; not while somebody is at it, nor while it is to be quiet."""
        if alert.state is not AlertState.OPEN or alert.announced_at is None:
            return alert, False
        wait = rule.repeat_after(alert.count)
        if alert.repeat_at is None or alert.repeat_at > now + wait:  # told just now, or the clock jumped back
            return replace(alert, repeat_at=now + wait), False
        if now < alert.repeat_at:
            return alert, False
        again = replace(alert, repeat_at=now + rule.repeat_after(alert.count + 1))
        if self._book.is_quiet(db, alert):
            return again, False
        return replace(again, count=alert.count + 1), True

    # ------------------------------------------------------------ over
    def _closed(self, db: Database, after: Monitor, now: float, why: str, reading: Reading | None = None) -> Monitor:
        alert = alert_rows.get(db, after.alert)
        if alert is not None and alert.is_open and not alert.folded:
            self.close(db, alert, now, why, reading)
        return replace(after, alert=0)

    def close(self, db: Database, alert: Alert, now: float, why: str, reading: Reading | None = None) -> None:
        """It is over; said below its message unless it is to be quiet."""
        if why == "recovered" and alert.verify_at is not None:
            why = "remedied"
        value = alert.value if reading is None or reading.value is None else reading.value
        over = replace(alert, state=AlertState.CLOSED, closed_at=now, value=value, owed=False, repeat_at=None, verify_at=None)
        quiet = self._book.is_quiet(db, alert)
        self._book.show(db, over)
        if not quiet:
            self._book.below(db, over, self._book.telling.recovered(over, why))

    def _gone(self, db: Database, monitor: Monitor, now: float) -> None:
        """A thing that is no more is over after a while; one that was well is forgotten."""
        if monitor.firing:
            self._closed(db, monitor, now, "gone")
        alert_rows.drop_monitor(db, monitor.rule, monitor.subject)

    def _recount(self, db: Database, rule: Rule, now: float) -> bool:
        """The alerts that stand for many: how many it is now, and which; whether that changed."""
        return any([self._recounted(db, alert, now) for alert in alert_rows.folding(db, rule.name)])

    def _recounted(self, db: Database, alert: Alert, now: float) -> bool:
        subjects = alert_rows.firing_under(db, alert.id)
        if not subjects:
            self.close(db, alert, now, "recovered")
            return True
        named = ", ".join(subjects[:_NAMED])
        if len(subjects) > _NAMED:
            named = self._words("alerts.folded_more", subjects=named, count=len(subjects) - _NAMED)
        text = self._clean(self._words("alerts.folded_text", subjects=named)[:_LONGEST_TEXT])
        fresh = replace(alert, folded=len(subjects), text=text)
        if fresh == alert:
            return False
        self._book.show(db, fresh)
        return True

    def drop(self, db: Database, name: str, now: float) -> None:
        """A rule that is no more takes its alerts with it."""
        for alert in alert_rows.open_of(db, name):
            self.close(db, alert, now, "unruled")
        alert_rows.drop_monitors(db, name)


def _worth_noting(before: Monitor, after: Monitor) -> bool:
    if before.is_blank and after.is_blank:
        return False
    return replace(before, seen_at=after.seen_at) != after or abs(after.seen_at - before.seen_at) >= _NOTED
