"""A chat in memory that knows when each thing was said, and tells it all as a list that a person can read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.model import Place, Reply
from bot.outbox import Checkpoint
from bot.store.message_rows import Message
from bot.testing.chat import Posted, TestChat

ZONE = ZoneInfo("Asia/Seoul")
NAMES = {"OPS": "#ops", "ALERTS": "#alerts", "INCIDENTS": "#incidents", "100": "#ops", "200": "#alerts", "300": "#incidents"}
_LINE = 110


class WeekChat(TestChat):
    """``down``: it takes nothing and hears nobody."""

    def __init__(self, platform: str, clock: Callable[[], float]) -> None:
        super().__init__(platform)
        self._clock = clock
        self.down = False
        self._at: dict[int, list[float]] = {}

    def healthy(self) -> bool:
        """Unless it is down."""
        return not self.down

    async def deliver(self, message: Message, checkpoint: Checkpoint) -> Mapping[str, str]:
        """Note when; also of what was posted when its answer never arrives."""
        before = self.deliveries.count(message.id)
        now = self._clock()
        try:
            return await super().deliver(message, checkpoint)
        finally:
            if self.deliveries.count(message.id) > before:
                self._at.setdefault(message.id, []).append(now)

    def told(self) -> list[str]:
        """Every message, those of threads below theirs: when, where, what it said first and (after ``=>``) in the end.

        Channels are told at the same time, so that of one minute they stand by name; in a channel the order is as it was told.
        """
        notices = sorted((post for post in self.posts.values() if not post.below), key=lambda post: (self._at[post.row][0], _name(post)))
        return [line for post in notices for line in self._conversation(post)]

    def _conversation(self, post: Posted) -> Iterator[str]:
        yield f"{self._moment(post, 0)} {self.platform} {_name(post)} | {self._course(post)}"
        for below in self.posts.values():
            if below.below == post.id:
                yield f"    {self._moment(below, 0)} | {self._course(below)}"

    def _course(self, post: Posted) -> str:
        first, last = self._line(post.said[0]), self._line(post.reply)
        return first if first == last else f"{first}  => {self._moment(post, -1)} {last}"

    def _moment(self, post: Posted, index: int) -> str:
        return moment(self._at[post.row][index])

    def _line(self, reply: Reply) -> str:
        """Its title, whom it calls here, and how its text begins."""
        called = "".join(f" @{account.id}" for account in reply.mentions if account.platform == self.platform)
        first = reply.text.partition("\n")[0]
        text = f" — {first if len(first) <= _LINE else first[:_LINE] + '…'}" if first else ""
        private = " (private)" if reply.private else ""
        return f"{reply.title}{called}{text}{private}"

    def newest(self, place: Place, begins: str) -> Posted:
        """The newest message of a place, in no thread, whose title has this in it."""
        found = [post for post in self.at(place) if not post.below and begins in post.reply.title]
        if not found:
            raise AssertionError(f"nothing says {begins!r} among {[post.reply.title for post in self.at(place)]}")
        return found[-1]


def moment(at: float) -> str:
    """``Mon 09:00``."""
    return f"{datetime.fromtimestamp(at, ZONE):%a %H:%M}"


def _name(post: Posted) -> str:
    return NAMES.get(post.place.channel, post.place.channel)
