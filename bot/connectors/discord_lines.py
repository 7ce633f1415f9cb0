"""What somebody filled into Discord's form of a command, as the line they would have typed. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot import line
from bot.command import Command, Kind, Parameter

_CURLY = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‚": "'"})
_DASHED = re.compile(r"^(?:--|[—–―−])")
_MENTION = re.compile(r"<(?:@!?|@&|#|a?:)[^<>\s]{1,60}>")


def typed(path: Sequence[str], command: Command, given: Mapping[str, Any]) -> str:
    """The line; ``given`` holds the values by parameter name, None for what was left out."""
    words: list[str] = []
    options: list[str] = []
    for parameter in command.parameters:
        value = given.get(parameter.name)
        if value is None:
            continue
        if parameter.option:
            options += _option(parameter, value)
        else:
            words.append(_plain(value))
    if any(_DASHED.match(word) for word in words):
        # A value that looks like an option is a value all the same.
        return " ".join([*path, *options, "--", *map(_quoted, words)])
    return " ".join([*path, *map(_quoted, words), *options])


def _option(parameter: Parameter, value: Any) -> list[str]:
    name = f"--{parameter.name.replace('_', '-')}"
    if parameter.kind is Kind.FLAG:
        return [name] if value else [f"{name}=no"]
    text = _quoted(_plain(value))
    return [f"{name}={text}"] if _DASHED.match(_plain(value)) else [name, text]


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).translate(_CURLY)


def _quoted(word: str) -> str:
    """A word that splits into itself: one that holds both quotes is written in pieces."""
    if "'" not in word or '"' not in word:
        return line.join([word])
    return '"\'"'.join(f"'{piece}'" for piece in word.split("'"))


def mentioned(text: str, me: str) -> str | None:
    """The line somebody wrote after our mention; None when they did not begin with it. Other mentions become plain text."""
    found = re.match(rf"\s*<@!?{re.escape(me)}>[ \t]*(.*)", text, re.DOTALL)
    if found is None:
        return None
    return _MENTION.sub(lambda mention: mention[0].strip("<>"), found[1]).strip()
