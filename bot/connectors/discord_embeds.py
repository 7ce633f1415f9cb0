"""A reply as a Discord message: content, one embed, buttons, and files for what does not fit. Pure.

Every limit of Discord is kept here for any reply whatever, so that a message is never refused for its form. Called are the people
of ``Reply.mentions``, by their ids, and nobody else.
Knows no network and reads no file.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.connectors import plain
from bot.connectors.discord_text import clean, code_block, cut, escaped, fitted, quiet, size
from bot.connectors.listing import entries, is_wide, painted
from bot.model import Attachment, Button, Reply, Table, Tone
from bot.words import Words

PREFIX = "vcc:"
ATTACHED = "attachment://"
NO_MENTIONS: Mapping[str, Any] = {"parse": []}
_CONTENT, _EMBED_SUM, _DESCRIPTION = 2000, 6000, 4096
_FIELD_NAME, _FIELD_VALUE = 200, 1000
_ROWS, _IN_ROW, _LABEL, _CUSTOM_ID = 5, 5, 80, 100
_FILES = 10
_EMBEDS = 10
_TITLE, _SHOWN_FOOTER, _POINTER = 300, 600, 200
_TEXT_BESIDE_OTHERS, _FIELDS_BESIDE_OTHERS = 1800, 1600
_WHOLE = "whole-answer.txt"
_PERSON, _MOST_CALLED = re.compile(r"[0-9]{1,20}", re.ASCII), 10
_ODD, _NAME = re.compile(r"[^A-Za-z0-9-]+"), 60
_COLOURS = {Tone.GOOD: 0x2E7D32, Tone.WARN: 0xF9A825, Tone.BAD: 0xC62828, Tone.NEUTRAL: 0x546E7A}
_SIGNS = {Tone.GOOD: "✅ ", Tone.WARN: "⚠️ ", Tone.BAD: "❌ ", Tone.NEUTRAL: ""}
_STYLES = {"primary": 1, "default": 2, "danger": 4}


@dataclass(frozen=True, slots=True)
class Rendered:
    """``body`` is the JSON of a message without its files; ``texts`` are files to be made of (name, text), ``files`` stand on the disk."""

    body: Mapping[str, Any]
    texts: tuple[tuple[str, str], ...] = ()
    files: tuple[Attachment, ...] = ()


def render(reply: Reply, words: Words) -> Rendered:
    """The message that shows a reply; what had to be cut goes out whole as a file beside it."""
    reply = painted(replace(reply, tables=tuple(_squared(table) for table in reply.tables)))
    title, whole = fitted(" ".join(reply.title.split()), _TITLE)
    embed, embed_whole = _Embed(reply, words).build()
    components, buttons_whole = _components(reply.buttons)
    whole = whole and embed_whole and buttons_whole and len(reply.files) <= _FILES
    files = tuple(_named(reply.files[: _FILES if whole else _FILES - 1]))
    called = _called(reply)
    body: dict[str, Any] = {
        "content": f"{_SIGNS[reply.tone]}**{title or '-'}**"[:_CONTENT] + "".join(f" <@{person}>" for person in called),
        "embeds": _with_pictures(embed, files, _COLOURS[reply.tone]),
        "components": components,
        "allowed_mentions": {**NO_MENTIONS, "users": called} if called else dict(NO_MENTIONS),
    }
    if whole:
        return Rendered(body, (), files)
    return Rendered(body, ((_WHOLE, clean(plain.text(reply))),), files)


def _called(reply: Reply) -> list[str]:
    """Discord's ids of the people to call."""
    people = dict.fromkeys(each.id for each in reply.mentions if each.platform == "discord" and _PERSON.fullmatch(each.id))
    return list(people)[:_MOST_CALLED]


def _named(files: Sequence[Attachment]) -> Iterator[Attachment]:
    """Pictures under names of their own that Discord does not change: under a changed one a message could not show them."""
    taken = {file.name for file in files if not file.is_picture}
    for file in files:
        if file.is_picture:
            stem = _ODD.sub("-", file.name.removesuffix(".png")).strip("-")[:_NAME] or "picture"
            names = (f"{stem}-{number}.png" if number else f"{stem}.png" for number in itertools.count())
            name = next(name for name in names if name not in taken)
            taken.add(name)
            file = replace(file, name=name)
        yield file


def _with_pictures(embed: Mapping[str, Any], files: Sequence[Attachment], colour: int) -> list[Mapping[str, Any]]:
    """The first picture stands in the embed of the answer, each further one in its own."""
    shown = [{"image": {"url": ATTACHED + file.name}} for file in files if file.is_picture]
    first = {"color": colour, **embed, **(shown[0] if shown else {})} if embed or shown else {}
    further = [{"color": colour, **image} for image in shown[1:_EMBEDS]]
    return [first, *further] if first else []


def _squared(table: Table) -> Table:
    """The same table with every row as wide as the widest."""
    wide = max([len(table.columns), *map(len, table.rows)])
    columns, *rows = ((*row, *("",) * (wide - len(row))) for row in (table.columns, *table.rows))
    return replace(table, columns=columns, rows=tuple(rows))


