"""``incident evidence``: everything that tells what happened, kept in one hashed bundle; and whether it still is as it was kept."""

from __future__ import annotations

import hashlib
import re

from bot.context import Context
from bot.incidents import Entry, Incident, What
from bot.model import Button, Outcome, Progress, Reply, Risk, Table, Tone
from bot.security.bundle import SUMS, Verified
from bot.security.evidence import About, Evidence, Gathered
from commands.incident.group import figures_of, group, incident_of
from commands.incident.work import Number

_SHOWN = 8
_EXAMPLE = 120
_RECORDED = re.compile(r"(\d{8}T\d{6}\.\d{6}Z).* ([0-9a-f]{64})")


def _lock(*, verify: bool = False, incident: Number = None) -> tuple[str, ...]:
    return () if verify else ("evidence",)


@group.command(
    "evidence",
    Risk.CHANGE,
    timeout=7_200,
    examples=("incident evidence", "incident evidence --incident 3", "incident evidence --verify"),
    locks=_lock,
)
async def evidence(ctx: Context, *, verify: bool = False, incident: Number = None) -> Reply:
    """Keep one more bundle, or look whether those that were kept are as they were."""
    found = await incident_of(ctx, incident)

    def say(name: str, done: int, total: int) -> None:
        ctx.say(Progress(ctx.words("evidence.step", name=name), done, total))

    kept = Evidence(ctx.ops, ctx.services.redactor, ctx.settings.vcc_home, say)
    if verify:
        return _verified(ctx, found, await kept.verify(found.number, await _recorded(ctx, found)))
    audit = await ctx.services.audit.export(found.opened_at)
    gathered = await kept.gather(About(found.number, ctx.clock(), ctx.person.name, ctx.invocation.reference, audit))
    digest = hashlib.sha256((gathered.path / SUMS).read_bytes()).hexdigest()
    size = figures_of(ctx).size(gathered.bytes)
    said = ctx.words("evidence.entry", name=gathered.path.name, files=len(gathered.files), size=size, digest=digest)
    await ctx.services.incidents.add(found.number, Entry(ctx.clock(), What.EVIDENCE, said, ctx.person.name, ctx.invocation.reference))
    return _gathered(ctx, found, gathered, digest)


async def _recorded(ctx: Context, incident: Incident) -> dict[str, str]:
    """The hashes of the bundles' sums, as the timeline has them."""
    told = [_RECORDED.search(entry.text) for entry in await ctx.services.incidents.timeline(incident) if entry.what is What.EVIDENCE]
    return {found[1]: found[2] for found in told if found is not None}


def _gathered(ctx: Context, incident: Incident, gathered: Gathered, digest: str) -> Reply:
    words, figures = ctx.words, figures_of(ctx)
    errors = sum(group.count for group in gathered.errors)
    missing = [words("evidence.missing", name=each.name, why=_why(ctx, each.why)) for each in gathered.missing]
    return Reply(
        title=words("evidence.kept", number=incident.number),
        text="\n".join([words("evidence.kept_text"), *missing]),
        tone=Tone.WARN if missing else Tone.GOOD,
        fields=(
            (words("evidence.field.files"), f"{len(gathered.files)} · {figures.size(gathered.bytes)}"),
            (words("evidence.field.lines"), figures.count(sum(gathered.lines.values()))),
            (words("evidence.field.errors"), words("evidence.errors", groups=len(gathered.errors), count=errors)),
            (words("evidence.field.place"), f"{ctx.settings.vcc_home.name}/evidence/{incident.number}/{gathered.path.name}"),
            ("SHA256SUMS", f"sha256 {digest}"),
        ),
        tables=tuple(table for table in (_errors(ctx, gathered), _addresses(ctx, gathered)) if table.rows),
        buttons=(Button(words("evidence.button.verify"), f"incident evidence --verify --incident {incident.number}"),),
        data={
            "incident": incident.number,
            "bundle": gathered.path.name,
            "files": [{"name": each.name, "bytes": each.bytes, "sha256": each.sha256} for each in gathered.files],
            "missing": [{"name": each.name, "why": each.why} for each in gathered.missing],
            "lines": dict(gathered.lines),
            "errors": [{"service": each.service, "count": each.count, "fingerprint": each.fingerprint} for each in gathered.errors[:50]],
            "addresses": [[address, dict(counts)] for address, counts in gathered.addresses[:50]],
            "sums_sha256": digest,
        },
    )


def _why(ctx: Context, key: str) -> str:
    """In short: the whole sentence needs values that a manifest does not keep."""
    short = f"evidence.why.{key.rpartition('.')[2]}"
    return ctx.words(short if short in ctx.words else "evidence.why.other")


def _errors(ctx: Context, gathered: Gathered) -> Table:
    rows = tuple((str(each.count), each.service, each.newest_example[:_EXAMPLE]) for each in gathered.errors[:_SHOWN])
    return Table(tuple(ctx.words(f"evidence.column.{name}") for name in ("count", "service", "example")), rows)


def _addresses(ctx: Context, gathered: Gathered) -> Table:
    rows = tuple(
        (address, " · ".join(f"{status} {count}" for status, count in counts.items())) for address, counts in gathered.addresses[:_SHOWN]
    )
    return Table(tuple(ctx.words(f"evidence.column.{name}") for name in ("address", "statuses")), rows)


def _verified(ctx: Context, incident: Incident, found: tuple[Verified, ...]) -> Reply:
    words = ctx.words
    if not found:
        return Reply(words("evidence.none", number=incident.number), words("evidence.none_text"), tone=Tone.WARN, data={"bundles": []})
    broken = [each for each in found if not each.holds]
    said = [
        words(f"evidence.{kind}", bundle=each.name, names=", ".join(getattr(each, kind)))
        for each in broken
        for kind in ("changed", "lost", "extra")
        if getattr(each, kind)
    ]
    return Reply(
        title=words("evidence.broken" if broken else "evidence.holds", number=incident.number),
        text="\n".join(said),
        outcome=Outcome.FAILED if broken else Outcome.DONE,
        tone=Tone.BAD if broken else Tone.GOOD,
        tables=(
            Table(
                tuple(words(f"evidence.column.{name}") for name in ("bundle", "files", "state")),
                tuple((each.name, str(each.files), words(f"evidence.state.{'holds' if each.holds else 'broken'}")) for each in found),
            ),
        ),
        data={
            "bundles": [
                {"name": each.name, "files": each.files, "changed": [*each.changed], "lost": [*each.lost], "extra": [*each.extra]}
                for each in found
            ]
        },
    )
