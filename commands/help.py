"""``help``: what the asker may run, or one command with its words, options and examples."""

from __future__ import annotations

from bot.command import Command, Group, Kind, Parameter, Rest
from bot.context import Context
from bot.errors import Usage
from bot.model import Reply, Risk, Role, Table

group = Group("help")


@group.command("help", Risk.READ, examples=("help", "help restart"))
async def help_(ctx: Context, command: Rest = Rest("")) -> Reply:
    """The list, or one command."""
    return _one(ctx, command) if command.strip() else _list(ctx)


def _list(ctx: Context) -> Reply:
    words = ctx.words
    mine = [command for command in ctx.services.catalogue if ctx.person.role >= command.role]
    rows = tuple((usage(command), words(f"help.risk.{command.risk.value}"), words(f"{command.key}.summary")) for command in mine)
    columns = (words("help.column.command"), words("help.column.risk"), words("help.column.summary"))
    text = words("help.intro", role=words(f"access.roles.{ctx.person.role.name.lower()}"), admins=ctx.services.gate.who(Role.ADMIN))
    data = [{"path": command.name, "risk": command.risk.value} for command in mine]
    return Reply(words("help.title"), text, tables=(Table(columns, rows),), private=True, data=data)


def _one(ctx: Context, asked: str) -> Reply:
    words = ctx.words
    group_commands = [each for each in ctx.services.catalogue if each.path[0] == asked.strip().lower()]
    if len(group_commands) > 1:
        names = " · ".join(each.name for each in group_commands)
        return Reply(words("help.group", group=asked), names, private=True, data=[each.name for each in group_commands])
    command, rest = ctx.services.catalogue.resolve(asked.split())
    if rest:
        raise Usage("registry.unknown", word=asked, near=f"help {command.name}")
    fields = [(words("help.column.risk"), words(f"help.risk_long.{command.risk.value}"))]
    fields.append((words("help.role"), words(f"access.roles.{command.role.name.lower()}")))
    if command.aliases:
        fields.append((words("help.aliases"), ", ".join(" ".join(alias) for alias in command.aliases)))
    rows = tuple((_shown(each), words(f"{command.key}.param.{each.name}")) for each in command.parameters)
    tables = (Table((words("help.column.word"), words("help.column.summary")), rows),) if rows else ()
    examples = "\n".join(f"/vcc {example}" for example in command.examples)
    title = f"/vcc {usage(command)}"
    return Reply(title, words(f"{command.key}.summary"), fields=tuple(fields), tables=tables, code=examples, private=True)


def usage(command: Command) -> str:
    """A command as it is typed, its words in brackets: ``<must>``, ``[may]``."""
    return " ".join((command.name, *(_shown(each) for each in command.parameters)))


def _shown(parameter: Parameter) -> str:
    name = parameter.typed
    values = "|".join(parameter.choices) or name
    if not parameter.option:
        return f"<{values}>" if parameter.required else f"[{values}]"
    return f"[--{name}]" if parameter.kind is Kind.FLAG else f"[--{name} {'|'.join(parameter.choices) or parameter.kind.value}]"
