"""``logs follow``: lines as they are written, in the thread below the answer, for some minutes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from bot import line as typed
from bot.command import Between, Command, Kind, ServiceName
from bot.context import Context
from bot.errors import Busy, Refusal
from bot.model import Attachment, Invocation, Progress, Reply, Risk, Tone
from bot.ops.container_values import LogLine
from bot.ops.log_follow import LiveLogs, LivePace, Start
from bot.ops.named import chosen
from commands.logs.group import group
from commands.logs.live import Collected, ErrorsOnly, Filter, finding
from commands.logs.page import SHOWN, Page
from commands.logs.search import Finder, matcher_of

AT_ONCE = 3
LONGEST = 30
_TAIL = 10
_BATCH = 400
_FLOOD, _SETTLES = 200, 8


@dataclass(frozen=True, slots=True)
class Pace:
    """In seconds: how long a minute is, between two posts, two looks at whether to end, two words on how far it is, and the end's grace."""

    minute: float = 60.0
    post: float = 3.0
    tick: float = 0.5
    say: float = 15.0
    settle: float = 0.7
    live: LivePace = field(default_factory=LivePace)


@dataclass(frozen=True, slots=True)
class Wish:
    """What to follow: services (none: all of them), and which of their lines."""

    names: tuple[str, ...]
    minutes: int
    errors: bool = False
    search: str | None = None


@group.command(
    "follow",
    Risk.READ,
    timeout=LONGEST * 60 + 120,
    cancellable=True,
    examples=("logs follow backend", "logs follow --minutes 10 --errors", "logs follow backend --search ECONNREFUSED"),
)
async def follow(
    ctx: Context,
    service: ServiceName | None = None,
    *,
    minutes: Annotated[int, Between(1, LONGEST)] = 5,
    errors: bool = False,
    search: str | None = None,
) -> Reply:
    """Every line, or only errors, or only what holds a text; ends by itself."""
    await require_room(ctx)
    containers = await chosen(ctx.ops.containers, service)
    names = () if service is None else (containers[0].name,)
    return await Follow(ctx, Wish(names, minutes, errors, search)).run()


