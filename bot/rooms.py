"""What a platform can do to give an incident a channel of its own: agreed here, so that doors and the house need not know each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from bot.model import Account, Place


@dataclass(frozen=True, slots=True)
class RoomWish:
    """A channel to be made. ``name`` and ``topic`` are always the same for one incident, so that one made before is found again.

    ``members`` are let in, people and groups of them as far as the platform can; nobody else sees it when it is ``private``.
    """

    name: str
    topic: str
    members: tuple[Account, ...]
    private: bool = False


@runtime_checkable
class RoomMaker(Protocol):
    """A platform that has channels. A connector that is none has its incidents in the thread below the announcement."""

    async def open_room(self, wish: RoomWish) -> Place | None:
        """The channel, made now or found; None where the platform forbids it for good. OutsideError when that cannot be known now."""

    def room_lost(self, reason: str) -> bool:
        """Whether a message that was given up for this reason tells that its channel is deleted, archived, or closed to us."""
