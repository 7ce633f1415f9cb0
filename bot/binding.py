"""Typed words to typed arguments, by a command's parameters. Knows no rights and no outside system."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from bot import moments
from bot.command import Command, Kind, Parameter
from bot.errors import Usage
from bot.line import closest
from bot.moments import UNITS

_MAX_TEXT = 500
_MOST_CHOICES = 8
_TRUE = frozenset({"true", "yes", "on", "1", ""})
_FALSE = frozenset({"false", "no", "off", "0"})


def bind(command: Command, words: Sequence[str]) -> dict[str, Any]:
    """The arguments of a command; Usage that names what is wrong with which word."""
    positional, options = _sort(command, list(words))
    arguments: dict[str, Any] = {}
    for parameter in command.parameters:
        if parameter.option:
            raw = options.pop(parameter.name, None)
        elif parameter.kind is Kind.REST:
            raw, positional = (" ".join(positional) or None), []
        else:
            raw = positional.pop(0) if positional else None
        arguments[parameter.name] = _value(command, parameter, raw)
    if positional:
        raise Usage("bind.too_many", word=positional[0], command=command.name)
    return arguments


def _sort(command: Command, words: list[str]) -> tuple[list[str], dict[str, str]]:
    """Words and options apart. ``--name value``, ``--name=value``; a flag needs no value; ``--`` ends the options."""
    known = {parameter.typed: parameter for parameter in command.parameters if parameter.option}
    positional: list[str] = []
    options: dict[str, str] = {}
    while words:
        word = words.pop(0)
        if word == "--":
            return positional + words, options
        if not word.startswith("--"):
            positional.append(word)
            continue
        name, equals, value = word[2:].partition("=")
        parameter = known.get(name.lower())
        if parameter is None:
            key = "bind.unknown_option" if known else "bind.no_options"
            raise Usage(key, option=f"--{name}", command=command.name, near=_near_option(name, known))
        if parameter.name in options:
            raise Usage("bind.twice", option=f"--{name}")
        options[parameter.name] = _option_value(parameter, value if equals else None, words)
    return positional, options


def _near_option(name: str, known: dict[str, Parameter]) -> str:
    near = closest(name, known)
    return f"--{near}" if near else " ".join(f"--{each}" for each in known)


def _option_value(parameter: Parameter, value: str | None, words: list[str]) -> str:
    if value is not None:
        return value
    if parameter.kind is Kind.FLAG:
        return ""
    if not words or words[0].startswith("--"):
        raise Usage("bind.no_value", option=f"--{parameter.name.replace('_', '-')}")
    value = words.pop(0)
    if parameter.kind is Kind.MOMENT and words and moments.begins(value, words[0]):
        return f"{value} {words.pop(0)}"
    return value


def _value(command: Command, parameter: Parameter, raw: str | None) -> Any:
    if raw is None:
        if parameter.required:
            raise Usage("bind.missing", name=parameter.typed, command=command.name)
        return parameter.default
    return _READERS[parameter.kind](parameter, raw)


def _text(parameter: Parameter, raw: str) -> str:
    if not raw.strip():
        raise Usage("bind.empty", name=parameter.name)
    if len(raw) > _MAX_TEXT:
        raise Usage("bind.too_long", name=parameter.name, limit=_MAX_TEXT)
    return raw


def _integer(parameter: Parameter, raw: str) -> int:
    if not re.fullmatch(r"[+-]?\d{1,15}", raw.lstrip("#")):
        raise Usage("bind.not_a_number", name=parameter.name, word=raw)
    value = int(raw.lstrip("#"))
    _inside(parameter, value, str(value))
    return value


def _flag(parameter: Parameter, raw: str) -> bool:
    if raw.lower() in _TRUE | _FALSE:
        return raw.lower() in _TRUE
    raise Usage("bind.not_a_flag", name=parameter.name, word=raw)


def _choice(parameter: Parameter, raw: str) -> str:
    found = {choice.lower(): choice for choice in parameter.choices}.get(raw.lower())
    if found is None:
        raise Usage("bind.not_a_choice", name=parameter.typed, word=raw, choices=_listed(raw, parameter.choices))
    return found


def _listed(raw: str, choices: Sequence[str]) -> str:
    """What may be typed instead, what was most likely meant first; of many only the beginning."""
    near = closest(raw, choices)
    ordered = sorted(choices, key=lambda choice: choice != near)
    return ", ".join((*ordered[:_MOST_CHOICES], *(["…"] if len(ordered) > _MOST_CHOICES else [])))


def _duration(parameter: Parameter, raw: str) -> float:
    seconds = moments.seconds_of(raw)
    if seconds is None:
        raise Usage("bind.not_a_duration", name=parameter.name, word=raw)
    _inside(parameter, seconds, raw)
    return seconds


def _moment(parameter: Parameter, raw: str) -> str:
    """As it was typed, since what it means depends on the present; refused here already when it means nothing."""
    moments.check(raw)
    return raw


def _inside(parameter: Parameter, value: float, shown: str) -> None:
    bounds = parameter.bounds
    if bounds is not None and not bounds.least <= value <= bounds.most:
        least, most = (_typed(parameter, bound) for bound in (bounds.least, bounds.most))
        raise Usage("bind.out_of_bounds", name=parameter.name, word=shown, least=least, most=most)


def _typed(parameter: Parameter, value: float) -> str:
    """A bound as one would type it."""
    if parameter.kind is not Kind.DURATION:
        return f"{value:g}"
    unit = next((unit for unit in "dhm" if value % UNITS[unit] == 0), "s")
    return f"{value / UNITS[unit]:g}{unit}"


_READERS: dict[Kind, Callable[[Parameter, str], Any]] = {
    Kind.TEXT: _text,
    Kind.REST: _text,
    Kind.SERVICE: _text,
    Kind.INTEGER: _integer,
    Kind.FLAG: _flag,
    Kind.CHOICE: _choice,
    Kind.DURATION: _duration,
    Kind.MOMENT: _moment,
}
