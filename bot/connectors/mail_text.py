"""A reply as a letter: subject, plain text, and the same as small HTML that any phone shows. Pure.

Nothing can be pressed in a letter, so each button says what to type instead. Foreign text is escaped and stands on one line where
only one is allowed: it cannot add a header.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.connectors.plain import table_text
from bot.model import Button, Reply, Table, Tone
from bot.plain_text import harmless
from bot.words import Words

_SUBJECT = 160
_TEXT, _CODE, _CELL, _LINE, _ROWS = 20_000, 40_000, 300, 300, 200
_SIGNS = {Tone.GOOD: "✔ ", Tone.WARN: "⚠ ", Tone.BAD: "✘ ", Tone.NEUTRAL: ""}
# A title that begins so says itself how it stands.
_TOLD = frozenset("✔✘⚠!●")
_COLOURS = {Tone.GOOD: "#2e7d32", Tone.WARN: "#f9a825", Tone.BAD: "#c62828", Tone.NEUTRAL: "#546e7a"}
_FIXED = "font-family:monospace;font-size:12px;white-space:pre-wrap;background:#f5f5f5;padding:8px"
_CELL_STYLE = "border:1px solid #ddd;padding:3px 8px;text-align:left;vertical-align:top"


@dataclass(frozen=True, slots=True)
class Rendered:
    """The parts of a letter."""

    subject: str
    text: str
    html: str


def render(reply: Reply, words: Words, left_out: Sequence[str] = ()) -> Rendered:
    """A reply as a letter. ``left_out`` names files that could not come along."""
    page = _Page(reply, words, left_out)
    return Rendered(subject_of(reply), page.text(), page.html())


def subject_of(reply: Reply) -> str:
    """What the first letter about something has in its subject."""
    return f"[VCC] {_title(reply)}"


def _title(reply: Reply) -> str:
    title = _line(reply.title, _SUBJECT)
    return title if title[0] in _TOLD else _SIGNS[reply.tone] + title


def _line(text: str, limit: int = _LINE) -> str:
    return harmless(text, limit=limit, newlines=False).strip() or "-"


def _body(text: str, limit: int = _TEXT) -> str:
    return harmless(text, limit=limit).strip("\n")


def _clean(table: Table) -> Table:
    wide = max([len(table.columns), *map(len, table.rows)])

    def row(cells: Sequence[str]) -> tuple[str, ...]:
        return tuple(_line(cell, _CELL) for cell in (*cells, *[""] * (wide - len(cells))))

    return Table(row(table.columns), tuple(map(row, table.rows[:_ROWS])), _line(table.title) if table.title else "")


class _Page:
    """A reply with every text of it made harmless, written twice."""

    def __init__(self, reply: Reply, words: Words, left_out: Sequence[str]) -> None:
        self._words = words
        self._title, self._colour = _title(reply), _COLOURS[reply.tone]
        self._body, self._code = _body(reply.text), _body(reply.code, _CODE)
        self._fields = [(_line(name), _body(value)) for name, value in reply.fields]
        self._tables = [_clean(table) for table in reply.tables if table.columns or table.rows]
        self._buttons = [_typed(button) for button in reply.buttons if button.types.strip()]
        self._notes = [_body(file.alt) for file in reply.files if file.alt]
        self._notes += [words("mail.left_out", name=_line(name)) for name in left_out]
        self._footer = _body(reply.footer)

    def text(self) -> str:
        """For programs that show no HTML."""
        return "\n\n".join(part for part in self._text_parts() if part) + "\n"

    def _text_parts(self) -> Iterator[str]:
        yield self._title
        yield self._body
        yield "\n".join(f"{name}: {value}" for name, value in self._fields)
        yield from (table_text(table) for table in self._tables)
        yield self._code
        yield from self._notes
        if self._buttons:
            yield "\n".join([self._words("mail.type_instead"), *(f"  {label}: /vcc {line}" for label, line in self._buttons)])
        yield self._footer

    def html(self) -> str:
        """For all others; nothing in it is fetched from anywhere."""
        head = f'<!doctype html><html lang="{self._words.language}"><body style="font-family:sans-serif;font-size:14px;color:#222">'
        return "\n".join([head, *self._html_parts(), "</body></html>"])

    def _html_parts(self) -> Iterator[str]:
        yield f'<p style="border-left:4px solid {self._colour};padding-left:8px;font-size:16px"><strong>{_shown(self._title)}</strong></p>'
        if self._body:
            yield f"<p>{_shown(self._body)}</p>"
        if self._fields:
            yield "<p>" + "<br>".join(f"<strong>{_shown(name)}</strong> {_shown(value)}" for name, value in self._fields) + "</p>"
        yield from map(_html_table, self._tables)
        if self._code:
            yield f'<div style="{_FIXED}">{_shown(self._code)}</div>'
        yield from (f"<p>{_shown(note)}</p>" for note in self._notes)
        if self._buttons:
            lines = "".join(f"<br>{_shown(label)}: <code>/vcc {_shown(line)}</code>" for label, line in self._buttons)
            yield f"<p>{_shown(self._words('mail.type_instead'))}{lines}</p>"
        if self._footer:
            yield f'<p style="color:#777;font-size:12px">{_shown(self._footer)}</p>'


def _typed(button: Button) -> tuple[str, str]:
    return _line(button.label), _line(button.types, 2_000)


def _shown(text: str) -> str:
    return html.escape(text).replace("\n", "<br>")


def _html_table(table: Table) -> str:
    title = f"<p><strong>{_shown(table.title)}</strong></p>" if table.title else ""
    head = "".join(f'<th style="{_CELL_STYLE}">{_shown(cell)}</th>' for cell in table.columns)
    rows = "".join("<tr>" + "".join(f'<td style="{_CELL_STYLE}">{_shown(cell)}</td>' for cell in row) + "</tr>" for row in table.rows)
    return f'{title}<table style="border-collapse:collapse"><tr>{head}</tr>{rows}</table>'
