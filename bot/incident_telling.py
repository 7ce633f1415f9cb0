"""Writes what is said of an incident: its announcement, the overview in its room, and more in that room.

Always inside the commit of the change it tells of. Where a platform gave no room, it is the thread below the announcement.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlite_utils import Database

from bot.incident_page import IncidentPage
from bot.incidents import Incident, Room, RoomState
from bot.model import Place, Reply
from bot.notices import Notices
from bot.store import notice_rows
from bot.store.incident_rows import notice_key, room_key


class IncidentTelling:
    """Tells by ``notices``; ``places`` are where incidents are announced."""

    def __init__(self, notices: Notices, page: IncidentPage, places: Callable[[], Sequence[Place]]) -> None:
        self._notices = notices
        self.page = page
        self._places = places

    def platforms(self) -> tuple[str, ...]:
        """Where incidents are announced, each platform once."""
        return tuple(dict.fromkeys(place.platform for place in self._places()))

    def announce(self, db: Database, incident: Incident) -> None:
        """In every place of incidents, for the first time."""
        self._notices.show(db, notice_key(incident.number), self._places(), self.page.announcement(incident))

    def refresh(self, db: Database, incident: Incident) -> None:
        """What stands of it says how it is now."""
        self._notices.show(db, notice_key(incident.number), (), self.page.announcement(incident))
        self._notices.show(db, room_key(incident.number), (), self.page.overview(incident))

    def furnish(self, db: Database, incident: Incident, room: Room) -> None:
        """The overview, in a room that is settled."""
        key, overview = room_key(incident.number), self.page.overview(incident)
        if room.state is RoomState.CHANNEL:
            self._notices.show(db, key, (Place(room.platform, room.channel),), overview)
        else:
            self._notices.show_below(db, key, notice_key(incident.number), (room.platform,), overview)

    def say(self, db: Database, incident: Incident, reply: Reply, without: Place | None = None) -> None:
        """Something more, in every room that is settled; not where it was said already."""
        channels = [Place(room.platform, room.channel) for room in incident.rooms if room.state is RoomState.CHANNEL]
        threads = {room.platform for room in incident.rooms if _is_thread(room)}
        if without is not None:
            channels = [place for place in channels if (place.platform, place.channel) != (without.platform, without.channel)]
            threads -= {without.platform} if without.thread else set()
        self._notices.say(db, channels, reply)
        self._notices.below(db, notice_key(incident.number), reply, threads)

    def announce_below(self, db: Database, incident: Incident, reply: Reply) -> None:
        """Something more below the announcement, where people are who are not in the room."""
        elsewhere = {place.platform for place in self._places()} - {room.platform for room in incident.rooms if _is_thread(room)}
        self._notices.below(db, notice_key(incident.number), reply, elsewhere)

    def say_below(self, db: Database, incident: Incident, platform: str, reply: Reply) -> None:
        """Something more below the announcement on one platform."""
        self._notices.below(db, notice_key(incident.number), reply, (platform,))

    def leave(self, db: Database, incident: Incident, room: Room) -> None:
        """A channel that is no more: what was not said there is said below the announcement, and the overview moves there."""
        notice_rows.move_below(db, Place(room.platform, room.channel), room_key(incident.number), notice_key(incident.number))


def _is_thread(room: Room) -> bool:
    return room.state in (RoomState.THREAD, RoomState.GONE)
