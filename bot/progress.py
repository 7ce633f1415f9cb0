"""Long work says how far it is: in one message, edited in place, often enough to be alive and seldom enough for the rate limits.

A request that is answered quickly shows no progress at all.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from types import TracebackType

from bot.audit import Audit
from bot.errors import RecordUnwritable
from bot.figures import Figures
from bot.model import Button, Invocation, Outcome, Progress, Reply
from bot.words import Words

_LOG = logging.getLogger("vcc.progress")
FIRST_AFTER = 1.2
THEN_EVERY = 2.0


class ProgressReport:
    """An async context manager; entering gives the ``say`` that handlers call. It never raises into the work."""

    def __init__(
        self, audit: Audit, invocation: Invocation, words: Words, clean: Callable[[Reply], Reply], wake: Callable[[], None]
    ) -> None:
        self._audit = audit
        self._invocation = invocation
        self._words = words
        self._clean = clean
        self._wake = wake
        self._latest: Progress | None = None
        self.cancellable = False
        self._begun = time.monotonic()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Callable[[Progress], None]:
        if self._invocation.place.platform != "local":
            self._task = asyncio.create_task(self._show(), name=f"progress-{self._invocation.reference}")
        return self._say

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _say(self, progress: Progress) -> None:
        self._latest = progress

    async def _show(self) -> None:
        await asyncio.sleep(FIRST_AFTER)
        shown: Reply | None = None
        while True:
            reply = self._clean(self._reply(self._latest))
            if reply != shown:
                try:
                    await self._audit.progress(self._invocation, reply)
                except RecordUnwritable as error:
                    _LOG.warning("progress of %s not shown: %s", self._invocation.reference, error.detail)
                shown = reply
                self._wake()
            await asyncio.sleep(THEN_EVERY)

    def _reply(self, progress: Progress | None) -> Reply:
        words = self._words
        title = words("progress.title", line=self._invocation.line[:100])
        text = "\n".join(part for part in (progress.text, self._measure(progress)) if part) if progress else words("progress.working")
        end = Button(words("progress.cancel"), f"cancel {self._invocation.reference}", "danger")
        return Reply(title, text, Outcome.PENDING, buttons=(end,) if self.cancellable else ())

    def _measure(self, progress: Progress) -> str:
        """Done of total, the rate and the time left, as far as they are known."""
        seconds = max(0.001, time.monotonic() - self._begun)
        if not progress.done:
            return ""
        rate, figures = progress.done / seconds, Figures(self._words.language, "UTC")
        if not progress.total:
            return self._words("progress.counted", done=figures.count(round(progress.done)), unit=progress.unit, rate=f"{rate:,.1f}")
        left = max(0.0, (progress.total - progress.done) / rate)
        return self._words(
            "progress.measured",
            done=figures.count(round(progress.done)),
            total=figures.count(round(progress.total)),
            unit=progress.unit,
            percent=f"{100 * progress.done / progress.total:.0f}",
            rate=f"{rate:,.1f}",
            left=figures.duration(left),
        )
