"""What a handler is handed: who asks, the words to answer in, the adapters, and the corridor's services."""

from __future__ import annotations

import time
from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bot.chart import Chart
from bot.config import Settings
from bot.model import Attachment, Invocation, Person, Progress, Reply
from bot.ops.bundle import Ops
from bot.services import Services
from bot.store.promise_rows import Promise
from bot.words import Words


def _say_nothing(progress: Progress) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Context:
    """One request, as its handler sees it."""

    invocation: Invocation
    person: Person
    words: Words
    settings: Settings
    ops: Ops
    services: Services
    say: Callable[[Progress], None] = _say_nothing
    clock: Callable[[], float] = field(default=time.time)

    async def promise(self, *lines: str) -> None:
        """Before holding something back: the lines that let it go again, typed at the next start should this be interrupted."""
        await self.services.promise(self.invocation, lines)

    async def promise_at(self, at: float, line: str, about: str, note: Mapping[str, Any]) -> None:
        """Before switching something on for a while: the line that switches it off, typed at that time even after a crash.

        There is one for each thing it is ``about``; ``note`` is what must be known then. It stays until its line is done.
        """
        await self.services.timed.promise_at(Promise(0, line, self.invocation, at, note), about)

    async def promised(self, about: str) -> Promise | None:
        """The line that is to be typed about this, at its time."""
        return await self.services.timed.promised(about)

    async def release(self, about: str) -> None:
        """It was done by hand: nothing is to be typed any more."""
        await self.services.timed.release(about)

    async def post(self, reply: Reply) -> None:
        """Say something more, in the thread below the answer; in the order of the calls, also through an outage of the platform."""
        await self.services.post(self.invocation, reply)

    async def ask(self, line: str, within: float = float("inf")) -> Reply:
        """The answer to a line that only reads, asked as the same person and with their rights; it is shown nowhere by itself.

        One that takes longer than ``within`` seconds has failed.
        """
        return await self.services.ask(self.invocation, line, within)

    async def cancelled(self) -> str:
        """Who wants this to end early; empty while nobody does. Commands declared ``cancellable`` ask it now and then."""
        return await self.services.requests.asked_to_end(self.invocation.reference)

    async def attach(self, name: str, lines: AsyncIterable[str] | Iterable[str]) -> Attachment:
        """Write lines to a file that goes out with the answer, redacted on the way; deleted some days later."""
        return await self.services.attach(self.invocation.reference, name, lines)

    async def picture(self, name: str, *charts: Chart) -> Attachment | None:
        """Draw charts, one below the other, as a file that goes out with the answer; None when that fails, which fails no answer."""
        return await self.services.pictures.draw(self.invocation.reference, name, *charts)

    async def illustrated(self, reply: Reply, name: str, *charts: Chart) -> Reply:
        """``reply`` with a picture of the charts; when there can be none, a line at its end says so."""
        picture = await self.picture(name, *charts)
        if picture is None:
            return replace(reply, footer="\n".join(part for part in (reply.footer, self.words("pictures.failed")) if part))
        return replace(reply, files=(*reply.files, picture))
