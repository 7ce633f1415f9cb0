"""A line as people and their phones type it comes out as the words they meant."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import line
from bot.errors import Usage


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("status", "status"),
        ("/vcc status", "status"),
        ("VCC Status", "Status"),
        ("vCc   logs  tail", "logs  tail"),
        ("/status", "status"),
        ("vcc", ""),
        ("/VCC", ""),
        ("vccx status", "vccx status"),
        ("logs —since 2h", "logs --since 2h"),
        ("logs –since 2h", "logs --since 2h"),
        ("logs --since 2h", "logs --since 2h"),
        ("note a — b", "note a — b"),
        ("note a—b", "note a—b"),
        ("note “two words”", 'note "two words"'),
        ("note ‘two words’", "note 'two words'"),
        ("note „deutsch“ «français»", 'note "deutsch" "français"'),
        ("logs\u00a0tail\u3000backend", "logs tail backend"),
        ("  vcc\tstatus\r\n", "status"),
        ("sta\u200btus", "status"),
        ("로그 보기", "로그 보기"),
    ],
)
def test_a_typed_line_is_read_as_it_was_meant(typed: str, meant: str) -> None:
    assert line.normalise(typed) == meant


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ()),
        ("a b", ("a", "b")),
        ('a "b c" d', ("a", "b c", "d")),
        ("'it is' \"\" x", ("it is", "", "x")),
        ('--name="two words"', ("--name=two words",)),
        ("C:\\temp\\n #5 $(rm -rf) `x` ; | & > *", ("C:\\temp\\n", "#5", "$(rm", "-rf)", "`x`", ";", "|", "&", ">", "*")),
    ],
)
def test_words_are_split_as_people_expect_and_no_shell_is_in_it(text: str, words: tuple[str, ...]) -> None:
    assert line.split(text) == words


@pytest.mark.parametrize("text", ['a "b', "it's", "'"])
def test_an_open_quote_is_told(text: str) -> None:
    with pytest.raises(Usage) as usage:
        line.split(text)
    assert usage.value.key == "line.unclosed_quote"


def test_a_line_has_a_greatest_length_and_most_words() -> None:
    assert len(line.split("a " * line.MAX_WORDS)) == line.MAX_WORDS
    with pytest.raises(Usage) as usage:
        line.split("a " * (line.MAX_WORDS + 1))
    assert usage.value.values["count"] == line.MAX_WORDS + 1
    line.normalise("a" * line.MAX_LINE)
    with pytest.raises(Usage) as usage:
        line.normalise("a" * (line.MAX_LINE + 1))
    assert usage.value.key == "line.too_long"


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=20), max_size=10))
def test_words_that_are_joined_split_into_the_same_words(words: list[str]) -> None:
    assert line.split(line.join(words)) == tuple(words)


@given(st.text(alphabet="ab'\" -—\\\t\n“”’", max_size=40))
def test_a_line_that_splits_joins_into_one_that_splits_the_same(text: str) -> None:
    try:
        words = line.split(line.normalise(text))
    except Usage:
        return
    assert line.split(line.join(words)) == words


@given(st.text(max_size=200))
def test_no_text_breaks_the_reading_of_a_line(text: str) -> None:
    with suppress(Usage):
        assert all(isinstance(word, str) for word in line.split(line.normalise(text)))


@pytest.mark.parametrize(
    ("word", "near"),
    [("dsik", "disk"), ("statuss", "status"), ("stauts", "status"), ("statz", "stats"), ("STATUS", "status"), ("zzz", ""), ("", "")],
)
def test_the_nearest_known_word_is_suggested(word: str, near: str) -> None:
    assert line.closest(word, ["status", "stats", "disk"]) == near


def test_only_two_neighbours_in_each_others_place_count_more_than_nearness() -> None:
    assert line.closest("lists", ["slits", "list"]) == "list"
