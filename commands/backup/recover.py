"""``backup recover``: ends an interrupted restore: the old data back in place, or the tidying that was left. Typed by itself too."""

from __future__ import annotations

from bot.backup.restore_undo import Leaving, WayOut
from bot.context import Context
from bot.model import Button, Outcome, Reply, Risk, Tone
from commands.backup.group import group
from commands.backup.page import hooks_for, line
from commands.backup.restore import RECOVER, TARGETS, try_again, way_said


@group.command("recover", Risk.CHANGE, timeout=3_600, examples=("backup recover",), locks=lambda: TARGETS)
async def recover(ctx: Context) -> Reply:
    """Look for restores that are not over, and lead them out."""
    leaving = Leaving(ctx.ops, ctx.settings, hooks_for(ctx))
    ways, over = list[WayOut](), False
    unfinished = await leaving.unfinished()
    try:
        for undertaking in unfinished:
            await ctx.promise(RECOVER)
            ways.append(await leaving.leave(await leaving.judged(undertaking)))
        over = all(way.is_over for way in ways)
    finally:  # also when its time was over
        if over:
            await ctx.release(RECOVER)
        elif not ctx.invocation.promised:  # else it is typed again anyway
            await try_again(ctx)
    return _told(ctx, ways)


def _told(ctx: Context, ways: list[WayOut]) -> Reply:
    words = ctx.words
    if not ways:
        return Reply(words("restore.nothing_to_recover"), tone=Tone.GOOD, data={"recovered": 0})
    over = all(way.is_over for way in ways)
    said = [sentence for way in ways for sentence in _sentences(ctx, way)]
    return Reply(
        title=words("restore.recovered" if over else "restore.not_recovered"),
        text="\n".join(said),
        outcome=Outcome.DONE if over else Outcome.FAILED,
        tone=Tone.WARN if over else Tone.BAD,
        buttons=(Button(words("backup.button.list"), line("list")),)
        if over
        else (Button(words("restore.recover_button"), RECOVER, "primary"),),
        data={"recovered": sum(way.is_over for way in ways), "kept": [way.kept for way in ways]},
    )


def _sentences(ctx: Context, way: WayOut) -> list[str]:
    key = "restore.kept_new" if way.kept else "restore.put_back"
    stands = way.failure is None if way.kept else way.settled
    return [*([ctx.words(key)] if stands else []), *way_said(ctx, way)]
