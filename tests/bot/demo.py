"""A group of commands whose world is a few attributes that a test sets; it remembers what was carried out."""

from __future__ import annotations

import asyncio

from bot.command import Group
from bot.context import Context
from bot.errors import Rejected
from bot.model import Button, Fact, Plan, Progress, Reply, Risk, Role, Table, Tolerance
from commands import access, approvals, approve, audit, deny, help

SECRET = "mongodb://root:hunter22-secret@db:27017/vcc"

CORRIDOR = (access.group, approvals.group, approve.group, audit.group, deny.group, help.group)


class Demo:
    """``facts``, ``targets`` and ``reversible`` are what the next plan sees; ``applied`` what was carried out."""

    def __init__(self) -> None:
        self.facts: tuple[Fact, ...] = (Fact("files", "Files", "2", ["a.png", "b.png"]),)
        self.targets: tuple[str, ...] = ("uploads",)
        self.title = "Wipe"
        self.reversible = True
        self.applied: list[Plan] = []
        self.ran: list[str] = []
        self.steps: list[Progress] = []
        self.failure: Exception | None = None
        self.planning = asyncio.Event()
        self.started = asyncio.Event()
        self.may_end = asyncio.Event()
        self.planning.set()
        self.may_end.set()
        self.group = Group("demo", default="read")
        self.groups = (*CORRIDOR, self.group)
        declare = self.group.command
        declare("read", Risk.READ, examples=("demo read",))(self.read)
        declare("change", Risk.CHANGE, examples=("demo change a",), locks=lambda target: (target,))(self.change)
        declare("work", Risk.READ, examples=("demo work",))(self.work)
        declare("fail", Risk.READ, examples=("demo fail",))(self.fail)
        declare("slow", Risk.READ, examples=("demo slow",), timeout=0.05)(self.slow)
        declare("leak", Risk.READ, examples=("demo leak",))(self.leak)
        declare("odd", Risk.READ, examples=("demo odd",))(self.odd)
        declare("boss", Risk.READ, examples=("demo boss",), open_to=Role.ADMIN)(self.read)
        self.group.risky("wipe", self.plan, examples=("demo wipe",), aliases=("wipe",))(self.apply)

    async def read(self, ctx: Context, word: str = "") -> Reply:
        """Answer at once."""
        self.ran.append(ctx.invocation.line)
        return Reply("read", word)

    async def change(self, ctx: Context, target: str) -> Reply:
        """Hold the target until the test lets it go."""
        self.started.set()
        await self.may_end.wait()
        self.ran.append(ctx.invocation.line)
        return Reply("changed", target)

    async def work(self, ctx: Context) -> Reply:
        """Say every step, then wait."""
        for step in self.steps:
            ctx.say(step)
        self.started.set()
        await self.may_end.wait()
        return Reply("worked")

    async def fail(self, ctx: Context) -> Reply:
        """Fail as the test says, or with a bug."""
        raise self.failure or RuntimeError(f"cannot connect to {SECRET}")

    async def slow(self, ctx: Context) -> Reply:
        """Never end."""
        await asyncio.Event().wait()
        return Reply("never")

    async def leak(self, ctx: Context) -> Reply:
        """Say a secret in every place a reply has."""
        return Reply(
            SECRET,
            SECRET,
            fields=((SECRET, SECRET),),
            tables=(Table((SECRET,), ((SECRET,),), SECRET),),
            code=SECRET,
            buttons=(Button(SECRET, f"demo read {SECRET}"),),
            footer=SECRET,
            data={"uri": SECRET, "list": [SECRET]},
        )

    async def odd(self, ctx: Context) -> Reply:
        """Answer with something that no row can hold."""
        return Reply("odd", data={"it": object()})

    async def plan(self, ctx: Context) -> Plan:
        """What the test set."""
        await self.planning.wait()
        warnings = ("cannot be undone",) if not self.reversible else ()
        return Plan(self.title, "Removes files.", self.facts, self.targets, self.reversible, "trash restore", warnings)

    async def apply(self, ctx: Context, plan: Plan) -> Reply:
        """Remember it; fail when the test says so."""
        self.started.set()
        await self.may_end.wait()
        if self.failure is not None:
            raise self.failure
        self.applied.append(plan)
        return Reply("wiped", data={"facts": len(plan.facts)})


def files(*names: str, tolerance: Tolerance = Tolerance.EXACT) -> tuple[Fact, ...]:
    """One fact: these files."""
    return (Fact("files", "Files", str(len(names)), list(names), tolerance),)


def rejected() -> Exception:
    """An outside system that says no, with a secret in its own wording."""
    return Rejected("mongodb", detail=f"auth failed for {SECRET}")
