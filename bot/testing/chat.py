"""A chat platform in memory: a whole connector, which remembers what every message said, and fails or hangs when told to.

Knows the doors' protocol and nothing of the corridor behind them.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiohttp import web

from bot.errors import Unreachable
from bot.model import Account, Button, Place, Reply
from bot.outbox import Checkpoint, NotDelivered
from bot.rooms import RoomWish
from bot.services import Finding
from bot.store.message_rows import Message
from bot.words import Words


@dataclass(slots=True)
class Posted:
    """A message on the platform: all that it ever said, the newest last. ``row`` is the outbox row it came from.

    ``below`` is the message in whose thread it stands; empty for one of its own.
    """

    id: str
    row: int
    place: Place
    account: Account
    below: str = ""
    said: list[Reply] = field(default_factory=list)

    @property
    def reply(self) -> Reply:
        """What it says now."""
        return self.said[-1]

    def button(self, label: str) -> Button:
        """The button with this label; AssertionError tells which there are."""
        found = [button for button in self.reply.buttons if button.label == label]
        if not found:
            raise AssertionError(f"no button {label!r} among {[button.label for button in self.reply.buttons]}")
        return found[0]


class TestChat:
    """A connector in memory. ``fail`` and ``hold`` spoil its deliveries; ``loses_answers`` posts and then says it does not know.

    With ``makes_rooms`` an incident gets a channel, named ``#`` and the name wished for; ``rooms`` are those it made.
    """

    __test__ = False

    def __init__(self, platform: str = "slack") -> None:
        self.platform = platform
        self.posts: dict[str, Posted] = {}
        self.deliveries: list[int] = []
        self.looked_up: list[int] = []
        self.groups: dict[Account, frozenset[Account]] = {}
        self.knows_groups = True
        self.spoilt = 0
        self._failure: Exception | None = None
        self._failing = ""
        self._failures_left = 0.0
        self.loses_answers = False
        self.makes_rooms = False
        self.rooms: dict[str, RoomWish] = {}
        self._held = ""
        self._before, self._after = asyncio.Event(), asyncio.Event()
        self.let_go()
        self._numbers = itertools.count(1)

    # ------------------------------------------------------------ what tests ask
    def at(self, place: Place) -> list[Posted]:
        """What stands in a place, oldest first."""
        return [post for post in self.posts.values() if post.place == place]

    def cards(self, ticket: int) -> list[Posted]:
        """The messages that show this ticket now."""
        return [post for post in self.posts.values() if post.reply.ticket == ticket]

    def hold(self, channel: str = "") -> None:
        """Let deliveries hang until ``let_go``: to one channel, or all."""
        self._held = channel
        self._before.clear()

    def hold_after_posting(self) -> None:
        """Let deliveries hang until ``let_go``, with the message posted already."""
        self._after.clear()

    def let_go(self) -> None:
        """End both."""
        self._before.set()
        self._after.set()

    def fail(self, failure: Exception, *, times: float = float("inf"), channel: str = "") -> None:
        """Fail the next deliveries: so many, or all; to one channel, or to all."""
        self._failure, self._failures_left, self._failing = failure, times, channel

    def recover(self) -> None:
        """End ``fail``."""
        self._failure = None

    def _spoil(self, message: Message) -> None:
        if self._failure is None or self._failures_left < 1 or self._failing not in ("", message.place.channel):
            return
        self._failures_left -= 1
        self.spoilt += 1
        raise self._failure

    # ------------------------------------------------------------ Courier
    def lane(self, message: Message) -> str:
        """One lane a channel, as on real platforms."""
        return str(message.place)

    async def deliver(self, message: Message, checkpoint: Checkpoint) -> Mapping[str, str]:
        """Post or change."""
        if self._held in ("", message.place.channel):
            await self._before.wait()
        self._spoil(message)
        self.deliveries.append(message.id)
        number = message.posted.get("id") or f"m{next(self._numbers)}"
        post = self.posts.setdefault(number, Posted(number, message.id, message.place, message.account, message.below.get("id", "")))
        post.said.append(message.reply)
        await self._after.wait()
        if self.loses_answers:
            raise NotDelivered("the answer was lost", in_doubt=True)
        return {"id": number}

    async def find(self, message: Message) -> Mapping[str, str] | None:
        """Look up what an earlier try may have posted."""
        self._spoil(message)
        self.looked_up.append(message.id)
        return next(({"id": post.id} for post in self.posts.values() if post.row == message.id), None)

    # ------------------------------------------------------------ RoomMaker
    async def open_room(self, wish: RoomWish) -> Place | None:
        """A channel of that name, when this platform makes any."""
        if not self.makes_rooms:
            return None
        self.rooms[wish.name] = wish
        return Place(self.platform, f"#{wish.name}")

    def room_lost(self, reason: str) -> bool:
        """As Slack says it."""
        return reason == "channel_not_found"

    # ------------------------------------------------------------ Roster
    async def groups_of(self, account: Account) -> frozenset[Account]:
        """The groups a test put the account into."""
        if not self.knows_groups:
            raise Unreachable(self.platform)
        return self.groups.get(account, frozenset())

    # ------------------------------------------------------------ Connector
    async def run(self) -> None:
        """Hear nobody: tests speak through ``Bot.types``."""
        await asyncio.Event().wait()

    async def check(self, words: Words) -> Sequence[Finding]:
        """All is well."""
        return [Finding(self.platform, "ok", "in memory")]

    def healthy(self) -> bool:
        """Always."""
        return True

    def routes(self) -> Sequence[web.RouteDef]:
        """None."""
        return ()
