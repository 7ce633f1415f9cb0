"""The shape of a platform's door, and what it is handed: agreed here so that doors and the house need not know each other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from bot.config import Settings
from bot.dispatch import Dispatch
from bot.gate import Gate, Roster
from bot.model import Place
from bot.outbox import Courier
from bot.registry import Registry
from bot.services import Finding
from bot.words import Words


async def _none(place: Place) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Doors:
    """What a connector needs of the house: where requests go, and what to translate with.

    ``services`` gives the compose services known now, for autocomplete; ``notes`` tells whether what is pinned in a place is a note.
    """

    settings: Settings
    dispatch: Dispatch
    registry: Registry
    gate: Gate
    words: Words
    services: Callable[[], Sequence[str]]
    notes: Callable[[Place], Awaitable[bool]] = _none


class Connector(Courier, Roster, Protocol):
    """A platform: hears people, posts and changes messages, knows groups, and says what is wrong with its set-up.

    Its module has ``build(doors) -> Connector``.
    """

    platform: str

    async def run(self) -> None:
        """Listen until cancelled; raises when the connection is lost for good, to be started again."""

    async def check(self, words: Words) -> Sequence[Finding]:
        """What is misconfigured."""

    def healthy(self) -> bool:
        """Whether people can be heard now."""

    def routes(self) -> Sequence[web.RouteDef]:
        """What it listens to on our HTTP server."""
