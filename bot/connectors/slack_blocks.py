"""A reply as Slack blocks, within every limit whatever the reply holds; what does not fit goes into a text file. Pure.

Foreign text only stands in ``plain_text``, ``raw_text`` and ``rich_text`` text, which Slack never reads for markup: nothing in it
can name people, format or break out. Only the fallback ``text`` is read for markup, and it is escaped. Called are the people of
``Reply.mentions``, by their ids, and nobody else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.connectors import plain
from bot.connectors.listing import entries, is_wide, painted
from bot.connectors.slack_text import escaped
from bot.model import Button, Outcome, Reply, Table, Tone
from bot.plain_text import LONGEST_LINE, harmless, shortened
from bot.words import Words

Block = dict[str, Any]

# Slack refuses a message whose blocks hold about 11,000 characters together, though each is legal by itself.
MOST_IN_ALL = 9_000
_KEPT_FOR_NOTES = 500
_TITLE = 150
_BODY = 3_000
_FOOTER = 600
_FIELDS, _FIELD_NAME, _FIELD_VALUE = 40, 200, 800
_ROWS, _COLUMNS, _CELL = 100, 20, 300
_LABEL, _VALUE, _BUTTONS, _BUTTONS_IN_ROW = 75, 2_000, 50, 25
_FALLBACK = 3_000
_PERSON, _MOST_CALLED = re.compile(r"[UW][A-Z0-9]{1,20}"), 10
_ICONS = {Tone.GOOD: "✅ ", Tone.WARN: "⚠️ ", Tone.BAD: "❌ ", Tone.NEUTRAL: ""}


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file made of an answer that was too long."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Rendered:
    """What to send: blocks, the fallback text beside them, and a file with the whole answer when it did not fit."""

    text: str
    blocks: list[Block]
    files: tuple[TextFile, ...]


class _Page:
    """How much still fits, and whether anything had to be left out."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.cut = False

    def take(self, text: str, most: int, *, newlines: bool = True) -> str:
        """As much of ``text`` as fits, made harmless."""
        limit = max(0, min(most, self.left))
        whole = harmless(text, limit=max(len(text), LONGEST_LINE), newlines=newlines).strip("\n")
        self.cut |= len(whole) > limit or (newlines and len(text) > LONGEST_LINE and max(map(len, text.split("\n"))) > LONGEST_LINE)
        shown = shortened(whole, limit)
        self.left -= len(shown)
        return shown if shown.strip() else ""


def render(reply: Reply, words: Words, *, asker: str = "", direct: bool = False, below: bool = False) -> Rendered:
    """The blocks of a reply. ``asker`` is named under it; ``direct``: its files are sent beside it, as a direct message.

    ``below``: it stands in a thread already, where its files follow it for all to see.
    """
    reply = painted(reply)
    page = _Page(MOST_IN_ALL - _KEPT_FOR_NOTES)
    title = page.take(_icon(reply) + reply.title, _TITLE, newlines=False) or "VCC"
    rows_of_buttons = list(_buttons(page, reply.buttons))
    footer = page.take(reply.footer, _FOOTER)
    body = page.take(reply.text, _BODY)
    middle = [*_body(body), *_fields(page, reply.fields)]
    code = list(_code(page, reply.code))  # counted before the tables, shown after them
    middle += [*_tables(page, reply.tables), *code]
    files = (_whole(reply),) if page.cut else ()
    notes = [*_notes(words, files, asker), *_whereabouts(reply, words, bool(files), direct, below)]
    header: Block = {"type": "header", "text": _plain_text(title)}
    called = _called(reply)
    blocks = [header, *_calls(called), *middle, *_context([footer, *notes]), *rows_of_buttons]
    fallback = escaped("\n".join(part for part in (title, body) if part), _FALLBACK)
    return Rendered("".join([*(f"<@{person}> " for person in called), fallback]), blocks, files)


def _called(reply: Reply) -> list[str]:
    """Slack's ids of the people to call."""
    people = dict.fromkeys(each.id for each in reply.mentions if each.platform == "slack" and _PERSON.fullmatch(each.id))
    return list(people)[:_MOST_CALLED]


def _calls(called: Sequence[str]) -> Iterator[Block]:
    elements: list[Block] = []
    for person in called:
        elements += [{"type": "user", "user_id": person}, _words_of(" ")]
    if elements:
        yield _rich(_section(*elements))


def _icon(reply: Reply) -> str:
    working = reply.outcome is Outcome.PENDING and reply.ticket is None
    return "⏳ " if working and reply.tone is Tone.NEUTRAL else _ICONS[reply.tone]


def _notes(words: Words, files: Sequence[TextFile], asker: str) -> list[str]:
    notes = [words("slack.asked_by", name=harmless(asker, limit=80, newlines=False))] if asker else []
    return notes + [words("slack.rest_in_file", name=file.name) for file in files]


