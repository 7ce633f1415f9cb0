"""``logs tail``: the newest lines."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import aclosing
from typing import Annotated

from bot.command import Between, ServiceName
from bot.context import Context
from bot.errors import OutsideError
from bot.model import Reply, Risk, Tone
from bot.ops.container_logs import LogWindow
from bot.ops.container_values import LogLine
from bot.ops.named import chosen
from commands.logs.group import group
from commands.logs.page import Page, attached, failures, kept, merged, name_of, newest_that_fit, raise_if_all_failed, several

_READING = 30.0


@group.command("tail", Risk.READ, timeout=40, examples=("logs tail", "logs tail backend --lines 100"))
async def tail(ctx: Context, service: ServiceName | None = None, *, lines: Annotated[int, Between(1, 500)] = 50) -> Reply:
    """The newest lines, of one service or of all in the order of time."""
    containers = await chosen(ctx.ops.containers, service)
    logs = merged(ctx, containers, LogWindow(tail=lines, idle=10))
    newest: deque[LogLine] = deque(maxlen=lines)
    try:
        async with asyncio.timeout(_READING), aclosing(logs.lines()) as found:
            async for line in found:
                newest.append(kept(line))
    except TimeoutError as error:
        raise OutsideError("logs.too_slow", system="docker") from error
    raise_if_all_failed(containers, logs.failed)
    page, named = Page(ctx), several(containers)
    written = [page.written(line, named) for line in newest]
    shown = newest_that_fit(written)
    cut = len(shown) < len(written)
    in_file = [ctx.words("logs.in_file", shown=len(shown), count=len(written))] if cut else []
    return Reply(
        title=ctx.words("logs.tail_title" if written else "logs.tail_empty", name=name_of(ctx, containers, service), count=len(written)),
        text="\n".join((*failures(ctx, logs.failed), *in_file)),
        tone=Tone.WARN if logs.failed else Tone.NEUTRAL,
        code="\n".join(shown),
        files=await attached(ctx, "tail.log", written, wanted=cut),
        data={"lines": [page.raw(line) for line in newest], "unreadable": sorted(logs.failed)},
    )
