"""In whose name a schedule's line is typed, and where: by the settings, as they are now. Judges no right; the corridor does that."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from bot.config import Settings
from bot.errors import Conflict
from bot.model import Account, Place
from bot.permissions import GROUP_OF, Permissions
from bot.scheduler_data import Schedule

_NOWHERE = Place("local", "schedule", direct=True)


@dataclass(frozen=True, slots=True)
class Errand:
    """The account that types, the place where it does, the other places that see the answer, and the owner's name."""

    account: Account
    place: Place
    others: tuple[Place, ...]
    owner: str


class Owners:
    """Finds a place where a schedule's owner has an account. ``speaks`` gives the platforms that are connected."""

    def __init__(self, settings: Settings, permissions: Permissions, speaks: Callable[[], Collection[str]]) -> None:
        self._settings = settings
        self._permissions = permissions
        self._speaks = speaks

    def errand(self, schedule: Schedule) -> Errand:
        """Who types a schedule's line, and where. Conflict when nobody can, or nowhere."""
        places = self._places(schedule.channels)
        owner = schedule.owner or self._first_admin({place.platform for place in places})
        if owner is None or owner.platform in GROUP_OF.values():
            raise Conflict("scheduler.no_owner")
        accounts = self._permissions.accounts_of(owner)
        name = self._permissions.person(owner).name
        for place in places or (_NOWHERE,):
            here = sorted((each for each in accounts if each.platform == place.platform), key=lambda each: (each != owner, each.id))
            if here:
                return Errand(here[0], place, tuple(each for each in places if each != place), name)
        raise Conflict("scheduler.no_place", owner=name)

    def shown_in(self, schedule: Schedule) -> tuple[Place, ...]:
        """Where to tell that it cannot run: the channels of the settings, should its own be what is wrong."""
        try:
            return self._places(schedule.channels)
        except Conflict:
            return self._places(())

    def _places(self, wanted: Collection[Account]) -> tuple[Place, ...]:
        settings = self._settings
        known = {*settings.vcc_channel_ops, *settings.vcc_channel_alerts, *settings.vcc_channel_incidents}
        unknown = [str(each) for each in wanted if each not in known]
        if unknown:
            raise Conflict("scheduler.unknown_channel", channel=", ".join(unknown))
        speaking = self._speaks()
        channels = dict.fromkeys(wanted or settings.vcc_channel_ops)
        return tuple(Place(each.platform, each.id) for each in channels if each.platform in speaking)

    def _first_admin(self, platforms: Collection[str]) -> Account | None:
        """The first person of VCC_ADMINS who has an account in one of the places; else the first at all."""
        people = [entry for entry in self._settings.vcc_admins if entry[0].platform not in GROUP_OF.values()]
        present = [account for entry in people for account in entry if account.platform in platforms]
        return next(iter((*present, *(entry[0] for entry in people))), None)
