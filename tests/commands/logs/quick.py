"""``logs follow`` with other seconds than its own: what takes minutes takes a moment here."""

from __future__ import annotations

from bot.command import Group
from bot.context import Context
from bot.model import Reply, Risk
from bot.ops.log_follow import LivePace
from commands.logs.follow import Follow, Pace, Wish, require_room

PACE = Pace(minute=60.0, post=0.1, tick=0.05, say=0.2, settle=0.3, live=LivePace(look=0.1, silence=5.0))


def quick(pace: Pace) -> Group:
    """The command with other seconds."""
    group = Group("logs")

    @group.command("follow", Risk.READ, timeout=60, cancellable=True, examples=("logs follow",))
    async def follow(ctx: Context, service: str = "", *, errors: bool = False, search: str | None = None) -> Reply:
        await require_room(ctx)
        names = (service,) if service else ()
        return await Follow(ctx, Wish(names, 1, errors, search), pace).run()

    return group
