"""The rules by which Discord registers application commands: names, lengths, counts, nesting, sizes. Knows no state."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator

from .errors import ApiError, Json, bad_length, invalid_form

SUBCOMMAND, GROUP, STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = range(1, 12)
CHAT_INPUT, USER_MENU, MESSAGE_MENU = 1, 2, 3
TOTALS = {CHAT_INPUT: 100, USER_MENU: 15, MESSAGE_MENU: 15}
SIZE_LIMIT = 8000
_WESTERN = ("id", "da", "de", "en-GB", "en-US", "es-ES", "es-419", "fr", "hr", "it", "lt", "hu", "nl", "no", "pl", "pt-BR", "ro", "fi")
_OTHERS = ("sv-SE", "vi", "tr", "cs", "el", "bg", "ru", "uk", "hi", "th", "zh-CN", "ja", "zh-TW", "ko")
LOCALES = frozenset((*_WESTERN, *_OTHERS))


def check_commands(commands: list[Json]) -> None:
    """Refuse a whole list as one overwrite would be refused."""
    for kind, limit in TOTALS.items():
        if sum((command.get("type") or CHAT_INPUT) == kind for command in commands) > limit:
            raise ApiError(400, 30032, f"Maximum number of application commands reached ({limit})")
    names = Counter((command.get("type") or CHAT_INPUT, command.get("name")) for command in commands)
    for index, command in enumerate(commands):
        if names[(command.get("type") or CHAT_INPUT, command.get("name"))] > 1:
            raise invalid_form(f"{index}.name", "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique")
        _check_command(str(index), command)


def _check_command(path: str, command: Json) -> None:
    if (command.get("type") or CHAT_INPUT) != CHAT_INPUT:
        _check_length(f"{path}.name", command.get("name"), 32)
        return
    _check_named(path, command)
    _check_options(path, command.get("options") or [], depth=0)
    size = sum(_sizes(command))
    if size > SIZE_LIMIT:
        raise invalid_form(path, "APPLICATION_COMMAND_TOO_LARGE", f"Command exceeds maximum size ({size} of {SIZE_LIMIT})")


def _check_named(path: str, thing: Json) -> None:
    """Name and description, in every language given."""
    _check_name(f"{path}.name", thing.get("name"))
    _check_length(f"{path}.description", thing.get("description"), 100)
    for locale, name in (thing.get("name_localizations") or {}).items():
        _check_locale(f"{path}.name_localizations.{locale}", locale)
        _check_name(f"{path}.name_localizations.{locale}", name)
    for locale, description in (thing.get("description_localizations") or {}).items():
        _check_locale(f"{path}.description_localizations.{locale}", locale)
        _check_length(f"{path}.description_localizations.{locale}", description, 100)


def _check_locale(path: str, locale: str) -> None:
    if locale not in LOCALES:
        raise invalid_form(path, "BASE_TYPE_CHOICES", f"{locale} is not a locale")


def _check_name(path: str, name: object) -> None:
    """Letters and digits of any script, ``-``, ``_`` and ``'``; lower case where the script has it."""
    text = str(name or "")
    legal = all(letter in "-_'" or unicodedata.category(letter)[0] in "LN" for letter in text)
    if not 1 <= len(text) <= 32 or not legal or text != text.lower():
        raise invalid_form(path, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")


def _check_length(path: str, text: object, limit: int) -> None:
    if not 1 <= len(str(text or "")) <= limit:
        raise bad_length(path, 1, limit)


def _check_options(path: str, options: list[Json], depth: int) -> None:
    if len(options) > 25:
        raise bad_length(f"{path}.options", 0, 25)
    branches = [option for option in options if option.get("type") in (SUBCOMMAND, GROUP)]
    if branches and len(branches) != len(options):
        raise invalid_form(
            f"{path}.options", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Sub-commands and other options exclude each other"
        )
    for name, times in Counter(option.get("name") for option in options).items():
        if times > 1:
            raise invalid_form(f"{path}.options", "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", f"Option name {name} already exists")
    needed = [bool(option.get("required")) for option in options]
    if needed != sorted(needed, reverse=True):
        raise invalid_form(f"{path}.options", "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", "Required options come before the others")
    for index, option in enumerate(options):
        _check_option(f"{path}.options.{index}", option, depth)


def _check_option(path: str, option: Json, depth: int) -> None:
    _check_named(path, option)
    kind = option.get("type")
    if (kind == GROUP and depth > 0) or (kind == SUBCOMMAND and depth > 1):
        raise invalid_form(f"{path}.type", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Nested too deep")
    if kind == GROUP and any(child.get("type") != SUBCOMMAND for child in option.get("options") or []):
        raise invalid_form(f"{path}.options", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "A group holds only sub-commands")
    if kind in (SUBCOMMAND, GROUP):
        _check_options(path, option.get("options") or [], depth=2 if kind == SUBCOMMAND else 1)
    elif option.get("options"):
        raise invalid_form(f"{path}.options", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Only sub-commands hold options")
    _check_choices(path, option)


def _check_choices(path: str, option: Json) -> None:
    choices = option.get("choices") or []
    if len(choices) > 25:
        raise bad_length(f"{path}.choices", 0, 25)
    if choices and option.get("autocomplete"):
        raise invalid_form(f"{path}.autocomplete", "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_CHOICES", "Choices exclude autocomplete")
    for index, choice in enumerate(choices):
        check_choice(f"{path}.choices.{index}", choice, int(option.get("type") or 0))


def check_choice(path: str, choice: Json, kind: int) -> None:
    """One choice of an option, declared or offered while typing."""
    _check_length(f"{path}.name", choice.get("name"), 100)
    value = choice.get("value")
    types: dict[int, tuple[type, ...]] = {STRING: (str,), INTEGER: (int,), NUMBER: (int, float)}
    if not isinstance(value, types.get(kind, ())) or isinstance(value, bool):
        raise invalid_form(f"{path}.value", "BASE_TYPE_CHOICES", "The value is of the wrong type")
    if isinstance(value, str):
        _check_length(f"{path}.value", value, 100)


def _sizes(thing: Json) -> Iterator[int]:
    """What counts into the size of a command: the longest language of each text, and the values of choices."""
    for name in ("name", "description"):
        texts = [str(thing.get(name) or ""), *(thing.get(f"{name}_localizations") or {}).values()]
        yield max(len(text) for text in texts)
    for choice in thing.get("choices") or []:
        yield max(len(text) for text in [choice["name"], *(choice.get("name_localizations") or {}).values()]) + len(str(choice["value"]))
    for option in thing.get("options") or []:
        yield from _sizes(option)
