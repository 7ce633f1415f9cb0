"""A reply as plain text for a terminal or a file, and as the JSON object of ``--json``. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from bot.model import Attachment, Outcome, Reply, Table, Tone

_SIGNS = {Tone.GOOD: "✔", Tone.WARN: "!", Tone.BAD: "✘", Tone.NEUTRAL: "·"}
_WIDEST = 60


def width(text: str) -> int:
    """Columns a terminal uses for ``text``: Korean takes two each."""
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 0 if unicodedata.combining(each) else 1 for each in text)


def padded(text: str, columns: int) -> str:
    """``text`` filled up with spaces."""
    return text + " " * max(0, columns - width(text))


def table_text(table: Table) -> str:
    """A table in fixed width, cells cut where they would make it unreadable."""
    rows = [[_cut(cell) for cell in row] for row in (table.columns, *table.rows)]
    rows = [[*row, *[""] * (len(table.columns) - len(row))][: len(table.columns)] for row in rows]
    widths = [max(width(row[column]) for row in rows) for column in range(len(table.columns))]
    lines = ["  ".join(padded(cell, widths[column]) for column, cell in enumerate(row)).rstrip() for row in rows]
    lines.insert(1, "  ".join("─" * columns for columns in widths))
    return "\n".join([table.title, *lines] if table.title else lines)


def _cut(cell: str) -> str:
    cell = cell.replace("\n", " ")
    return cell if len(cell) <= _WIDEST else cell[: _WIDEST - 1] + "…"


def text(reply: Reply) -> str:
    """The whole reply for a terminal."""
    parts = [f"{_SIGNS[reply.tone]} {reply.title}"]
    if reply.text:
        parts.append(reply.text)
    if reply.fields:
        columns = max(width(name) for name, _ in reply.fields)
        indent = "\n" + " " * (columns + 4)
        parts.append("\n".join(f"  {padded(name, columns)}  {value.replace(chr(10), indent)}" for name, value in reply.fields))
    parts += [table_text(table) for table in reply.tables]
    if reply.code:
        parts.append(reply.code)
    parts += [_file(attachment) for attachment in reply.files]
    parts += [f"[{button.label}] vcc {button.types}" for button in reply.buttons]
    if reply.footer:
        parts.append(reply.footer)
    return "\n".join(parts)


def _file(attachment: Attachment) -> str:
    """Where it is, and what it shows."""
    return "\n  ".join([f"→ {attachment.path}", *attachment.alt.splitlines()])


def as_json(reply: Reply) -> Mapping[str, Any]:
    """What ``--json`` prints."""
    return {
        "outcome": reply.outcome.value,
        "title": reply.title,
        "text": "\n".join(part for part in (reply.text, reply.code) if part),
        "fields": [list(field) for field in reply.fields],
        "tables": [_table(table) for table in reply.tables],
        "files": [{"name": each.name, "path": str(each.path), "media_type": each.media_type, "alt": each.alt} for each in reply.files],
        "buttons": [{"label": button.label, "types": button.types} for button in reply.buttons],
        "ticket": reply.ticket,
        "reference": reply.reference,
        "data": reply.data,
    }


def _table(table: Table) -> Mapping[str, Sequence[Any]]:
    return {"columns": list(table.columns), "rows": [list(row) for row in table.rows]}


def exit_code(reply: Reply) -> int:
    """0 done, 1 failed, 2 usage, 3 refused, 4 waiting for approval."""
    if reply.outcome is Outcome.REFUSED:
        return 2 if isinstance(reply.data, Mapping) and reply.data.get("usage") else 3
    return {Outcome.DONE: 0, Outcome.PENDING: 4}.get(reply.outcome, 1)