class _Embed:
    """Fills one embed part by part, the most telling first, inside the sum of all its texts."""

    def __init__(self, reply: Reply, words: Words) -> None:
        self._reply = reply
        self._words = words
        self._left = _EMBED_SUM
        self._whole = True

    def build(self) -> tuple[Mapping[str, Any], bool]:
        """The embed (empty when there is nothing to say) and whether all of the reply is in it."""
        said, whole = cut(self._reply.footer, _SHOWN_FOOTER)
        footer = self._took((quiet(said), whole))
        self._left -= _POINTER
        description = self._description()
        if not self._whole:
            pointer = self._words("discord.see_file")[: _POINTER - 1]
            description = f"{description}\n{pointer}" if description else pointer
        embed: dict[str, Any] = {"color": _COLOURS[self._reply.tone]}
        parts = {"description": description, "footer": {"text": footer} if footer else None}
        embed.update({name: value for name, value in parts.items() if value})
        return (embed if len(embed) > 1 else {}), self._whole

    def _took(self, part: tuple[str, bool]) -> str:
        text, whole = part
        self._whole = self._whole and whole
        self._left -= size(text)
        return text

    def _description(self) -> str:
        room = min(_DESCRIPTION - _POINTER, self._left)
        others = bool(self._reply.code or self._reply.tables or self._reply.fields)
        parts: list[str] = []
        if self._reply.text.strip():
            parts.append(self._took(fitted(self._reply.text, min(room, _TEXT_BESIDE_OTHERS) if others else room)))
        for make in self._blocks():
            left = room - sum(size(part) + 1 for part in parts)
            block = self._took(make(left))
            if block:
                parts.append(block)
        return "\n".join(parts)

    def _blocks(self) -> Iterator[Any]:
        if self._reply.fields:
            below = bool(self._reply.code or self._reply.tables)
            yield lambda room: field_lines(self._reply.fields, min(room, _FIELDS_BESIDE_OTHERS) if below else room)
        for table in self._reply.tables:
            yield lambda room, table=table: table_block(table, room)
        if self._reply.code.strip():
            yield lambda room: code_block(self._reply.code, room)


def field_lines(fields: Sequence[tuple[str, str]], room: int) -> tuple[str, bool]:
    """A line for each: an embed's own fields would take three on a phone, and stand below everything else."""
    lines: list[str] = []
    all_whole = True
    for name, value in fields:
        shown_name, name_whole = fitted(" ".join(name.split()) or "-", _FIELD_NAME)
        shown_value, value_whole = fitted(value.strip() or "-", _FIELD_VALUE)
        line = f"**{shown_name}:** {shown_value}"
        room -= size(line) + 1
        if room < 0:
            return "\n".join(lines), False
        lines.append(line)
        all_whole = all_whole and name_whole and value_whole
    return "\n".join(lines), all_whole


def table_block(table: Table, room: int) -> tuple[str, bool]:
    """A table in fixed width; one too wide for a phone becomes a list, a line for each row."""
    title = f"**{escaped(table.title)}**\n" if table.title else ""
    if size(title) > room - 40:
        return "", False
    left = room - size(title)
    if is_wide(table):
        shown, whole = _listed(table, left)
    else:
        shown, whole = code_block(plain.table_text(replace(table, title="")) if table.columns else "", left)
    return (title + shown if shown else ""), whole


def _listed(table: Table, room: int) -> tuple[str, bool]:
    lines: list[str] = []
    for head, rest in entries(table):
        line = f"**{escaped(head)}** — {escaped(rest)}" if rest else f"**{escaped(head)}**"
        room -= size(line) + 1
        if room < 0:
            return "\n".join(lines), False
        lines.append(line)
    return "\n".join(lines), True


def _components(buttons: Sequence[Button]) -> tuple[list[Mapping[str, Any]], bool]:
    """Rows of buttons that carry the line they type; a line too long for a button is left to be typed."""
    seen: dict[str, Mapping[str, Any]] = {}
    for button in buttons:
        custom_id = PREFIX + button.types
        if not button.types.strip() or size(custom_id) > _CUSTOM_ID or custom_id in seen:
            continue
        label = cut(" ".join(button.label.split()) or button.types, _LABEL)[0].strip() or "-"
        seen[custom_id] = {"type": 2, "style": _STYLES.get(button.style, 2), "label": label, "custom_id": custom_id}
    shown = list(seen.values())[: _ROWS * _IN_ROW]
    rows: list[Mapping[str, Any]] = [{"type": 1, "components": shown[at : at + _IN_ROW]} for at in range(0, len(shown), _IN_ROW)]
    return rows, len(shown) == len({button.types for button in buttons})


def line_of(custom_id: str) -> str | None:
    """The line that a button of ours types; None when it is none of ours."""
    line = custom_id.removeprefix(PREFIX).strip()
    return line if custom_id.startswith(PREFIX) and line else None
