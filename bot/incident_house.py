"""Puts the parts of incidents together: the book that commands use, and the watch that looks after what goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from bot import runbooks
from bot.alert_book import AlertBook
from bot.config import Settings
from bot.dispatch import Dispatch
from bot.doors import Connector
from bot.errors import Refusal
from bot.incident_book import IncidentBook, Shelf
from bot.incident_page import IncidentPage
from bot.incident_telling import IncidentTelling
from bot.incident_timeline import AlertTimeline, RecordTimeline
from bot.incident_watch import IncidentWatch, Watched
from bot.inspector import SetUpInspector
from bot.line import normalise, split
from bot.model import Account, Role
from bot.notices import Notices
from bot.ops.bundle import Ops
from bot.permissions import GROUP_OF, Permissions
from bot.places import Places
from bot.redact import Redactor
from bot.registry import Registry
from bot.rooms import RoomMaker
from bot.store.engine import Store
from bot.team_files import TeamFile
from bot.words import Words


class House(Protocol):
    """What is needed of the house around them."""

    settings: Settings
    clock: Callable[[], float]
    words: Words
    redactor: Redactor
    registry: Registry
    permissions: Permissions
    places: Places
    store: Store
    ops: Ops
    inspector: SetUpInspector
    notices: Notices
    alerts: AlertBook
    dispatch: Dispatch
    connectors: dict[str, Connector]

    def wake(self) -> None:
        """There may be something to send."""


class IncidentHouse:
    """``book`` and ``watch`` of one house."""

    def __init__(self, house: House) -> None:
        self._house = house
        settings, words = house.settings, house.words
        file = TeamFile(runbooks.FILE, settings.vcc_team_dir, settings.vcc_home / "team", runbooks.parse)
        house.inspector.watch(file)
        page = IncidentPage(words, settings.vcc_tz, house.clock, self._exists)
        telling = IncidentTelling(house.notices, page, house.places.incidents)
        sources = (RecordTimeline(house.registry, words).entries, AlertTimeline(words, house.alerts.telling).entries)
        self.book = IncidentBook(
            Shelf(house.store, file, telling, house.alerts, words, sources, self._wake, house.redactor.text), house.clock
        )
        watched = Watched(
            store=house.store,
            telling=telling,
            words=words,
            ask=house.dispatch.ask,
            services=house.ops.containers.services,
            makers=self._makers,
            members=self._members,
            accounts=house.permissions.accounts_named,
            wake=house.wake,
        )
        self.watch = IncidentWatch(watched, house.clock)

    def _wake(self) -> None:
        self._house.wake()
        self.watch.hurry()

    def _members(self, platform: str) -> tuple[Account, ...]:
        """Whoever may work on incidents there; the groups too, whose people are known to the platform only."""
        permissions = self._house.permissions
        return tuple(each for kind in (platform, GROUP_OF.get(platform, "")) for each in permissions.people_on(kind, Role.OPERATOR))

    def _makers(self) -> Mapping[str, RoomMaker]:
        return {name: each for name, each in self._house.connectors.items() if isinstance(each, RoomMaker)}

    def _exists(self, line: str) -> bool:
        try:
            self._house.registry.resolve(split(normalise(line)))
        except Refusal:
            return False
        return True
