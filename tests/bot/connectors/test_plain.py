"""A reply as plain text and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.connectors import plain
from bot.model import Attachment, Button, Outcome, Reply, Table, Tone

REPLY = Reply(
    "백업 완료",
    "All is well.",
    tone=Tone.GOOD,
    fields=(("크기", "3 MiB"), ("Files", "2")),
    tables=(Table(("이름", "n"), (("가나다", "1"), ("ab", "22")), "Files"),),
    code="raw",
    files=(Attachment("a.txt", Path("files/a.txt")), Attachment("b.png", Path("files/b.png"), "image/png", "CPU 44%\nredis 2%")),
    buttons=(Button("Approve", "approve 1"),),
    footer="R-1",
    reference="R-1",
    ticket=4,
    data={"n": 1},
)


def test_a_reply_is_readable_in_a_terminal() -> None:
    assert plain.text(REPLY).splitlines() == [
        "✔ 백업 완료",
        "All is well.",
        "  크기   3 MiB",
        "  Files  2",
        "Files",
        "이름    n",
        "──────  ──",
        "가나다  1",
        "ab      22",
        "raw",
        "→ files/a.txt",
        "→ files/b.png",
        "  CPU 44%",
        "  redis 2%",
        "[Approve] vcc approve 1",
        "R-1",
    ]


def test_a_long_cell_is_cut_and_stays_on_its_line() -> None:
    lines = plain.table_text(Table(("a", "b"), (("x\ny", "z" * 100),))).splitlines()
    assert len(lines) == 3
    assert lines[2].startswith("x y  zzz")
    assert lines[2].endswith("…")


def test_a_table_without_rows_has_its_head() -> None:
    assert plain.table_text(Table(("a", "b"), ())).splitlines() == ["a  b", "─  ─"]


@pytest.mark.parametrize(("text", "columns"), [("abc", 3), ("가나", 4), ("e\u0301", 1), ("", 0), ("ａ", 2)])
def test_korean_is_two_columns_wide(text: str, columns: int) -> None:
    assert plain.width(text) == columns
    assert plain.width(plain.padded(text, 10)) == 10


def test_the_json_object_has_every_promised_field() -> None:
    said = json.loads(json.dumps(plain.as_json(REPLY)))
    assert said == {
        "outcome": "done",
        "title": "백업 완료",
        "text": "All is well.\nraw",
        "fields": [["크기", "3 MiB"], ["Files", "2"]],
        "tables": [{"columns": ["이름", "n"], "rows": [["가나다", "1"], ["ab", "22"]]}],
        "files": [
            {"name": "a.txt", "path": "files/a.txt", "media_type": "text/plain", "alt": ""},
            {"name": "b.png", "path": "files/b.png", "media_type": "image/png", "alt": "CPU 44%\nredis 2%"},
        ],
        "buttons": [{"label": "Approve", "types": "approve 1"}],
        "ticket": 4,
        "reference": "R-1",
        "data": {"n": 1},
    }


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(""), 0),
        (Reply("", outcome=Outcome.FAILED), 1),
        (Reply("", outcome=Outcome.CRASHED), 1),
        (Reply("", outcome=Outcome.INTERRUPTED), 1),
        (Reply("", outcome=Outcome.REFUSED, data={"usage": True}), 2),
        (Reply("", outcome=Outcome.REFUSED, data={"usage": False}), 3),
        (Reply("", outcome=Outcome.REFUSED), 3),
        (Reply("", outcome=Outcome.PENDING), 4),
    ],
)
def test_the_exit_code_tells_how_it_ended(reply: Reply, code: int) -> None:
    assert plain.exit_code(reply) == code
