"""``incident isolate`` and ``incident rejoin``: a service taken off all its networks, its container as it is, and put back."""

from __future__ import annotations

from bot.command import ServiceName
from bot.context import Context
from bot.errors import Conflict
from bot.incidents import Incident
from bot.model import Button, Fact, Outcome, Plan, Progress, Reply, Tone
from bot.ops.named import chosen
from bot.ops.own_container import is_own
from bot.security.isolation import Held, Isolated, Isolations, Rejoined
from bot.security.revoke import Ending, Revoking
from commands.incident.group import figures_of, group, incident_of
from commands.incident.recover import RECOVER
from commands.incident.revoke_page import ended_text
from commands.incident.work import Number

_NEEDED = frozenset({"mongodb", "redis"})


def isolations_of(ctx: Context) -> Isolations:
    """Those of this deployment, saying what they do."""
    return Isolations(ctx.ops, ctx.settings.vcc_home, lambda step, name: ctx.say(Progress(ctx.words(f"isolate.step.{step}", name=name))))


def _revoking(ctx: Context) -> Revoking:
    def say(step: str, name: str) -> None:
        room = "isolate" if step in ("verify", "join", "leave") else "revoke"
        ctx.say(Progress(ctx.words(f"{room}.step.{step}", name=name)))

    return Revoking(ctx.ops, ctx.settings.vcc_home, ctx.services.redactor.learn, say)


async def plan_isolate(ctx: Context, service: ServiceName, *, incident: Number = None) -> Plan:
    """Which containers would leave which networks."""
    found = await incident_of(ctx, incident)
    name = (await chosen(ctx.ops.containers, service))[0].name
    isolations = isolations_of(ctx)
    held = await isolations.look(name)
    if any(is_own(each.standing.container_id) for each in held):
        raise Conflict("isolate.own", name=name)
    if any(each.standing.shares for each in held):
        raise Conflict("isolate.shares", name=name)
    if isolations.kept(name) is not None and not any(each.standing.attachments for each in held):
        raise Conflict("isolate.already", name=name)
    words = ctx.words
    return Plan(
        title=words("isolate.plan", name=name, number=found.number),
        text=words("isolate.text", name=name),
        facts=(
            Fact("service", words("isolate.fact.service"), name, name),
            Fact("incident", words("isolate.fact.incident"), f"#{found.number} {found.title}", found.number),
            Fact("containers", words("isolate.fact.containers"), _names(held), [each.standing.container_id for each in held]),
            Fact("networks", words("isolate.fact.networks"), _networks(held), _network_ids(held)),
        ),
        targets=(f"service:{name}",),
        reversible=True,
        undo=words("isolate.undo", name=name),
        warnings=(words("isolate.warning.by_hand"), *((words("isolate.warning.needed", name=name),) if name in _NEEDED else ())),
    )


def _names(held: tuple[Held, ...]) -> str:
    return ", ".join(each.standing.container_name for each in held)


def _networks(held: tuple[Held, ...]) -> str:
    return ", ".join(sorted({attachment.network for each in held for attachment in each.standing.attachments})) or "-"


def _network_ids(held: tuple[Held, ...]) -> list[list[str]]:
    return [[each.standing.container_id, *(attachment.network_id for attachment in each.standing.attachments)] for each in held]


@group.risky("isolate", plan_isolate, timeout=300, examples=("incident isolate frontend", "incident isolate backend --incident 3"))
async def isolate(ctx: Context, plan: Plan) -> Reply:
    """Cut the service off, and look whether it really is."""
    name, number = plan.value("service"), plan.value("incident")
    isolations = isolations_of(ctx)
    held = tuple(each for each in await isolations.look(name) if each.standing.container_id in plan.value("containers"))
    answers = await isolations.cut(Isolated(name, ctx.clock(), ctx.person.name, number, held))
    ending = {False: "done", None: "unknown", True: "answers"}[answers]
    return Reply(
        title=ctx.words(f"isolate.{ending}", name=name),
        text=ctx.words(f"isolate.{ending}_text", name=name),
        outcome=Outcome.FAILED if answers else Outcome.DONE,
        tone={False: Tone.GOOD, None: Tone.WARN, True: Tone.BAD}[answers],
        fields=((ctx.words("isolate.fact.containers"), _names(held)), (ctx.words("isolate.fact.networks"), _networks(held))),
        buttons=_next_buttons(ctx, number, name),
        data={"service": name, "incident": number, "answers": answers, "containers": [each.standing.container_id for each in held]},
    )


