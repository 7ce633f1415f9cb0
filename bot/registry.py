"""The commands there are: found in the ``commands`` package, checked, looked up by the longest path, listed.

A command that is wrong in any way stops the start; all faults are told together, by name.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from bot.command import Command, Group, Kind
from bot.errors import Misconfigured, Usage
from bot.line import closest
from bot.model import Risk
from bot.words import LANGUAGES, Sentences, catalogue


def discover(package: str = "commands") -> tuple[Group, ...]:
    """Every ``Group`` that a module of the package declares under the name ``group``."""
    root = importlib.import_module(package)
    modules = [importlib.import_module(f"{package}.{found.name}") for found in pkgutil.iter_modules(root.__path__)]
    return tuple(module.group for module in modules if isinstance(getattr(module, "group", None), Group))


class Registry:
    """The catalogue of commands."""

    def __init__(self, groups: Iterable[Group], sentences: Sentences = catalogue) -> None:
        groups = tuple(groups)
        self._sentences = sentences
        self._groups = {group.name: group for group in groups}
        self._commands: dict[tuple[str, ...], Command] = {}
        faults = [f"{name}: two modules declare this group" for name, count in Counter(group.name for group in groups).items() if count > 1]
        for group in self._groups.values():
            for command in group.commands:
                faults += _faults_of(command, sentences)
                faults += self._add(command)
            if group.default and (group.name, group.default) not in self._commands:
                faults.append(f"{group.name}: its default {group.default!r} is not one of its commands")
        if faults:
            raise Misconfigured(faults)

    def _add(self, command: Command) -> list[str]:
        faults = []
        for path in (command.path, *command.aliases):
            if path in self._commands:
                faults.append(f"{' '.join(path)}: declared twice")
            self._commands[path] = command
        return faults

    def __iter__(self) -> Iterator[Command]:
        return iter(sorted({command.path: command for command in self._commands.values()}.values(), key=lambda each: each.path))

    def paths(self) -> Iterator[tuple[tuple[str, ...], Command]]:
        """Every path, aliases too, with its command."""
        yield from sorted(self._commands.items())

    def default_of(self, group: str) -> str:
        """The name of a group's default command; empty when it has none."""
        return self._groups[group].default if group in self._groups else ""

    def resolve(self, words: Sequence[str]) -> tuple[Command, Sequence[str]]:
        """The command of a line and the words left for it; Usage with the nearest name otherwise."""
        if not words:
            return self._commands[("help",)], ()
        first = words[0].lower()
        if len(words) > 1 and (first, words[1].lower()) in self._commands:
            return self._commands[first, words[1].lower()], words[2:]
        if (first,) in self._commands:
            return self._commands[(first,)], words[1:]
        group = self._groups.get(first)
        if group is None:
            raise Usage("registry.unknown", word=words[0], near=self._near(first))
        return self._default(group, words)

    def _default(self, group: Group, words: Sequence[str]) -> tuple[Command, Sequence[str]]:
        names = [command.path[-1] for command in group.commands]
        if len(words) > 1 and not words[1].startswith("--"):
            # A word after a group is either a misspelt command or the first word of the default one.
            near = closest(words[1], names)
            takes_words = bool(group.default) and any(not p.option for p in self._commands[group.name, group.default].parameters)
            if near or not takes_words:
                raise Usage("registry.unknown", word=f"{group.name} {words[1]}", near=f"{group.name} {near or ' · '.join(names)}")
        if not group.default:
            raise Usage("registry.incomplete", group=group.name, names=" · ".join(names))
        return self._commands[group.name, group.default], words[1:]

    def _near(self, word: str) -> str:
        return closest(word, {path[0] for path in self._commands}) or "help"

    def listing(self, language: str) -> list[dict[str, Any]]:
        """The catalogue as JSON-able values, for ``vcc commands --json`` and other programs."""
        words = self._sentences(language)
        return [_listed(path, command, words) for path, command in self.paths()]


def _listed(path: tuple[str, ...], command: Command, words: Any) -> dict[str, Any]:
    return {
        "path": " ".join(path),
        "summary": words[f"{command.key}.summary"],
        "risk": command.risk.value,
        "role": command.role.name.lower(),
        "parameters": [
            {
                "name": parameter.typed,
                "type": parameter.kind.value,
                "option": parameter.option,
                "required": parameter.required,
                "default": parameter.default,
                "choices": list(parameter.choices),
                "summary": words[f"{command.key}.param.{parameter.name}"],
            }
            for parameter in command.parameters
        ],
        "examples": list(command.examples),
    }


def _faults_of(command: Command, sentences: Sentences) -> Iterator[str]:
    for language in LANGUAGES:
        for key in (f"{command.key}.summary", *(f"{command.key}.param.{parameter.name}" for parameter in command.parameters)):
            if key not in sentences(language):
                yield f"{command.name}: no words for {key!r} in {language}"
    rest = [parameter for parameter in command.parameters if parameter.kind is Kind.REST]
    words = [parameter for parameter in command.parameters if not parameter.option]
    if rest and words[-1:] != rest:
        yield f"{command.name}: only the last word may take the rest of the line"
    if command.risk is Risk.RISKY and (command.plan is None or command.apply is None):
        yield f"{command.name}: risky, so it needs a plan and an apply"
    if not command.examples:
        yield f"{command.name}: has no example"
