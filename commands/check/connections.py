"""``check connections``: what the backend reaches from inside its container, beside what the bot reaches from where it runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

from bot.context import Context
from bot.errors import OutsideError
from bot.figures import NONE, Figures
from bot.model import Reply, Risk, Table, Tone
from bot.ops.deep_health import Check, DeepHealth, Verdict, measure
from bot.ops.deep_telling import SIGNS, DeepTelling
from bot.ops.inside import How, InsideLook, Obstacle, Reach, Trouble, look_inside
from commands.check.group import group

_LOG = logging.getLogger("vcc.check")
_COLUMNS = ("from", "part", "text", "address", "took")
_SETTINGS = {"mongodb": "MONGODB_URI", "redis": "REDIS_URL"}
_GOOD, _BAD = SIGNS[Verdict.OK], SIGNS[Verdict.BAD]
# What a stopped service looks like from another container: its name is gone with it, or nobody listens.
_ABSENT = frozenset({Trouble.DNS, Trouble.REFUSED, Trouble.TIMED_OUT, Trouble.UNREACHABLE})


@group.command("connections", Risk.READ, timeout=25, examples=("check connections",))
async def connections(ctx: Context) -> Reply:
    """Both views at once: a server that only one of them reaches is up, and the way to it is wrong."""
    inside, bot = await asyncio.gather(look_inside(ctx.ops.containers), measure(ctx.ops, ctx.clock(), only=("mongodb", "redis")))
    if inside.obstacle is not None:
        detail = inside.error.detail if isinstance(inside.error, OutsideError) else ""
        _LOG.warning("%s no look from inside: %s %s", ctx.invocation.reference, inside.obstacle.value, detail)
    page = _Page(ctx, inside, bot)
    return Reply(
        title=page.title(),
        text="\n".join(page.lines()),
        tone=page.tone(),
        tables=(page.table(),),
        footer=ctx.words("dispatch.reference", reference=ctx.invocation.reference) if inside.obstacle else "",
        data=page.data(),
    )


class _Page:
    """Both views in the words of the reader."""

    def __init__(self, ctx: Context, inside: InsideLook, bot: DeepHealth) -> None:
        self._words = ctx.words
        self._figures = Figures(ctx.words.language, ctx.settings.vcc_tz)
        self._telling = DeepTelling(ctx.words, self._figures)
        self._inside = inside
        self._bot = bot
        self._failed = [each for each in inside.reached if each.trouble]
        self._well_for_bot = {check.name for check in bot.checks if check.verdict in (Verdict.OK, Verdict.WARN)}

    def title(self) -> str:
        if self._inside.obstacle is not None:
            return self._words("check.inside_hindered")
        names = ", ".join(each.name for each in self._failed or self._inside.reached)
        return self._words("check.inside_bad" if self._failed else "check.inside_ok", names=names)

    def tone(self) -> Tone:
        if self._failed or self._bot.verdict is Verdict.BAD or self._inside.obstacle is Obstacle.STOPPED:
            return Tone.BAD
        return Tone.WARN if self._inside.obstacle is not None else Tone.GOOD

    def lines(self) -> Iterator[str]:
        """What is wrong and what to do about it, the view from inside first."""
        obstacle = self._inside.obstacle
        if obstacle is not None:
            name = "restarting" if self._inside.state == "restarting" and obstacle is Obstacle.STOPPED else obstacle.value
            sentence = self._words(f"check.obstacle.{name}", container=self._inside.container, state=self._inside.state)
            yield f"! {sentence} → {self._words(f'check.obstacle.{name}_hint')}"
        for reach in self._failed:
            yield f"{_BAD} {reach.name}: {self._trouble(reach)} → {self._hint(reach)}"
        told = {each.name for each in self._failed if self._stopped(each)}
        for check in self._bot.checks:
            if check.verdict is Verdict.BAD and check.name not in told:
                yield f"{_BAD} {self._words('check.from.bot')} · {check.name}: {self._trouble_of_bot(check)}"

    def _trouble_of_bot(self, check: Check) -> str:
        if check.name in self._inside.stopped:
            return f"{self._words('check.trouble.stopped', name=check.name)} → {self._words('check.trouble.stopped_hint', name=check.name)}"
        return f"{self._telling.sentence(check)} → {self._words('check.from_bot_hint', name=check.name, setting=_SETTINGS[check.name])}"

    def _trouble(self, reach: Reach) -> str:
        if self._stopped(reach):
            return self._words("check.trouble.stopped", name=reach.name)
        return self._words(f"check.trouble.{reach.trouble.value}", host=reach.host or NONE, port=reach.port)

    def _hint(self, reach: Reach) -> str:
        if self._stopped(reach):
            return self._words("check.trouble.stopped_hint", name=reach.name)
        setting = _SETTINGS.get(reach.name, reach.name)
        hint = self._words(f"check.trouble.{reach.trouble.value}_hint", name=reach.name, setting=setting)
        return f"{hint} {self._words('check.only_inside')}" if reach.name in self._well_for_bot else hint

    def _stopped(self, reach: Reach) -> bool:
        return reach.trouble in _ABSENT and bool({reach.name, reach.host} & self._inside.stopped)

    def table(self) -> Table:
        """Both views, each row with whose it is."""
        rows = [self._reached(each) for each in self._inside.reached]
        rows += [
            (
                self._words("check.from.bot"),
                check.name,
                f"{SIGNS[check.verdict]} {self._telling.sentence(check)}",
                NONE,
                self._figures.milliseconds(check.took_ms),
            )
            for check in self._bot.checks
        ]
        return Table(tuple(self._words(f"check.column.{name}") for name in _COLUMNS), tuple(rows))

    def _reached(self, reach: Reach) -> tuple[str, ...]:
        where = f"{reach.host}:{reach.port}" if reach.host else NONE
        found = ", ".join(reach.addresses)
        result = f"{_BAD} {self._trouble(reach)}" if reach.trouble else f"{_GOOD} {self._proven(reach)}"
        shown = f"{where} ({found})" if found and found != reach.host else where
        return self._words("check.from.backend"), reach.name, result, shown, self._figures.milliseconds(reach.took_ms)

    def _proven(self, reach: Reach) -> str:
        if reach.how is How.HTTP:
            return self._words("check.proven.http")
        if reach.how is How.HANDSHAKE:
            return self._words("check.proven.by_hand" if reach.read else "check.proven.handshake")
        return self._words("check.proven.read", how=reach.how.value)

    def data(self) -> dict[str, Any]:
        """The same, raw."""
        inside = self._inside
        return {
            "verdict": {Tone.GOOD: "ok", Tone.WARN: "warn"}.get(self.tone(), "bad"),
            "inside": {
                "container": inside.container,
                "obstacle": inside.obstacle.value if inside.obstacle else None,
                "targets": [_raw(each) for each in inside.reached],
            },
            "bot": [self._telling.data(check) for check in self._bot.checks],
        }


def _raw(reach: Reach) -> dict[str, Any]:
    return {
        "name": reach.name,
        "host": reach.host,
        "port": reach.port,
        "addresses": list(reach.addresses),
        "resolve_ms": reach.resolve_ms,
        "connect_ms": reach.connect_ms,
        "took_ms": reach.took_ms,
        "how": reach.how.value,
        "auth_ok": reach.authenticated,
        "read_ok": reach.read,
        "trouble": reach.trouble.value,
    }
