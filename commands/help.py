"""``help``: what the asker may run, or one command with its words, options and examples."""

from __future__ import annotations

from collections.abc import Sequence

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
    """A line for each group: all commands with their words would fill a phone many times over."""
    words = ctx.words
    mine = [command for command in ctx.services.catalogue if ctx.person.role >= command.role]
    groups: dict[str, list[Command]] = {}
    for command in mine:
        groups.setdefault(command.path[0], []).append(command)
    rows = tuple((name, _held(ctx, commands)) for name, commands in groups.items())
    columns = (words("help.column.command"), words("help.column.summary"))
    text = words("help.intro", role=words(f"access.roles.{ctx.person.role.name.lower()}"), admins=ctx.services.gate.who(Role.ADMIN))
    data = [{"path": command.name, "risk": command.risk.value} for command in mine]
    return Reply(words("help.title"), text, tables=(Table(columns, rows),), private=True, data=data)


def _held(ctx: Context, commands: Sequence[Command]) -> str:
    """The names of a group's commands; what it does when it is one command."""
    names = [" ".join(command.path[1:]) for command in commands]
    return " · ".join(names) if all(names) else ctx.words(f"{commands[0].key}.summary")


def _group(ctx: Context, name: str, commands: Sequence[Command]) -> Reply:
    """Each command of a group, with what it does and what it takes to run it."""
    words = ctx.words
    rows = tuple((command.name, _summary(ctx, command)) for command in commands)
    table = Table((words("help.column.command"), words("help.column.summary")), rows)
    names = [command.name for command in commands]
    return Reply(words("help.group", group=name), words("help.group_more", group=name), tables=(table,), private=True, data=names)


def _summary(ctx: Context, command: Command) -> str:
    summary = ctx.words(f"{command.key}.summary")
    risk = ctx.words(f"help.risk.{command.risk.value}")
    return summary if command.risk is Risk.READ else ctx.words("help.risk_beside", summary=summary, risk=risk)


def _one(ctx: Context, asked: str) -> Reply:
    words = ctx.words
    group_commands = [each for each in ctx.services.catalogue if each.path[0] == asked.strip().lower()]
    if len(group_commands) > 1:
        return _group(ctx, asked.strip().lower(), group_commands)
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
