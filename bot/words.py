"""Every sentence for people, in Korean and English, by key. Knows nothing of who reads it or where.

The catalogue is ``locale/<language>/<room>.toml``; the key of a sentence is ``room.name`` with the tables of
the file joined by dots. Values are filled in with ``{name}``; ``{name:을/를}`` picks the Korean particle that
fits the end of the value.
"""

from __future__ import annotations

import string
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("ko", "en")
_LOCALE = Path(__file__).parent / "locale"
# How a Korean speaker reads the last sound of a figure or a Latin letter: True when it ends in a consonant.
_CLOSED_DIGITS = frozenset("013678")
_CLOSED_LETTERS = frozenset("lmnkpc")


def ends_closed(text: str) -> bool:
    """Whether the last sound of ``text`` is a consonant, as a Korean particle wants to know."""
    letters = [letter for letter in text if letter.isalnum()]
    if not letters:
        return False
    last = letters[-1]
    if "가" <= last <= "힣":
        return (ord(last) - ord("가")) % 28 != 0
    return last in _CLOSED_DIGITS if last.isdigit() else last.lower() in _CLOSED_LETTERS


def _ends_in_rieul(text: str) -> bool:
    last = next((letter for letter in reversed(text) if letter.isalnum()), "")
    if "가" <= last <= "힣":
        return (ord(last) - ord("가")) % 28 == 8
    return last in "178l"


def particle(text: str, pair: str) -> str:
    """``text`` with the fitting half of ``pair``: ``을/를``, ``은/는``, ``이/가``, ``과/와`` or ``으로/로``."""
    closed, _, opened = pair.partition("/")
    if closed == "으로" and _ends_in_rieul(text):
        return text + opened
    return text + (closed if ends_closed(text) else opened)


class _Formatter(string.Formatter):
    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        # A value that somebody forgot leaves a hole in the sentence; it must not take the whole answer with it.
        return kwargs.get(str(key), f"{{{key}}}")

    def format_field(self, value: Any, format_spec: str) -> str:
        if "/" in format_spec and "가" <= format_spec[0] <= "힣":
            return particle(str(value), format_spec)
        return str(super().format_field(value, format_spec))


def _flatten(prefix: str, tree: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        key = f"{prefix}.{name}"
        if isinstance(value, Mapping):
            yield from _flatten(key, value)
        else:
            yield key, str(value)


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """All sentences of one language, by key."""
    sentences: dict[str, str] = {}
    for path in sorted((_LOCALE / language).glob("*.toml")):
        sentences.update(_flatten(path.stem, tomllib.loads(path.read_text(encoding="utf-8"))))
    return sentences


Sentences = Callable[[str], Mapping[str, str]]


class Words:
    """The catalogue in one language; calling it says a sentence."""

    def __init__(self, language: str, sentences: Sentences | None = None) -> None:
        if language not in LANGUAGES:
            raise ValueError(language)
        self.language = language
        self._sentences = (sentences or catalogue)(language)
        self._formatter = _Formatter()

    def __call__(self, key: str, /, **values: object) -> str:
        """The sentence of ``key``, filled in. A missing key is said as itself: never silent, never a crash."""
        sentence = self._sentences.get(key)
        if sentence is None:
            return key
        return self._formatter.vformat(sentence, (), values) if values else sentence

    def __contains__(self, key: str) -> bool:
        return key in self._sentences
