"""``backup fetch``: a backup comes back from the second place, whole and proven, to be verified, drilled and restored like any other."""

from __future__ import annotations

import logging

from bot.backup.fetch import Brought, Fetching, Offer
from bot.backup.shelf import time_of
from bot.backup.work import EndedBy
from bot.context import Context
from bot.errors import Conflict, OutsideError
from bot.figures import NONE
from bot.model import Button, Fact, Outcome, Plan, Reply, Tolerance, Tone
from bot.ops.remote_values import RemoteBackup
from commands.backup.group import TARGET, group
from commands.backup.page import button, ended, figures_of, hooks_for, line, shown_names

_LOG = logging.getLogger("vcc.backup")
_LONGEST = 6 * 3_600


async def plan_fetch(ctx: Context, id: str | None = None) -> Plan:
    """Which backup comes back, how big it is, and what has its place here."""
    words, figures = ctx.words, figures_of(ctx)
    offer = await Fetching(ctx.ops, ctx.settings, clock=ctx.clock).offer(id or "")
    there = offer.there
    if offer.free_bytes < offer.needed_bytes:
        figure = {"needed": figures.size(offer.needed_bytes), "free": figures.size(offer.free_bytes)}
        raise Conflict("backup.fetch_no_room", id=there.id, **figure)
    return Plan(
        title=words("backup.fetch_plan", id=there.id),
        text=words("backup.fetch_text"),
        facts=_facts(ctx, offer),
        targets=(TARGET,),
        reversible=offer.here is None,
        undo=words("backup.fetch_undo") if offer.here is None else words("backup.fetch_undo_replaced"),
        warnings=(words("backup.fetch_replaces", id=there.id),) if offer.here else (),
    )


def _facts(ctx: Context, offer: Offer) -> tuple[Fact, ...]:
    words, figures, there, now = ctx.words, figures_of(ctx), offer.there, ctx.clock()
    made = time_of(there.id)
    content = words("backup.fetch_content", files=figures.count(there.files), size=figures.size(there.bytes))
    sealed = words("backup.fetch_sealed") if there.sealed else words("backup.fetch_open")
    stored = f"{figures.moment(there.stored_at)} ({figures.since(there.stored_at, now)})"
    return (
        Fact("id", words("backup.column.id"), there.id, there.id),
        Fact("made", words("backup.field.made"), f"{figures.moment(made)} ({figures.since(made, now)})", made),
        Fact("stored_at", words("backup.fetch_stored"), stored, there.stored_at),
        Fact("files", words("backup.fetch_size"), f"{content} · {sealed}", there.files),
        # What was approved is this very content.
        Fact("bytes", "", "", there.bytes),
        Fact("sealed", "", "", there.sealed),
        Fact("listing_sha256", "", "", there.listing_sha256),
        Fact("tree_sha256", "", "", there.tree_sha256),
        Fact("labels", "", "", list(there.labels)),
        Fact("free", words("backup.fetch_free"), figures.size(offer.free_bytes), offer.free_bytes, Tolerance.ANY),
        Fact("here", words("backup.fetch_here"), NONE if offer.here is None else words("backup.state.damaged"), offer.here is not None),
    )


@group.risky(
    "fetch",
    plan_fetch,
    timeout=_LONGEST,
    examples=("backup fetch", "backup fetch 2026-01-22T10-00-00Z"),
    cancellable=True,
)
async def fetch(ctx: Context, plan: Plan) -> Reply:
    """Bring back exactly what the plan says."""
    names = ("id", "files", "bytes", "sealed", "stored_at", "listing_sha256", "tree_sha256")
    there = RemoteBackup(**{name: plan.value(name) for name in names}, labels=tuple(plan.value("labels")))
    try:
        fetching = Fetching(ctx.ops, ctx.settings, hooks_for(ctx), ctx.clock)
        return _told(ctx, there, await fetching.run(there, replacing=plan.value("here")))
    except EndedBy as end:
        return ended(ctx, "backup.fetch_ended_by", end)
    except OutsideError as failure:
        _LOG.warning("%s: not fetched: %s %s", ctx.invocation.reference, failure, failure.detail)
        return _failed(ctx, there, ctx.words(failure.key, **failure.values), {"reason": failure.key})


def _told(ctx: Context, there: RemoteBackup, brought: Brought) -> Reply:
    words, figures, fetched, proven = ctx.words, figures_of(ctx), brought.fetched, brought.proven
    if proven.faults:
        names = [f"{words(f'backup.fault.{fault.kind}')}: {fault.name}" for fault in proven.first]
        return _failed(ctx, there, shown_names(ctx, names, proven.faults), {"reason": "backup.damaged", "faults": proven.faults})
    took = figures.duration(fetched.took_s + proven.took_s)
    return Reply(
        title=words("backup.fetched", id=there.id, took=took),
        text=words("backup.fetched_proven", files=figures.count(fetched.files), size=figures.size(fetched.bytes)),
        tone=Tone.GOOD,
        buttons=(button(ctx, "show", there.id), Button(words("backup.button.list"), line("list"))),
        data={"id": there.id, "files": fetched.files, "bytes": fetched.bytes, "took_s": fetched.took_s + proven.took_s},
    )


def _failed(ctx: Context, there: RemoteBackup, why: str, data: dict[str, object]) -> Reply:
    words = ctx.words
    return Reply(
        title=words("backup.fetch_failed", id=there.id),
        text="\n".join((why, words("backup.fetch_nothing_stays"))),
        outcome=Outcome.FAILED,
        tone=Tone.BAD,
        buttons=(Button(words("backup.button.list"), line("list")),),
        data={"id": there.id, **data},
    )
