"""Every sentence exists in both languages with the same holes to fill, and the code asks for none that does not."""

from __future__ import annotations

import ast
import functools
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.words import LANGUAGES, Words, catalogue, particle

ROOT = Path(__file__).parents[2]
# Calls whose first argument is a key; an error's key is said by whoever catches it.
_CALLS = frozenset(
    {"words", "_words", "Words", "Usage", "Forbidden", "Busy", "Conflict", "OutsideError", "VccError", "CannotStart", "Refusal"}
)
# Rooms whose keys are made from the catalogue of commands, from names of people, events and outcomes, or by the settings' checks.
_DERIVED = (".summary", ".param.")


def holes(sentence: str) -> set[str]:
    """The names a sentence wants filled in."""
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


@functools.cache
def _trees() -> tuple[ast.Module, ...]:
    files = [path for folder in ("bot", "commands") for path in sorted((ROOT / folder).rglob("*.py"))]
    return tuple(ast.parse(path.read_text(encoding="utf-8"), str(path)) for path in files)


def _patterns() -> Iterator[str]:
    """Every string in the code that may be a key, those that are put together with their holes open."""
    for tree in _trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "." in node.value and len(node.value) < 100:
                yield re.escape(node.value)
            elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant) and "." in str(node.values[0].value):
                yield "".join(re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".+" for part in node.values)


def _asked(node: ast.Call) -> Iterator[ast.expr]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
    if name in _CALLS and node.args:
        first = node.args[0]
        yield from (first.body, first.orelse) if isinstance(first, ast.IfExp) else (first,)


def _keys() -> Iterator[tuple[str, bool]]:
    """(key or its beginning, whether it is whole) for every sentence that the code asks for in plain sight."""
    for tree in _trees():
        for node in ast.walk(tree):
            for first in _asked(node) if isinstance(node, ast.Call) else ():
                if isinstance(first, ast.Constant) and isinstance(first.value, str) and "." in first.value:
                    yield first.value, True
                elif isinstance(first, ast.JoinedStr) and isinstance(first.values[0], ast.Constant):
                    yield str(first.values[0].value), False


def test_both_languages_have_the_same_sentences() -> None:
    korean, english = (set(catalogue(language)) for language in LANGUAGES)
    assert korean ^ english == set()


def test_both_languages_have_the_same_holes() -> None:
    korean, english = (catalogue(language) for language in LANGUAGES)
    different = {
        key: (holes(korean[key]), holes(english[key]))
        for key in korean.keys() & english.keys()
        if holes(korean[key]) != holes(english[key])
    }
    assert different == {}


def test_no_sentence_is_empty() -> None:
    assert [key for language in LANGUAGES for key, sentence in catalogue(language).items() if not sentence.strip()] == []


def test_every_sentence_the_code_asks_for_exists() -> None:
    known = catalogue("en")
    missing = [key for key, whole in _keys() if not (key in known if whole else any(each.startswith(key) for each in known))]
    assert missing == []


def test_the_walk_through_the_code_finds_what_it_looks_for() -> None:
    found = {key for key, _ in _keys()}
    assert {"dispatch.crashed", "approvals.wrong_code", "permissions.own_request", "cards.state.", "bind.missing"} <= found


def test_no_sentence_is_left_over() -> None:
    said = re.compile("|".join(sorted(set(_patterns()))))
    left = [key for key in catalogue("en") if not said.fullmatch(key) and not any(part in key for part in _DERIVED)]
    assert left == []


@pytest.mark.parametrize(
    ("text", "pair", "said"),
    [
        ("백업", "을/를", "백업을"),
        ("서비스", "을/를", "서비스를"),
        ("백업", "은/는", "백업은"),
        ("사과", "이/가", "사과가"),
        ("금", "과/와", "금과"),
        ("사과", "과/와", "사과와"),
        ("서울", "으로/로", "서울로"),
        ("부산", "으로/로", "부산으로"),
        ("제주", "으로/로", "제주로"),
        ("3", "을/를", "3을"),
        ("2", "을/를", "2를"),
        ("0", "이/가", "0이"),
        ("1", "으로/로", "1로"),
        ("redis", "을/를", "redis를"),
        ("html", "을/를", "html을"),
        ("백업(전체)", "을/를", "백업(전체)를"),
        ("", "을/를", "를"),
        ("…", "은/는", "…는"),
    ],
)
def test_korean_particles_fit_the_last_sound(text: str, pair: str, said: str) -> None:
    assert particle(text, pair) == said


def test_a_particle_stands_behind_its_value_in_a_sentence() -> None:
    words = Words("ko")
    assert words("error.not_found", system="mongodb", name="백업").startswith("mongodb에 백업이 ")
    assert words("error.not_found", system="mongodb", name="사과").startswith("mongodb에 사과가 ")


def test_braces_in_a_value_are_only_text() -> None:
    assert "{number} {0} {a.b}" in Words("en")("cards.warning", text="{number} {0} {a.b}")


def test_a_key_that_does_not_exist_is_said_as_itself() -> None:
    assert Words("en")("no.such", value=1) == "no.such"


def test_a_value_that_somebody_forgot_leaves_a_hole_and_not_silence() -> None:
    assert Words("en")("locks.busy", target="uploads").startswith("uploads is held by ")


def test_there_is_no_third_language() -> None:
    with pytest.raises(ValueError, match="fr"):
        Words("fr")
