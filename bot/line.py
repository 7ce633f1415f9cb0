"""A line as people type it, to words: prefix, curly quotes and long dashes of phones, quoting. Knows no command."""

from __future__ import annotations

import difflib
import re
import shlex
from collections.abc import Iterable

from bot.errors import Usage
from bot.plain_text import harmless

MAX_LINE = 2_000
MAX_WORDS = 40
_LONGEST_NOTE = 900
_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "‚": "'", "\u00a0": " ", "\u3000": " "})
_LONG_DASH = re.compile(r"(?:^|(?<=\s))[—–―−](?=\w)")
_PREFIX = re.compile(r"^\s*/?vcc(?=\s|$)", re.IGNORECASE)


def normalise(text: str) -> str:
    """The line without prefix and without the signs a phone puts in on its own; Usage when it is too long."""
    if len(text) > MAX_LINE:
        raise Usage("line.too_long", length=len(text), limit=MAX_LINE)
    text = _LONG_DASH.sub("--", text.translate(_QUOTES))
    text = harmless(text, limit=MAX_LINE, newlines=False)
    text = _PREFIX.sub("", text, count=1).strip()
    return text.removeprefix("/").strip()


def split(text: str) -> tuple[str, ...]:
    """The words of a normalised line. Quotes group; a backslash is just a backslash. Usage on an unclosed quote."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = ""
    lexer.escape = ""
    try:
        words = tuple(lexer)
    except ValueError as error:
        raise Usage("line.unclosed_quote") from error
    if len(words) > MAX_WORDS:
        raise Usage("line.too_many_words", count=len(words), limit=MAX_WORDS)
    return words


def join(words: Iterable[str]) -> str:
    """Words back to a line that splits into the same words."""
    return " ".join(_quoted(word) for word in words)


def note_line(text: str) -> str:
    """The line that keeps foreign text as a note of an incident, whatever quotes and dashes are in it."""
    return join(("incident", "note", "--", harmless(text, limit=_LONGEST_NOTE, newlines=False).translate(_QUOTES)))


def _quoted(word: str) -> str:
    if word and not re.search(r"[\s'\"]", word):
        return word
    # A word with both kinds of quotes is written in pieces that stand side by side.
    return "".join(f"'{piece}'" if '"' in piece else f'"{piece}"' for piece in re.findall(r'"+|[^"]+', word)) or '""'


def closest(word: str, known: Iterable[str]) -> str:
    """The known word somebody who typed ``word`` meant; empty when none is near. Two letters in each other's place are likeliest."""
    folded = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.lower(), folded, n=3, cutoff=0.6)
    found.sort(key=lambda each: not _swapped(each, word.lower()))
    return folded[found[0]] if found else ""


def _swapped(one: str, other: str) -> bool:
    """Whether nothing but two neighbours changed places."""
    wrong = [place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]]
    return len(one) == len(other) and len(wrong) == 2 and other == one[: wrong[0]] + one[wrong[1]] + one[wrong[0]] + one[wrong[1] + 1 :]
