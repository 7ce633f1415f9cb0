"""How a revocation and its end are told."""

from __future__ import annotations

from bot.context import Context
from bot.errors import Refusal
from bot.model import Outcome, Reply, Table, Tone
from bot.security.revoke import Ending
from bot.security.revoke_journal import Revocation

_COUNTED = ("sessions", "keys")


def ended(ctx: Context, ending: Ending) -> Reply:
    """What was done, and what is left to do."""
    words, revocation = ctx.words, ending.revocation
    state = "failed" if ending.failure is not None else "waiting" if ending.waiting else "done"
    return Reply(
        title=words(f"revoke.{state}", what=what(ctx, revocation.kind)),
        text=ended_text(ctx, ending),
        outcome=Outcome.FAILED if ending.failure is not None else Outcome.DONE,
        tone=Tone.BAD if ending.failure is not None else Tone.WARN if ending.waiting or not ending.page else Tone.GOOD,
        tables=(_steps(ctx, ending),),
        data={
            "kind": revocation.kind,
            "incident": revocation.incident,
            "done": list(revocation.done),
            "left": list(revocation.left),
            "waiting": list(ending.waiting),
            "failed_at": ending.failed_at,
            "counts": dict(revocation.counts),
            "page": ending.page,
        },
    )


def ended_text(ctx: Context, ending: Ending) -> str:
    """The most urgent first."""
    words, revocation = ctx.words, ending.revocation
    said = []
    if ending.failure is not None:
        said.append(words("revoke.failed_text", step=step_name(ctx, ending.failed_at), line=revocation.line))
        said.append(words(ending.failure.key, **ending.failure.values))
        closing = ending.failed_at == "close" and not isinstance(ending.failure, Refusal)  # some may be closed
        if (closing or "close" in revocation.done) and "open" not in revocation.done:
            said.append(words("revoke.queues_closed", names=", ".join(revocation.queues)))
    if ending.waiting:
        said.append(words("revoke.waits", names=", ".join(ending.waiting)))
    if not ending.page:
        said.append(words("isolate.page"))
    said += [words(f"revoke.count.{name}", count=revocation.counts[name]) for name in _COUNTED if name in revocation.counts]
    if "file" in revocation.done:
        said.append(words("revoke.compose"))
    if own_setting(ctx, revocation):
        said.append(words("revoke.own", setting=own_setting(ctx, revocation), name=next(iter(revocation.values))))
    return "\n".join(said) or words("revoke.well")


def own_setting(ctx: Context, revocation: Revocation) -> str:
    """The bot's own setting that has to be changed by hand now; empty when there is none."""
    if revocation.kind == "redis-password":
        return "REDIS_URL"
    if revocation.kind == "mongodb-password" and ctx.ops.logs_in_as() == revocation.account:
        return "MONGODB_URI"
    return ""


def what(ctx: Context, kind: str) -> str:
    """The name of a kind."""
    return ctx.words(f"revoke.kind.{kind}")


def step_name(ctx: Context, step: str) -> str:
    """The name of a step."""
    name, _, service = step.partition(":")
    return ctx.words(f"revoke.step.{name}", name=service)


def _steps(ctx: Context, ending: Ending) -> Table:
    def state(step: str) -> str:
        if step in ending.revocation.done:
            return "done"
        return "failed" if step == ending.failed_at else "waiting" if step.partition(":")[2] in ending.waiting else "open"

    rows = tuple((step_name(ctx, step), ctx.words(f"revoke.state.{state(step)}")) for step in ending.revocation.steps)
    return Table((ctx.words("revoke.column.step"), ctx.words("revoke.column.state")), rows)
