"""Discord's native commands, generated from the catalogue: sub-commands, typed options, two languages, autocomplete.

Discord takes 25 children on a level and 8,000 characters in a command, so what does not fit under ``/vcc`` goes under
``/vcc-more``. Knows nothing of what happens when a command is used: that is handed in.
"""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import locale_str

from bot.command import Command, Kind, Parameter
from bot.connectors import discord_lines
from bot.errors import Misconfigured
from bot.registry import Registry
from bot.words import LANGUAGES, Words

_LOG = logging.getLogger("vcc.discord")
ROOT, MORE = "vcc", "vcc-more"
CHILDREN, SIZE, _DESCRIPTION, _CHOICES = 25, 8_000, 100, 25
_SHORTER = (100, 50, 30)
_NAME = re.compile(r"[-_'\w]{1,32}")
_LANGUAGE = {
    discord.Locale.korean: "ko",
    discord.Locale.american_english: "en",
    discord.Locale.british_english: "en",
}
_LARGEST_INTEGER = 2**53
Said = Mapping[str, str]
Interaction = discord.Interaction[Any]
Use = Callable[[Interaction, str], Awaitable[None]]
Suggest = Callable[[Interaction, Parameter, Command, str], Awaitable[Sequence[str]]]


class Languages(app_commands.Translator):
    """Descriptions in the languages of our catalogue: a text carries its translations with it."""

    async def translate(self, string: locale_str, locale: discord.Locale, context: app_commands.TranslationContextTypes) -> str | None:
        """The description in a language, None where we have no words for it."""
        said = string.extras.get(_LANGUAGE.get(locale, ""))
        return None if said is None else str(said)


class Texts:
    """Every description in every language, cut to what Discord takes."""

    def __init__(self, registry: Registry) -> None:
        self._listed = {language: {entry["path"]: entry for entry in registry.listing(language)} for language in LANGUAGES}

    def summary(self, path: Sequence[str]) -> Said:
        """What a command does."""
        return {language: _short(entries[" ".join(path)]["summary"]) for language, entries in self._listed.items()}

    def parameter(self, path: Sequence[str], name: str, limit: int) -> Said:
        """What a word or option means."""
        return {
            language: _short(each["summary"], limit)
            for language, entries in self._listed.items()
            for each in entries[" ".join(path)]["parameters"]
            if each["name"] == name.strip("_").replace("_", "-")
        }

    @staticmethod
    def house(key: str, **values: str) -> Said:
        """One of our own sentences."""
        return {language: _short(Words(language)(key, **values)) for language in LANGUAGES}


def _short(text: str, limit: int = _DESCRIPTION) -> str:
    text = " ".join(text.split()) or "-"
    return text if len(text) <= limit else text[: limit - 1] + "…"


@dataclass(slots=True)
class _Branch:
    """A child of the root: one command, or a group of them."""

    name: str
    leaves: list[tuple[tuple[str, ...], Command]] = field(default_factory=list)
    alias: bool = False

    @property
    def alone(self) -> bool:
        return len(self.leaves[0][0]) == 1


