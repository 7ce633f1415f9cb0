"""Alerts, mutes and maintenance windows as they are kept and told: every change is one commit with what is said of it. Measures nothing.

What others add to an alert in a commit of their own (an incident's number, say) they show with ``AlertBook.show`` in the same one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from sqlite_utils import Database

from bot.alert_telling import AlertTelling
from bot.alerts import Alert, AlertState, Mute, Severity, Window
from bot.errors import Conflict
from bot.model import Account, Place, Reply
from bot.notices import Notices
from bot.places import Places, places_of
from bot.store import alert_rows
from bot.store.engine import Store

T = TypeVar("T")
# The rule of alerts that somebody asked for, to see one.
TEST = "test"
# What began so much later than now began before the clock was set back.
_SET_BACK = 600.0


def _nobody(db: Database) -> str:
    return ""


def _no_accounts(db: Database) -> tuple[Account, ...]:
    return ()


def _no_letters(db: Database) -> tuple[Place, ...]:
    return ()


@dataclass(slots=True)
class AlertDesk:
    """What the book works with. ``wake`` lets messages go out; ``on_call`` says who is called, empty for nobody; ``calls``
    are their accounts, ``letters`` their mailboxes where they have none.
    """

    store: Store
    notices: Notices
    places: Places
    telling: AlertTelling
    wake: Callable[[], None]
    clock: Callable[[], float] = time.time
    on_call: Callable[[Database], str] = field(default=_nobody)
    calls: Callable[[Database], tuple[Account, ...]] = field(default=_no_accounts)
    letters: Callable[[Database], tuple[Place, ...]] = field(default=_no_letters)


class AlertBook:
    """The alerts of one house."""

    def __init__(self, desk: AlertDesk) -> None:
        self._desk = desk
        self.telling = desk.telling

    # ------------------------------------------------------------ inside somebody's commit
    def show(self, db: Database, alert: Alert) -> None:
        """Keep an alert as it is now, and its message with it; one that nobody was told of is only kept."""
        self._show(db, alert, self._places(alert))

    def _show(self, db: Database, alert: Alert, places: Sequence[Place]) -> None:
        alert_rows.save(db, alert)
        if alert.announced_at is not None:
            reply = self.telling.notice(alert, _covering(db, alert), self._desk.on_call(db) if alert.is_open else "")
            self._desk.notices.show(db, alert.key, places, replace(reply, mentions=self._called(db, alert)))
        if alert.state is not AlertState.OPEN:
            self._desk.notices.hush(db, alert.key)

    def _called(self, db: Database, alert: Alert) -> tuple[Account, ...]:
        """A critical one calls whoever is on call, by name, until somebody is at it."""
        calls = alert.severity is Severity.CRITICAL and alert.state is AlertState.OPEN
        return self._desk.calls(db) if calls else ()

    def below(self, db: Database, alert: Alert, reply: Reply) -> None:
        """Something more below its message; nothing where there is none."""
        self._desk.notices.below(db, alert.key, reply)

    def is_quiet(self, db: Database, alert: Alert) -> bool:
        """Whether nothing is to be said of it now."""
        return bool(_covering(db, alert)) or any(window.covers(alert) for window in alert_rows.windows(db))

    def quiet_until(self, db: Database, alert: Alert, since: float) -> float:
        """When the last mute or window that kept it quiet since then ended; 0 when none did."""
        return max((at for each, at in alert_rows.ended_since(db, since) if each.covers(alert)), default=0.0)

    def announce(self, db: Database, alert: Alert) -> Alert:
        """Tell of it for the first time, unless it is to be quiet; as it is then. Its evidence is owed from now on.

        A critical one is a letter, too, to whoever is on call at that moment and can be called in no other way.
        """
        if not self.is_quiet(db, alert):
            alert = replace(alert, announced_at=self._desk.clock(), owed=not alert.folded)
        letters = self._desk.letters(db) if alert.severity is Severity.CRITICAL else ()
        self._show(db, alert, (*self._places(alert), *letters))
        return alert

    def expire(self, db: Database) -> bool:
        """End mutes and windows whose time has come, and tell what had to wait for that; whether there was any."""
        now = self._desk.clock()
        mutes = [mute for mute in alert_rows.mutes(db) if _is_over(mute.at, mute.until, now)]
        windows = [window for window in alert_rows.windows(db) if _is_over(window.begun_at, window.until, now)]
        for mute in mutes:
            self._end_mute(db, mute)
        for window in windows:
            self._end_window(db, window)
        return bool(mutes or windows)

    def _end_mute(self, db: Database, mute: Mute, person: str = "") -> None:
        """Said below the alert it was asked at, which calls again when it goes on, or where alerts are told: one of a whole rule belongs to
        none.
        """
        alert_rows.end_mute(db, mute.id, self._desk.clock())
        alert = alert_rows.get(db, mute.alert)
        if alert is not None and alert.announced_at is not None:
            said = self.telling.mute_ended(mute, alert.is_open, person)
            self.below(db, alert, replace(said, mentions=() if self.is_quiet(db, alert) else self._called(db, alert)))
        else:
            going_on = any(map(mute.covers, alert_rows.all_open(db)))
            self._desk.notices.show(db, mute.key, self._desk.places.alerts(), self.telling.mute_ended(mute, going_on, person))
        self._tell_waiting(db)
        for each in alert_rows.all_open(db):
            if mute.covers(each) and each.announced_at is not None:
                self.show(db, each)

    def _end_window(self, db: Database, window: Window, person: str = "") -> Window:
        ended = replace(window, ended_at=self._desk.clock())
        alert_rows.end_window(db, window.id, self._desk.clock())
        inside = [alert for alert in alert_rows.since(db, window.begun_at) if alert.announced_at is None and window.covers(alert)]
        self._desk.notices.show(db, window.key, self._desk.places.alerts(), self.telling.window(ended))
        going_on = sum(alert.is_open for alert in inside)
        self._desk.notices.below(db, window.key, self.telling.window_ended(ended, len(inside), going_on, person))
        self._tell_waiting(db)
        return ended

    def _tell_waiting(self, db: Database) -> None:
        for alert in alert_rows.all_open(db):
            if alert.announced_at is None:
                self.announce(db, alert)

    def _places(self, alert: Alert) -> Sequence[Place]:
        return (*self._desk.places.alerts(), *places_of(alert.channels))

    # ------------------------------------------------------------ what commands ask
    async def open(self) -> Sequence[Alert]:
        """What goes on now: critical ones first, then the oldest."""
        return await self._desk.store.read(alert_rows.all_open)

    async def waiting(self) -> Sequence[Alert]:
        """What goes on, was told, is not muted, and nobody has acknowledged; the oldest first."""
        return await self._desk.store.read(self._waiting)

    def _waiting(self, db: Database) -> list[Alert]:
        found = [alert for alert in alert_rows.all_open(db) if alert.state is AlertState.OPEN and alert.announced_at is not None]
        return sorted((alert for alert in found if not self.is_quiet(db, alert)), key=lambda alert: alert.opened_at)

    async def since(self, at: float) -> Sequence[Alert]:
        """Every alert that was open at some time since then, the oldest first."""
        return await self._desk.store.read(lambda db: alert_rows.since(db, at))

    async def get(self, number: int) -> Alert | None:
        """One alert as it stands."""
        return await self._desk.store.read(lambda db: alert_rows.get(db, number))

    async def acknowledge(self, number: int, person: str) -> Alert:
        """Somebody is at it. Conflict when it is over, or somebody was before."""

        def work(db: Database) -> Alert:
            alert = _going_on(db, number)
            if alert.state is AlertState.ACKNOWLEDGED:
                raise Conflict("alerts.acknowledged_before", number=number, person=alert.acknowledged_by)
            now = self._desk.clock()
            alert = replace(alert, state=AlertState.ACKNOWLEDGED, acknowledged_by=person, acknowledged_at=now, repeat_at=None)
            self.show(db, alert)
            return alert

        return await self._written(work)

    async def link(self, number: int, incident: int) -> Alert:
        """It belongs to an incident. Conflict when there is no such alert."""

        def work(db: Database) -> Alert:
            alert = replace(_there(db, number), incident=incident)
            self.show(db, alert)
            return alert

        return await self._written(work)

    async def say(self, number: int, said: Reply) -> None:
        """Something more, in the thread below its notice."""
        await self._written(lambda db: self.below(db, _there(db, number), said))

    async def mute(self, rule: str, subject: str, person: str, until: float, alert: int = 0) -> Mute:
        """Say nothing of this until then; it takes the place of a mute of the same."""

        def work(db: Database) -> Mute:
            made = alert_rows.add_mute(db, Mute(0, rule, subject, person, self._desk.clock(), until, alert))
            for each in alert_rows.all_open(db):
                if made.covers(each):
                    self.show(db, each)
            return made

        return await self._written(work)

    async def unmute(self, number: int, person: str) -> Mute:
        """End a mute before its time. Conflict when it is over."""

        def work(db: Database) -> Mute:
            found = next((mute for mute in alert_rows.mutes(db) if mute.id == number), None)
            if found is None:
                raise Conflict("alerts.no_mute")
            self._end_mute(db, found, person)
            return found

        return await self._written(work)

    async def test(self, title: str, person: str) -> Alert:
        """An alert about nothing, told as any other; it is over by itself soon."""

        def work(db: Database) -> Alert:
            now = self._desk.clock()
            return self.announce(db, alert_rows.insert(db, Alert(0, TEST, person, Severity.WARNING, title, now, now)))

        return await self._written(work)

    async def mutes(self) -> Sequence[Mute]:
        """Those in force, the one that ends first first."""
        return await self._desk.store.read(alert_rows.mutes)

    async def begin_window(self, service: str, person: str, until: float) -> Window:
        """Record alerts of this and tell nobody until then. Conflict when that is so already."""

        def work(db: Database) -> Window:
            same = next((window for window in alert_rows.windows(db) if window.service == service), None)
            if same is not None:
                told = self.telling.figures.moment(same.until)
                raise Conflict("alerts.window_before", service=self.telling.service(same), until=told, number=same.id)
            window = alert_rows.add_window(db, Window(0, service, person, self._desk.clock(), until))
            self._desk.notices.show(db, window.key, self._desk.places.alerts(), self.telling.window(window))
            return window

        return await self._written(work)

    async def end_window(self, number: int, person: str) -> Window:
        """End one before its time; what still goes on is told. Conflict when it is over."""

        def work(db: Database) -> Window:
            found = next((window for window in alert_rows.windows(db) if window.id == number), None)
            if found is None:
                raise Conflict("alerts.no_window")
            return self._end_window(db, found, person)

        return await self._written(work)

    async def windows(self) -> Sequence[Window]:
        """Those in force, the oldest first."""
        return await self._desk.store.read(alert_rows.windows)

    async def _written(self, work: Callable[[Database], T]) -> T:
        done = await self._desk.store.write(work)
        self._desk.wake()
        return done


def _is_over(begun: float, until: float, now: float) -> bool:
    """Also when the clock was set back so far that it would be quiet for longer than anybody asked."""
    return until <= now or begun > now + _SET_BACK


def _covering(db: Database, alert: Alert) -> list[Mute]:
    return [mute for mute in alert_rows.mutes(db) if mute.covers(alert)]


def _there(db: Database, number: int) -> Alert:
    alert = alert_rows.get(db, number)
    if alert is None:
        raise Conflict("alerts.no_alert", number=number)
    return alert


def _going_on(db: Database, number: int) -> Alert:
    alert = _there(db, number)
    if not alert.is_open:
        raise Conflict("alerts.is_closed", number=number)
    return alert
