"""Tells somebody outside, every minute, that the bot is well, so that its own silence is noticed. Says nothing while it is not.

The address is a secret: it is neither logged nor shown. Knows nobody who is told when it stops; that is the other side's business.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bot.errors import OutsideError, VccError
from bot.figures import Figures
from bot.ops import health
from bot.services import Finding
from bot.store import heartbeat_rows
from bot.store.engine import Store
from bot.words import Words

_LOG = logging.getLogger("vcc.heartbeat")
PART = "heartbeat"
EVERY = 60.0
# A round that is this old does not go on any more.
STALE = 300.0
_DEADLINE = 10.0
_REFUSED = 400


@dataclass(frozen=True, slots=True)
class Signs:
    """What being well hangs on: whether people can be heard, a state that can be written, and rounds that go on.

    ``rounds`` gives, by name, when each last went well (``-inf`` for not yet).
    """

    store: Store
    hears: Callable[[], Mapping[str, bool]]
    rounds: Mapping[str, Callable[[], float]] = field(default_factory=dict)


class Heartbeat:
    """Calls ``address``; none when that is empty. ``sleep`` waits between the beats."""

    def __init__(
        self, address: str, signs: Signs, clock: Callable[[], float] = time.time, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._address = address
        self._signs = signs
        self._clock = clock
        self._sleep = sleep
        self._told = ""

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            await self._sleep(EVERY)
            if self._address:
                await self.beat()

    async def beat(self) -> bool:
        """One beat, if all is well; whether it was taken note of. Never raises for what is wrong: silence says it."""
        try:
            ill = await self._what_is_wrong()
            if not ill:
                answer = await health.fetch(self._address, _DEADLINE)
                ill = f"it was refused ({answer.status})" if answer.status >= _REFUSED else ""
            if not ill:
                now = self._clock()
                await self._signs.store.write(lambda db: heartbeat_rows.taken(db, now))
        except OutsideError as error:  # its detail holds the address
            ill = f"nobody answers ({error.key})"
        except VccError as error:
            ill = error.key
        self._tell(ill)
        return not ill

    async def _what_is_wrong(self) -> str:
        signs, now = self._signs, self._clock()
        heard = signs.hears()
        if heard and not any(heard.values()):
            return "nobody can be heard"
        # A round of the future was before the clock was set back: of now it says nothing.
        still = [name for name, at in signs.rounds.items() if abs(now - at()) > STALE]
        if still:
            return f"stands still: {', '.join(still)}"
        await signs.store.write(lambda db: heartbeat_rows.note(db, now))
        return ""

    def _tell(self, ill: str) -> None:
        """In the log, when it changes."""
        if ill != self._told:
            self._told = ill
            _LOG.warning("no heartbeat: %s", ill) if ill else _LOG.info("the heartbeat goes on")

    async def check(self, words: Words, zone: str) -> Sequence[Finding]:
        """Whether it is set up, and when it was last taken note of. Sends none: whoever looks need not be well."""
        if not self._address:
            return [Finding(PART, "warn", words("heartbeat.unset"), words("heartbeat.unset_fix"))]
        at = await self._signs.store.read(heartbeat_rows.last_taken)
        said = words("heartbeat.last", at=Figures(words.language, zone).moment(at)) if at is not None else words("heartbeat.never")
        if at is None or abs(self._clock() - at) > STALE:
            return [Finding(PART, "warn", said, words("heartbeat.fix"))]
        return [Finding(PART, "ok", said)]
