"""``incident recover``: ends what a crash left half done of making a container again, and says what else waits. Typed by itself too."""

from __future__ import annotations

from bot.context import Context
from bot.errors import VccError
from bot.model import Button, Outcome, Progress, Reply, Risk, Tone
from bot.ops.recreate import Recreate
from bot.security.revoke import Revoking
from bot.security.revoke_journal import RevokeJournal
from commands.incident.group import group

RECOVER = "incident recover"
_AGAIN = 60.0


@group.command("recover", Risk.CHANGE, timeout=900, examples=("incident recover",), locks=lambda: ("revoke",))
async def recover(ctx: Context) -> Reply:
    """Finish each recreation whose new container was proved well; put the old container back for the others; open closed queues."""

    def say(step: str, name: str) -> None:
        ctx.say(Progress(ctx.words(f"revoke.step.recreate_{step}", name=name)))

    recreate = Recreate(ctx.ops.containers, ctx.settings.vcc_home / "recreate", say)
    said, failed = [], False
    for service in recreate.unfinished():
        try:
            said.append(ctx.words(f"revoke.recovered.{await recreate.recover(service)}", name=service))
        except VccError as failure:
            failed = True
            said.append(ctx.words("revoke.recovered.failed", name=service, why=ctx.words(failure.key, **failure.values)))
    try:
        queues = await Revoking(ctx.ops, ctx.settings.vcc_home, ctx.services.redactor.learn).reopen()
        said += [ctx.words("revoke.recovered.opened", names=", ".join(queues))] if queues else []
    except VccError as failure:
        failed = True
        said.append(ctx.words("revoke.recovered.failed", name="redis", why=ctx.words(failure.key, **failure.values)))
    if failed:
        await ctx.promise_at(ctx.clock() + _AGAIN, RECOVER, RECOVER, {})
    else:
        await ctx.release(RECOVER)
    return _told(ctx, said, failed=failed)


def _told(ctx: Context, said: list[str], *, failed: bool) -> Reply:
    lines = [pending.line for pending in RevokeJournal(ctx.settings.vcc_home).all()]
    said += [ctx.words("revoke.left", line=line) for line in lines]
    return Reply(
        title=ctx.words("revoke.recover_failed" if failed else "revoke.recover_done" if said else "revoke.recover_nothing"),
        text="\n".join(said),
        outcome=Outcome.FAILED if failed else Outcome.DONE,
        tone=Tone.BAD if failed else Tone.WARN if said else Tone.GOOD,
        buttons=tuple(Button(ctx.words("revoke.button.go_on"), line, "primary") for line in lines[:1]),
        data={"said": len(said), "left": lines},
    )
