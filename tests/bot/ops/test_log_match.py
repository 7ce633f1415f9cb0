"""What is searched for is found in time linear in the text, and what is no pattern is refused with its reason."""

from __future__ import annotations

import time

import pytest

from bot.ops.log_match import LONGEST_PATTERN, Matcher


@pytest.mark.parametrize(
    ("matcher", "text", "matches"),
    [
        (Matcher("a.b"), "A.B", True),
        (Matcher("a.b"), "axb", False),
        (Matcher("작업"), "작업 1 완료", True),
        (Matcher("Ab", exact_case=True), "ab", False),
        (Matcher(r"job \d+$", pattern=True), "Job 12", True),
        (Matcher(r"job \d+$", pattern=True), "Job 12 x", False),
    ],
)
def test_words_are_words_and_patterns_patterns(matcher: Matcher, text: str, matches: bool) -> None:
    assert matcher.matches(text) is matches


@pytest.mark.parametrize("text", ["(", r"(?=x)", r"\1", "a{1001}", "((a{100}){100}){100}", "[", "*"])
def test_what_is_no_pattern_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Matcher(text, pattern=True)


@pytest.mark.parametrize("text", ["", "x" * (LONGEST_PATTERN + 1)])
def test_too_little_and_too_much_are_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Matcher(text)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", "(.*)*(.*)*(.*)*x", "(x+x+)+y"])
def test_no_pattern_hangs(pattern: str) -> None:
    matcher, begun = Matcher(pattern, pattern=True), time.thread_time()
    assert matcher.matches("a" * 50_000 + "!" + "x" * 10_000) in (True, False)
    assert time.thread_time() - begun < 5  # a backtracking engine needs longer than the universe has