class Follow:
    """One follow, from its first line to its answer."""

    def __init__(self, ctx: Context, wish: Wish, pace: Pace | None = None) -> None:
        self._ctx = ctx
        self._wish = wish
        self._pace = pace or Pace()
        self._page = Page(ctx)
        start = Start(ctx.clock(), _TAIL)
        self._collected = Collected(self._filters(), start)
        self._live = LiveLogs(ctx.ops.containers, wish.names, self._collected.take, start, self._pace.live)
        self._named = len(wish.names) != 1
        self._name = ctx.words("logs.all") if self._named else wish.names[0]

    def _filters(self) -> Sequence[Filter]:
        filters: list[Filter] = [ErrorsOnly()] if self._wish.errors else []
        if self._wish.search is not None:
            matcher = matcher_of(self._wish.search, pattern=False)
            find = finding(Finder(matcher, self._page.text))
            filters.append(lambda line: matcher.matches(line.text) and find(line))
        return filters

    async def run(self) -> Reply:
        """Until its time is over, somebody stops it, or there is no more room."""
        reading = asyncio.create_task(self._live.run(), name=f"follow-{self._ctx.invocation.reference}")
        began = time.monotonic()
        try:
            stopped_by = await self._until_ended(reading, began + self._wish.minutes * self._pace.minute)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        await self._post()
        return self._answer(stopped_by, time.monotonic() - began, await self._file())

    async def _until_ended(self, reading: asyncio.Task[None], ends: float) -> str:
        """Who stopped it; empty when nobody did."""
        posted = said = time.monotonic()
        self._say(ends - said)
        while not self._collected.full:
            now = time.monotonic()
            if reading.done():
                reading.result()
            if now >= ends:
                await self._settle()
                return ""
            stopped_by = await self._ctx.cancelled()
            if stopped_by:
                return stopped_by
            if now - posted >= self._pace.post:
                posted = now
                await self._post()
            if now - said >= self._pace.say:
                said = now
                self._say(ends - now)
            await asyncio.sleep(min(self._pace.tick, max(0.0, ends - time.monotonic())))
        return ""

    async def _settle(self) -> None:
        """Lines written until now are still on their way: of a flood many, so as long as many come, within reason."""
        for _ in range(_SETTLES):
            before = self._collected.seen
            await asyncio.sleep(self._pace.settle)
            if self._collected.full or self._collected.seen - before < _FLOOD:
                return

    def _say(self, left: float) -> None:
        figures, collected = self._page.figures, self._collected
        seen = {"seen": figures.count(collected.seen), "shown": figures.count(collected.shown), "left": figures.duration(left)}
        self._ctx.say(Progress(self._ctx.words("logs.following", name=self._name, **seen)))

    async def _post(self) -> None:
        """Say what came since the last time, in one message; what does not fit is counted."""
        batch = self._collected.batch()
        if not batch:
            return
        told = await asyncio.to_thread(self._collected.told, batch, self._page, SHOWN, named=self._named)
        hidden, words, figures = len(batch) - len(told), self._ctx.words, self._page.figures
        title = words("logs.follow_post", name=self._name, count=figures.count(len(batch)))
        surplus = words("logs.follow_surplus", count=figures.count(hidden)) if hidden else ""
        await self._ctx.post(Reply(title, surplus, code="\n".join(told)))

    async def _file(self) -> tuple[Attachment, ...]:
        return (await self._ctx.attach("follow.log", self._filed()),) if self._collected.everything else ()

    async def _filed(self) -> AsyncGenerator[str, None]:
        lines = self._collected.everything
        for begin in range(0, len(lines), _BATCH):
            for text in await asyncio.to_thread(self._texts, lines[begin : begin + _BATCH]):
                yield text

    def _texts(self, lines: Sequence[LogLine]) -> list[str]:
        return [self._page.filed(line, self._named) for line in lines]

    def _answer(self, stopped_by: str, seconds: float, files: tuple[Attachment, ...]) -> Reply:
        words, figures, collected = self._ctx.words, self._page.figures, self._collected
        why = "cancel" if stopped_by else "full" if collected.full else "time"
        counts = {name: figures.count(getattr(collected, name)) for name in ("seen", "wanted", "shown")}
        notes = [words(f"logs.follow_end.{why}", person=stopped_by), words("logs.follow_counts", **counts)]
        if self._live.reconnects:
            notes.append(words("logs.follow_reconnects", count=self._live.reconnects))
        trouble = self._live.trouble
        if trouble is not None:
            notes.append(words("logs.unreadable", name=self._name, reason=words(trouble.key, **trouble.values)))
        return Reply(
            title=words("logs.follow_title", name=self._name, period=figures.duration(seconds)),
            text="\n".join(notes),
            tone=Tone.WARN if trouble is not None or why == "full" else Tone.NEUTRAL,
            files=files,
            data=self._data(why, stopped_by, seconds),
        )

    def _data(self, why: str, stopped_by: str, seconds: float) -> dict[str, Any]:
        collected = self._collected
        return {
            "services": list(self._wish.names),
            "seconds": seconds,
            "ended": why,
            "stopped_by": stopped_by,
            "seen": collected.seen,
            "wanted": collected.wanted,
            "shown": collected.shown,
            "dropped": collected.dropped,
            "reconnects": self._live.reconnects,
        }


async def require_room(ctx: Context) -> None:
    """Busy when so many run already, or the same one here. Of two that begin at once the first goes on."""
    mine, ahead = ctx.invocation, list[tuple[Invocation, str]]()
    own = _followed(ctx, mine)
    for each in await ctx.services.requests.all_running():
        if each.reference == mine.reference:
            break
        service = _followed(ctx, each)
        if service is None:
            continue
        if service == own and str(each.place) == str(mine.place):
            raise Busy("logs.follow_same", line=each.line, reference=each.reference)
        ahead.append((each, service))
    if len(ahead) >= AT_ONCE:
        runs = "\n".join(f"{each.reference} · {each.line}" for each, _ in ahead)
        raise Busy("logs.follow_full", count=len(ahead), runs=runs)


def _followed(ctx: Context, invocation: Invocation) -> str | None:
    """The service that a request follows (empty: all); None when it follows nothing."""
    try:
        command, words = ctx.services.catalogue.resolve(typed.split(typed.normalise(invocation.line)))
    except Refusal:
        return None
    return _first_word(command, words).lower() if command.path == ("logs", "follow") else None


def _first_word(command: Command, words: Sequence[str]) -> str:
    valued = {f"--{each.name}" for each in command.parameters if each.option and each.kind is not Kind.FLAG}
    left = list(words)
    while left:
        word = left.pop(0)
        if not word.startswith("--"):
            return word
        if word.lower() in valued and left:
            left.pop(0)
    return ""