@dataclass(frozen=True, slots=True)
class Maker:
    """What generated commands are made with. ``use`` is called with the line, ``suggest`` while somebody types."""

    words: Words
    texts: Texts
    use: Use
    suggest: Suggest

    def text(self, said: Said) -> locale_str:
        """A description with its translations."""
        return locale_str(said[self.words.language], **said)

    def command(self, path: tuple[str, ...], command: Command, limit: int) -> app_commands.Command[Any, ..., None]:
        """One native command."""

        async def callback(interaction: Interaction, **given: Any) -> None:
            await self.use(interaction, discord_lines.typed(path, command, given))

        first = inspect.Parameter("interaction", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Interaction)
        listed = sorted(command.parameters, key=lambda each: not each.required)
        signature = inspect.Signature([first, *(_declared(each) for each in listed)])
        described_callback: Any = callback
        described_callback.__signature__ = signature
        for each in listed:
            self._dress(described_callback, (path, command), each, limit)
        return app_commands.Command(name=path[-1], description=self.text(self.texts.summary(path)), callback=described_callback)

    def _dress(self, callback: Any, leaf: tuple[tuple[str, ...], Command], parameter: Parameter, limit: int) -> None:
        """Description, name and what is offered, of one option."""
        (path, command), name = leaf, parameter.name
        app_commands.describe(**{name: self.text(self.texts.parameter(path, name, limit))})(callback)
        if "_" in name:
            app_commands.rename(**{name: name.strip("_").replace("_", "-")})(callback)
        if parameter.choices and len(parameter.choices) <= _CHOICES:
            offered = [app_commands.Choice(name=choice[:100], value=choice) for choice in parameter.choices]
            app_commands.choices(**{name: offered})(callback)
        elif parameter.kind is Kind.SERVICE or parameter.choices or command.path == ("help",):
            app_commands.autocomplete(**{name: self._completion(command, parameter)})(callback)

    def _completion(self, command: Command, parameter: Parameter) -> Any:
        async def complete(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
            found = await self.suggest(interaction, parameter, command, current)
            return [app_commands.Choice(name=each, value=each) for each in found if 0 < len(each) <= 100][:_CHOICES]

        return complete


def _declared(parameter: Parameter) -> inspect.Parameter:
    """An option's type; None stands for what was left out."""
    annotation: Any = str
    if parameter.kind is Kind.INTEGER:
        bounds = parameter.bounds
        least = max(-_LARGEST_INTEGER, int(bounds.least)) if bounds else -_LARGEST_INTEGER
        most = min(_LARGEST_INTEGER, int(bounds.most)) if bounds else _LARGEST_INTEGER
        annotation = app_commands.Range[int, least, most]
    elif parameter.kind is Kind.FLAG:
        annotation = bool
    default = inspect.Parameter.empty if parameter.required else None
    return inspect.Parameter(parameter.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def plan(registry: Registry) -> list[_Branch]:
    """The children of the root: single commands first, then groups, aliases last."""
    branches: dict[str, _Branch] = {}
    for path, command in registry.paths():
        branch = branches.setdefault(path[0], _Branch(path[0], alias=path != command.path))
        branch.leaves.append((path, command))
    for branch in branches.values():
        if any(len(path) > 1 for path, _ in branch.leaves):
            # The base command of a group cannot be used there; it stays reachable by typing it to us.
            branch.leaves = [leaf for leaf in branch.leaves if len(leaf[0]) > 1]
    return sorted(branches.values(), key=lambda each: (each.alias, not each.alone, each.name))


def roots(registry: Registry, maker: Maker) -> list[app_commands.Group]:
    """Every root command; Misconfigured with all that Discord would refuse."""
    branches = plan(registry)
    faults = list(_faults(branches, maker))
    if faults:
        raise Misconfigured(faults)
    for limit in _SHORTER:
        made = _pack(branches, maker, limit)
        if len(made) == 1:
            break
    if len(made) > 1:
        _LOG.warning("under /%s: %s", MORE, ", ".join(child.name for root in made[1:] for child in root.commands))
    return made


def _faults(branches: Sequence[_Branch], maker: Maker) -> Iterator[str]:
    for branch in branches:
        for path, command in branch.leaves:
            names = (*path, *(each.name.strip("_").replace("_", "-") for each in command.parameters))
            for name in names:
                if not _NAME.fullmatch(name) or name != name.lower():
                    yield maker.words("discord.tree.name", path=" ".join(path), name=name)
            if len(command.parameters) > CHILDREN:
                yield maker.words("discord.tree.children", path=" ".join(path), count=len(command.parameters), limit=CHILDREN)
        if len(branch.leaves) > CHILDREN:
            yield maker.words("discord.tree.children", path=branch.name, count=len(branch.leaves), limit=CHILDREN)
        elif (weight := _weight_of(branch, maker.texts, _SHORTER[-1])) + 100 > SIZE:
            yield maker.words("discord.tree.size", path=branch.name, count=weight, limit=SIZE)


def _pack(branches: Sequence[_Branch], maker: Maker, limit: int) -> list[app_commands.Group]:
    made: list[app_commands.Group] = []
    weight = SIZE
    for branch in branches:
        more = _weight_of(branch, maker.texts, limit)
        if not made or len(made[-1].commands) >= CHILDREN or weight + more > SIZE:
            name = ROOT if not made else MORE if len(made) == 1 else f"{MORE}-{len(made)}"
            key = "discord.more" if made else "discord.root"
            made.append(app_commands.Group(name=name, description=maker.text(maker.texts.house(key)), guild_only=True))
            weight = 100
        weight += more
        made[-1].add_command(_grown(branch, maker, limit))
    return made


def _grown(branch: _Branch, maker: Maker, limit: int) -> app_commands.Command[Any, ..., None] | app_commands.Group:
    if branch.alone:
        return maker.command(*branch.leaves[0], limit)
    group = app_commands.Group(name=branch.name, description=maker.text(maker.texts.house("discord.group", name=branch.name)))
    for path, command in branch.leaves:
        group.add_command(maker.command(path, command, limit))
    return group


def _weight_of(branch: _Branch, texts: Texts, limit: int) -> int:
    """What Discord counts of a branch: names, the longest language of each description, names and values of choices."""
    own = 0 if branch.alone else len(branch.name) + _longest(texts.house("discord.group", name=branch.name))
    return own + sum(_weight(path, command, texts, limit) for path, command in branch.leaves)


def _weight(path: tuple[str, ...], command: Command, texts: Texts, limit: int) -> int:
    total = len(path[-1]) + _longest(texts.summary(path))
    for each in command.parameters:
        total += len(each.name) + _longest(texts.parameter(path, each.name, limit))
        total += sum(2 * len(choice) for choice in each.choices[:_CHOICES])
    return total


def _longest(said: Said) -> int:
    return max(map(len, said.values()))


def tree_of(client: discord.Client, registry: Registry, maker: Maker, guild: int | None) -> app_commands.CommandTree[Any]:
    """The client's tree with every root in it, for one guild or for all."""
    tree: app_commands.CommandTree[Any] = app_commands.CommandTree(client)
    for root in roots(registry, maker):
        tree.add_command(root, guild=discord.Object(guild) if guild is not None else None)
    return tree


def matching(names: Sequence[str], current: str) -> list[str]:
    """Those that begin with what was typed, then those that hold it."""
    wanted = current.strip().lower()
    begins = [name for name in names if name.lower().startswith(wanted)]
    return [*begins, *(name for name in names if wanted in name.lower() and name not in begins)][:_CHOICES]