def _next_buttons(ctx: Context, number: int, name: str) -> tuple[Button, ...]:
    return (
        Button(ctx.words("isolate.button.evidence"), f"incident evidence --incident {number}", "primary"),
        Button(ctx.words("isolate.button.rejoin", name=name), f"incident rejoin {name}"),
    )


async def plan_rejoin(ctx: Context, service: ServiceName) -> Plan:
    """Which containers would be put back into which networks."""
    kept = _kept(ctx, service)
    words, waits = ctx.words, _revoking(ctx).waits_for(kept.service)
    incident = await ctx.services.incidents.get(kept.incident)
    return Plan(
        title=words("isolate.rejoin_plan", name=kept.service),
        text=words("isolate.rejoin_text_again" if waits else "isolate.rejoin_text", name=kept.service),
        facts=(
            Fact("service", words("isolate.fact.service"), kept.service, kept.service),
            Fact("since", words("isolate.fact.since"), _since(ctx, kept, incident), kept.at),
            Fact(
                "containers",
                words("isolate.fact.containers"),
                _names(kept.containers),
                [each.standing.container_id for each in kept.containers],
            ),
            Fact("networks", words("isolate.fact.networks"), _networks(kept.containers), _network_ids(kept.containers)),
            Fact("again", words("isolate.fact.again"), words(f"isolate.again.{'yes' if waits else 'no'}"), waits),
        ),
        targets=(f"service:{kept.service}", *(("revoke",) if waits else ())),
        reversible=True,
        undo=words("isolate.rejoin_undo", name=kept.service),
    )


def _kept(ctx: Context, service: str) -> Isolated:
    isolations = isolations_of(ctx)
    everything = isolations.all()
    found = next((each for each in everything if each.service.lower() == service.lower()), None)
    if found is None:
        listed = ", ".join(each.service for each in everything)
        raise Conflict("isolate.not_isolated" if listed else "isolate.none_isolated", name=service, listed=listed)
    return found


def _since(ctx: Context, kept: Isolated, incident: Incident | None) -> str:
    where = f" · #{kept.incident}" if incident is not None else ""
    return f"{figures_of(ctx).moment(kept.at)} · {kept.by}{where}"


@group.risky("rejoin", plan_rejoin, timeout=900, examples=("incident rejoin frontend",))
async def rejoin(ctx: Context, plan: Plan) -> Reply:
    """Put the service back, and look whether it is reached again."""
    kept = _kept(ctx, plan.value("service"))
    if plan.value("again"):
        await ctx.promise(RECOVER)
        rejoined, ending = await _revoking(ctx).rejoin(kept)
    else:
        rejoined, ending = await isolations_of(ctx).rejoin(kept), None
    return _rejoined(ctx, kept, rejoined, ending)


def _rejoined(ctx: Context, kept: Isolated, rejoined: Rejoined, ending: Ending | None) -> Reply:
    words, name = ctx.words, kept.service
    said = [] if rejoined.answers is not None else [words("isolate.unknown_text", name=name)]
    said += [words("isolate.silent_text", name=name)] if rejoined.answers is False else []
    said += [words("isolate.missing", names=", ".join(rejoined.missing))] if rejoined.missing else []
    said += [] if rejoined.page else [words("isolate.page")]
    said += [ended_text(ctx, ending)] if ending is not None else []
    well = rejoined.answers is not False and rejoined.page and (ending is None or ending.over)
    return Reply(
        title=words("isolate.rejoined" if well else "isolate.rejoined_ill", name=name),
        text="\n".join(said) or words("isolate.rejoined_text", name=name),
        outcome=Outcome.DONE if well else Outcome.FAILED,
        tone=Tone.GOOD if well and rejoined.answers else Tone.WARN if well else Tone.BAD,
        data={"service": name, "answers": rejoined.answers, "missing": list(rejoined.missing), "page": rejoined.page},
    )
