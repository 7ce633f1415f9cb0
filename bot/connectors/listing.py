"""What the chat renderers say alike, whatever the platform: marks in colour, and a table too wide for a phone as a list. Pure.

Escapes nothing and cuts nothing: each renderer does that in its own way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from bot.connectors import plain
from bot.model import Reply, Table

# A code block of more columns breaks its lines on a phone.
WIDEST_TABLE = 40
# The signs a terminal shows. In a chat some of them would be drawn as pictures and some not: the worst ones the faintest.
_MARKS = {"✘": "❌", "✔": "✅", "!": "⚠️", "?": "❓", "☐": "⬜"}
_MARK = re.compile(r"(?m)[✘✔☐]|(?:^|(?<=\d ))[!?](?=[ \d]|$)")
_NOTHING = ("", "-")


def painted(reply: Reply) -> Reply:
    """The same reply with its marks in colour, but for what stands in fixed width: that is quoted."""
    return replace(
        reply,
        text=_painted(reply.text),
        fields=tuple((name, _painted(value)) for name, value in reply.fields),
        tables=tuple(replace(table, rows=tuple(tuple(map(_painted, row)) for row in table.rows)) for table in reply.tables),
    )


def _painted(text: str) -> str:
    return _MARK.sub(lambda found: _MARKS[found[0]], text)


def is_wide(table: Table) -> bool:
    """Whether it would break on a phone, drawn in fixed width."""
    drawn = plain.table_text(replace(table, title="")) if table.columns else ""
    return max((plain.width(line) for line in drawn.split("\n")), default=0) > WIDEST_TABLE


def entries(table: Table) -> Iterator[tuple[str, str]]:
    """Each row as what it is about and the rest of it in one line, each value with its name, without the empty ones.

    A first column without a name holds a mark; where only one value is left its name says nothing. Rows are as long as the columns.
    """
    marked = bool(table.columns) and table.columns[0].strip() in _NOTHING and len(table.columns) > 1
    start = 2 if marked else 1
    named = len(table.columns) > start + 1
    for row in table.rows:
        head = " ".join(cell for cell in row[:start] if cell.strip()) or "-"
        cells = zip(table.columns[start:], row[start:], strict=False)
        rest = [f"{name} {cell}" if named else cell for name, cell in cells if cell.strip() not in _NOTHING]
        yield _one_line(head), _one_line(" · ".join(rest))


def _one_line(text: str) -> str:
    return " ".join(text.splitlines())
