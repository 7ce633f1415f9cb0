"""Puts together who is called when something is wrong, and who notices when the bot itself is silent. Part of the composition root."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from bot import oncall, oncall_check
from bot.alert_book import AlertBook, AlertDesk
from bot.alert_calls import AlertSource
from bot.config import Settings
from bot.escalation import Escalation, EscalationDesk, PageSource
from bot.gate import Gate
from bot.heartbeat import PART, Heartbeat, Signs
from bot.inspector import SetUpInspector
from bot.model import Account
from bot.notices import Notices
from bot.oncall import Contact
from bot.oncall_book import OnCallBook, OnCallDesk
from bot.oncall_telling import OnCallTelling
from bot.permissions import GROUP_OF, Permissions
from bot.places import Places
from bot.store.engine import Store
from bot.team_files import TeamFile
from bot.words import Words

Loop = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Ground:
    """What it stands on. ``hears`` tells which connectors hear people; ``wake`` lets messages go out."""

    settings: Settings
    store: Store
    notices: Notices
    places: Places
    permissions: Permissions
    gate: Gate
    words: Words
    inspector: SetUpInspector
    hears: Callable[[], Mapping[str, bool]]
    wake: Callable[[], None]
    clock: Callable[[], float]


class Calling:
    """The book of who is on call, the escalation, and the heartbeat, which also minds that ``rounds`` go on."""

    def __init__(self, ground: Ground, rounds: Mapping[str, Callable[[], float]]) -> None:
        settings, self._words = ground.settings, ground.words
        parse = partial(oncall.parse, zone=settings.vcc_tz)
        file = TeamFile(oncall.FILE, settings.vcc_team_dir, settings.vcc_home / "team", parse)
        ground.inspector.watch(file)
        telling = OnCallTelling(ground.words, settings.vcc_tz)
        stand_ins = partial(admins, settings.vcc_admins, ground.permissions)
        self.book = OnCallBook(
            OnCallDesk(ground.store, ground.notices, ground.places, ground.words, telling, stand_ins, ground.wake, ground.clock), file
        )
        ground.inspector.add(oncall_check.PART, oncall_check.OnCallCheck(self.book, ground.gate).findings)
        desk = EscalationDesk(ground.store, ground.notices, ground.places, self.book, ground.wake, ground.clock)
        self.escalation = Escalation(desk, [PageSource(self.book)])
        signs = Signs(ground.store, ground.hears, {**rounds, "escalation": lambda: self.escalation.rounded_at})
        self.heartbeat = Heartbeat(settings.vcc_deadman_url.get_secret_value(), signs, ground.clock)
        ground.inspector.add(PART, partial(self.heartbeat.check, zone=settings.vcc_tz))

    def about_alerts(self, desk: AlertDesk, alerts: AlertBook) -> None:
        """Critical alerts name who is on call, and call the next one when nobody is at them."""
        desk.on_call, desk.calls, desk.letters = self.book.name, self.book.accounts, self.book.letters
        self.escalation.add(AlertSource(alerts, self._words))

    @property
    def loops(self) -> Mapping[str, Loop]:
        """What runs as long as the bot does."""
        return {"escalation": self.escalation.run, "heartbeat": self.heartbeat.run}


def admins(entries: Sequence[Sequence[Account]], permissions: Permissions) -> Sequence[Contact]:
    """The admins of the settings as contacts, in their order; groups name nobody."""
    people = [entry for entry in entries if entry[0].platform not in GROUP_OF.values()]
    return [Contact(permissions.person(entry[0]).name, tuple(entry)) for entry in people]
