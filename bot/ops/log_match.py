"""What a line must hold to be found: words, or a pattern whose work grows only with the length of the text. Knows no log.

Patterns are RE2's: no look-around, no back-references, and therefore none that hangs.
"""

from __future__ import annotations

import re
from typing import AnyStr

import re2

LONGEST_PATTERN = 500
# A pattern that needs more is tried some thousand ways at every letter: seconds for one long line.
PROGRAM_BYTES = 1 << 16
SEARCH_BYTES = 4 << 30
SEARCH_SECONDS = 60.0
# What a JSON writer may write otherwise than it is.
_ESCAPED = re.compile('[\x00-\x1f\x7f-\x9f"\\\\<>&/\u2028\u2029\ufffd\ud800-\udfff]')


class Matcher:
    """Finds ``text`` as it stands, or as a pattern; in any case of letters unless ``exact_case``. ValueError for what is no pattern.

    ``max_bytes`` of log and ``max_seconds`` are the most that one search may cost; it ends there and says so.
    """

    def __init__(
        self,
        text: str,
        *,
        pattern: bool = False,
        exact_case: bool = False,
        max_bytes: int = SEARCH_BYTES,
        max_seconds: float = SEARCH_SECONDS,
    ) -> None:
        if not text:
            raise ValueError("nothing to look for")
        if len(text) > LONGEST_PATTERN:
            raise ValueError(f"longer than {LONGEST_PATTERN} characters")
        self.max_bytes = max_bytes
        self.max_seconds = max_seconds
        self._compiled = _compiled(text, literal=not pattern, exact_case=exact_case)
        plain = not pattern and not _ESCAPED.search(text)
        self._raw = _compiled(text.encode(), literal=True, exact_case=exact_case) if plain else None

    def matches(self, text: str) -> bool:
        """Whether the line holds it."""
        return self._compiled.search(text) is not None

    def may_be_in(self, raw: bytes) -> bool:
        """Whether these bytes of JSON can hold a match within one string: words stand there as they are, if no escape is due."""
        return self._raw is None or self._raw.search(raw) is not None


def _compiled(text: AnyStr, *, literal: bool, exact_case: bool) -> re2._Regexp[AnyStr]:
    options = re2.Options()
    options.literal = literal
    options.case_sensitive = exact_case
    options.max_mem = PROGRAM_BYTES
    options.log_errors = False
    try:
        return re2.compile(text, options)
    except re2.error as error:
        raise ValueError(_reason(error)) from error


def _reason(error: Exception) -> str:
    told = error.args[0] if error.args else ""
    return told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)
