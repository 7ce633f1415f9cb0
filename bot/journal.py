"""Our own log: one JSON object a line, redacted, in the state directory and on stderr; rotated, bounded."""

from __future__ import annotations

import datetime
import json
import logging
import logging.handlers
import sys
from pathlib import Path

from bot.errors import RecordUnwritable
from bot.redact import Redactor

_BYTES = 5_000_000
_FILES = 5


class _JsonLines(logging.Formatter):
    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "at": datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "from": record.name,
            "text": self._redactor.text(record.getMessage()),
        }
        if record.exc_info:
            entry["trace"] = self._redactor.text(self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=False)


def begin(home: Path, redactor: Redactor, *, quiet: bool) -> logging.Logger:
    """Write the log from now on; ``quiet`` keeps stderr for errors only. Returns the root, whose handlers ``end`` closes.

    RecordUnwritable when the directory cannot be written.
    """
    root = logging.getLogger()
    root.setLevel(logging.INFO)
    path = home / "log" / "vcc.log"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = logging.handlers.RotatingFileHandler(path, maxBytes=_BYTES, backupCount=_FILES, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise RecordUnwritable(str(error)) from error
    screen = logging.StreamHandler(sys.stderr)
    screen.setLevel(logging.ERROR if quiet else logging.INFO)
    for handler in (file, screen):
        handler.setFormatter(_JsonLines(redactor))
        root.addHandler(handler)
    return root


def end(root: logging.Logger) -> None:
    """Close what ``begin`` opened."""
    for handler in tuple(root.handlers):
        if isinstance(handler.formatter, _JsonLines):
            root.removeHandler(handler)
            handler.close()
