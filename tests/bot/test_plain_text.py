"""Foreign text made harmless: what goes, what stays, and that nothing gets longer than allowed."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.plain_text import LONGEST_LINE, harmless, shortened


@pytest.mark.parametrize(
    ("foreign", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]0;never closed\nnext line", "\nnext line"),
        ("\x9b2Jgone", "gone"),
        ("\x1bcreset", "reset"),
        ("a\tb", "a b"),
        ("a\rb\r\nc\x0bd\u2028e", "a\nb\nc\nd\ne"),
        ("bell\x07 back\x08 null\x00", "bell back null"),
        ("user\u202egnp.exe", "usergnp.exe"),
        ("\u2066isolated\u2069 \u200emarked\u061c", "isolated marked"),
        ("zero\u200bwidth\ufeff\u2060\u00ad", "zerowidth"),
        ("hangul\u3164filler\uffa0\u115f", "hangulfiller"),
        ("tag\U000e0041\U000e007f", "tag"),
        ("half \ud83d pair", "half  pair"),
        ("p\u200dassword", "password"),
    ],
)
def test_what_moves_turns_or_hides_is_taken_out(foreign: str, shown: str) -> None:
    assert harmless(foreign) == shown


@pytest.mark.parametrize(
    "text",
    [
        "작업 2번이 실패했습니다: 연결이 거부됨 (ECONNREFUSED)",
        "❌ failed ⚠\ufe0f warning 👨\u200d👩\u200d👧 family 1\ufe0f\u20e3",
        "e\u0301 stays as two, é as one, \u1112\u1161\u11ab as jamo",
        "  indented\n    more",
        "نص عربي",
        "ภาษาไทยที่นี่",
        "a < b & c > d `code` *bold* @everyone",
        "",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert harmless(text) == text


def test_a_pile_of_marks_is_cut_down_and_its_letter_kept() -> None:
    cleaned = harmless("z" + "\u0338" * 500 + "algo")
    assert cleaned.startswith("z")
    assert cleaned.endswith("algo")
    assert len(cleaned) < 12


def test_too_long_a_text_says_how_much_is_missing() -> None:
    assert harmless("가" * 100, limit=20) == "가" * 13 + "…(+87)"
    assert harmless("b" * 20, limit=20) == "b" * 20


def test_too_long_a_line_is_cut_alone_and_its_neighbours_stay() -> None:
    cleaned = harmless("first\n" + "x" * 5000 + "\nlast", limit=10_000).split("\n")
    assert cleaned[0] == "first"
    assert cleaned[2] == "last"
    assert len(cleaned[1]) == LONGEST_LINE
    assert cleaned[1].endswith("…(+4008)")


def test_without_newlines_it_is_one_line_and_its_inner_spaces_stay() -> None:
    assert harmless(" clean  files\r\n --older 3d\n\n", newlines=False) == "clean  files --older 3d"


def test_a_cut_never_parts_a_letter_from_its_marks() -> None:
    text = "a" * 10 + "e\u0301" + "b" * 30
    assert shortened(text, 17) == "a" * 10 + "…(+32)"


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=())), st.integers(min_value=0, max_value=60), st.booleans())
def test_whatever_comes_in_what_goes_out_is_short_plain_and_settled(text: str, limit: int, newlines: bool) -> None:
    cleaned = harmless(text, limit=limit, newlines=newlines)
    assert len(cleaned) <= limit
    assert not [letter for letter in cleaned if unicodedata.category(letter) in ("Cc", "Cs") and letter != "\n"]
    assert not set(cleaned) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\ufeff")
    assert newlines or "\n" not in cleaned
    assert harmless(cleaned, limit=limit, newlines=newlines) == cleaned
    cleaned.encode("utf-8")


@pytest.mark.parametrize("unit", ["\x1b[", "\x1b]", "\x1b", "\x9b", "\u200d", "e\u0301", " ", "\r", "\ufe0f"])
def test_a_hostile_line_costs_in_proportion_to_its_length(unit: str) -> None:
    short, long = unit * (250_000 // len(unit)), unit * (1_000_000 // len(unit))

    def cost(text: str) -> float:
        best = 60.0
        for _ in range(3):
            started = time.process_time()
            harmless(text)
            best = min(best, time.process_time() - started)
        return max(best, 0.005)

    # Four times the text: about 4 when linear, 16 when quadratic.
    assert cost(long) / cost(short) < 10
