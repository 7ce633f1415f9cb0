"""Our own log: JSON lines, redacted, bounded, and closed again."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from bot import journal
from bot.errors import RecordUnwritable
from bot.redact import Redactor
from tests.bot.demo import SECRET


def test_every_line_is_an_object_without_secrets(tmp_path: Path) -> None:
    root = journal.begin(tmp_path, Redactor(), quiet=True)
    try:
        logging.getLogger("vcc.test").warning("lost %s\nsecond line", SECRET)
        try:
            raise ValueError(SECRET)
        except ValueError:
            logging.getLogger("vcc.test").exception("boom \ud800")
    finally:
        journal.end(root)
    text = (tmp_path / "log" / "vcc.log").read_text(encoding="utf-8")
    first, second = (json.loads(line) for line in text.splitlines())
    assert (first["level"], first["from"]) == ("warning", "vcc.test")
    assert first["text"].endswith("second line")
    assert "ValueError" in second["trace"]
    assert "hunter22" not in text


def test_a_quiet_log_leaves_the_terminal_to_the_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = journal.begin(tmp_path, Redactor(), quiet=True)
    try:
        logging.getLogger("vcc.test").warning("not on the terminal")
        logging.getLogger("vcc.test").error("on the terminal")
    finally:
        journal.end(root)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "not on the terminal" not in printed.err
    assert "on the terminal" in printed.err


def test_what_began_ends(tmp_path: Path) -> None:
    before = list(logging.getLogger().handlers)
    journal.end(journal.begin(tmp_path, Redactor(), quiet=True))
    assert logging.getLogger().handlers == before


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("in the way", encoding="utf-8")
    with pytest.raises(RecordUnwritable):
        journal.begin(tmp_path, Redactor(), quiet=True)
