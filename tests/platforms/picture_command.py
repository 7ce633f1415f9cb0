"""A command that answers with a picture, for the stories at either door; what is on it does not matter there."""

from __future__ import annotations

import asyncio

from bot.command import Group
from bot.context import Context
from bot.model import Attachment, Progress, Reply, Risk

PNG = b"\x89PNG\r\n\x1a\n and so on"
ALT = "CPU, 24 h: backend 44% now <!channel> @everyone " + "and more " * 200


def picture_group(gate: asyncio.Event) -> Group:
    """``picture now``, ``picture slow`` (waits for the gate, telling how far it is) and ``picture hidden`` (a private answer)."""
    group = Group("picture", "now")

    @group.command("now", Risk.READ, examples=("picture now",))
    async def now(ctx: Context) -> Reply:
        return Reply("CPU", "backend 44%", files=(_picture(ctx),))

    @group.command("slow", Risk.READ, examples=("picture slow",), timeout=60)
    async def slow(ctx: Context) -> Reply:
        ctx.say(Progress("drawing", 1, 2, "lines"))
        await gate.wait()
        return Reply("CPU", "backend 44%", files=(_picture(ctx),))

    @group.command("hidden", Risk.READ, examples=("picture hidden",))
    async def hidden(ctx: Context) -> Reply:
        return Reply("CPU", "backend 44%", files=(_picture(ctx),), private=True)

    return group


def _picture(ctx: Context) -> Attachment:
    path = ctx.settings.vcc_home / "files" / ctx.invocation.reference / "cpu.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(PNG)
    return Attachment(path.name, path, "image/png", ALT)
