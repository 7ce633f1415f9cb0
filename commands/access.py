"""``access``: who the asker is to the bot, and why somebody may or may not run a command."""

from __future__ import annotations

from bot.command import Command, Group, Rest
from bot.context import Context
from bot.errors import Forbidden, Usage
from bot.model import Account, Person, Reply, Risk, Role, Tone

group = Group("access", default="whoami")


@group.command("whoami", Risk.READ, examples=("access whoami",))
async def whoami(ctx: Context) -> Reply:
    """The person behind the account, their accounts and their role."""
    words, person = ctx.words, ctx.person
    fields = (
        (words("access.account"), str(ctx.invocation.account)),
        (words("access.person"), person.name),
        (words("access.role"), words(f"access.roles.{person.role.name.lower()}")),
        (words("access.accounts"), ", ".join(sorted(map(str, person.accounts)))),
        (words("access.place"), str(ctx.invocation.place)),
    )
    data = {"account": str(ctx.invocation.account), "person": person.name, "role": person.role.name.lower()}
    return Reply(words("access.whoami_title"), fields=fields, private=True, data=data)


@group.command("explain", Risk.READ, examples=("access explain slack:U0123ABCD restart backend",))
async def explain(ctx: Context, person: str, command: Rest) -> Reply:
    """Each step of the decision, in order, up to the first that refuses."""
    words = ctx.words
    account = _account(person)
    asked, _ = ctx.services.catalogue.resolve(command.split())
    who = await ctx.services.gate.person_of(account)
    allowed, verdict = _verdict(ctx, who, asked)
    sources = ctx.services.gate.explain(account)
    fields = (
        (words("access.account"), str(account)),
        (words("access.role"), words(f"access.roles.{who.role.name.lower()}")),
        (words("access.from"), ", ".join(f"{entry} = {role}" for entry, role in sources.items()) or words("access.no_entry")),
        (words("access.command"), asked.name),
        (words("access.risk"), words(f"access.risks.{asked.risk.value}")),
        (words("access.needs"), words(f"access.roles.{asked.role.name.lower()}")),
        (words("access.verdict"), verdict),
    )
    data = {
        "account": str(account),
        "role": who.role.name.lower(),
        "command": asked.name,
        "risk": asked.risk.value,
        "needs": asked.role.name.lower(),
        "allowed": allowed,
    }
    title = words("access.may" if allowed else "access.may_not", person=who.name, command=asked.name)
    return Reply(title, tone=Tone.GOOD if allowed else Tone.WARN, fields=fields, data=data)


def _account(text: str) -> Account:
    try:
        return Account.parse(text.removeprefix("@"))
    except ValueError as error:
        raise Usage("access.not_an_account", word=text) from error


def _verdict(ctx: Context, who: Person, asked: Command) -> tuple[bool, str]:
    if who.role is Role.NOBODY:
        return False, ctx.words("access.unknown", admins=ctx.services.gate.who(Role.ADMIN))
    try:
        ctx.services.gate.require(who, asked)
    except Forbidden as refusal:
        return False, ctx.words(refusal.key, **refusal.values)
    return True, ctx.words("access.risky_needs" if asked.risk is Risk.RISKY else "access.allowed")