def _whereabouts(reply: Reply, words: Words, more: bool, direct: bool, below: bool) -> list[str]:
    """Where what cannot stand in the message itself is to be found.

    A picture could only stand in it once Slack has looked through it, some time after it was shared, and shared it must be,
    or nobody but the bot could see it: so it goes where all files go, and the message says where.
    """
    if direct and (more or reply.files):
        return [words("slack.files_direct")]
    return [words("slack.picture_below")] if any(file.is_picture for file in reply.files) and not below else []


def _plain_text(text: str) -> Block:
    return {"type": "plain_text", "text": text, "emoji": False}


def _rich(*elements: Block) -> Block:
    return {"type": "rich_text", "elements": list(elements)}


def _section(*elements: Block) -> Block:
    return {"type": "rich_text_section", "elements": list(elements)}


def _words_of(text: str, *, bold: bool = False) -> Block:
    return {"type": "text", "text": text, **({"style": {"bold": True}} if bold else {})}


def _body(body: str) -> Iterator[Block]:
    if body:
        yield _rich(_section(_words_of(body)))


def _fields(page: _Page, fields: Sequence[tuple[str, str]]) -> Iterator[Block]:
    """``name: value`` lines, the names bold."""
    elements: list[Block] = []
    for name, value in fields[:_FIELDS]:
        label, said = page.take(name, _FIELD_NAME, newlines=False), page.take(value, _FIELD_VALUE)
        if label:
            elements.append(_words_of(f"{label}: ", bold=True))
        if label or said:
            elements.append(_words_of(f"{said or '-'}\n"))
            page.left -= 3
    page.cut |= len(fields) > _FIELDS
    if elements:
        yield _rich(_section(*elements))


def _code(page: _Page, code: str) -> Iterator[Block]:
    shown = page.take(code, _BODY)
    if shown:
        yield _rich({"type": "rich_text_preformatted", "elements": [_words_of(shown)]})


def _tables(page: _Page, tables: Sequence[Table]) -> Iterator[Block]:
    """Slack takes one table in a message; the others are set in fixed width, or listed where that would break on a phone."""
    for number, table in enumerate(map(_even, tables)):
        if not table.columns:
            continue
        title = page.take(table.title, _TITLE, newlines=False)
        if title:
            yield _rich(_section(_words_of(title, bold=True)))
        if number == 0:
            yield from _table(page, table)
        elif is_wide(table):
            yield from _listed(page, table)
        else:
            yield from _code(page, plain.table_text(replace(table, title="")))


def _table(page: _Page, table: Table) -> Iterator[Block]:
    rows: list[list[Block]] = []
    for row in (table.columns, *table.rows):
        size = sum(min(len(cell), _CELL) + 1 for cell in row[:_COLUMNS])
        if len(rows) == _ROWS or size > page.left:
            page.cut = True
            break
        rows.append([{"type": "raw_text", "text": page.take(cell, _CELL, newlines=False) or "-"} for cell in row[:_COLUMNS]])
        page.left -= len(row[:_COLUMNS])
    page.cut |= len(table.columns) > _COLUMNS
    if rows:
        yield {"type": "table", "rows": rows, "column_settings": [{"is_wrapped": True} for _ in rows[0]]}


def _listed(page: _Page, table: Table) -> Iterator[Block]:
    elements: list[Block] = []
    for head, rest in entries(table):
        said, told = page.take(head, _FIELD_NAME, newlines=False), page.take(rest, _FIELD_VALUE, newlines=False)
        if said:
            elements += [_words_of(said, bold=True), _words_of(f" — {told}\n" if told else "\n")]
            page.left -= 4
    if elements:
        yield _rich(_section(*elements))


def _even(table: Table) -> Table:
    """Every row as long as the first one."""
    columns = len(table.columns)
    return replace(table, rows=tuple((*row[:columns], *[""] * (columns - len(row))) for row in table.rows))


def _context(notes: Sequence[str]) -> Iterator[Block]:
    said = [note for note in notes if note]
    if said:
        yield {"type": "context", "elements": [_plain_text(note) for note in said]}


def _buttons(page: _Page, buttons: Sequence[Button]) -> Iterator[Block]:
    """A button carries the line it types, so it works after any restart."""
    usable = [button for button in buttons if button.types.strip() and len(button.types) <= _VALUE][:_BUTTONS]
    page.cut |= len(usable) < len(buttons)
    made = [_button(page, number, button) for number, button in enumerate(usable)]
    for start in range(0, len(made), _BUTTONS_IN_ROW):
        yield {"type": "actions", "elements": made[start : start + _BUTTONS_IN_ROW]}


def _button(page: _Page, number: int, button: Button) -> Block:
    label = page.take(button.label, _LABEL, newlines=False) or str(number + 1)
    style = {"style": button.style} if button.style in ("primary", "danger") else {}
    return {"type": "button", "action_id": f"vcc:{number}", "text": _plain_text(label), "value": button.types, **style}


def _whole(reply: Reply) -> TextFile:
    name = re.sub(r"[^A-Za-z0-9-]", "", reply.reference)[:40] or "answer"
    whole = plain.text(replace(reply, files=(), tables=tuple(map(_even, reply.tables))))
    return TextFile(f"vcc-{name}.txt", whole.encode("utf-8", "replace"))
