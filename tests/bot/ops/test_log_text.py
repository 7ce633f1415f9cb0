"""A log line made fit to show: wherever it is cut, no part of a secret is left standing."""

from __future__ import annotations

import pytest

from bot.ops.log_text import LOOK_AT, LogText

PASSWORD = "deadbeefcafebabe0123456789abcdef"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJpZCI6IjY1YTAwMDAwMDAwMDAwMCIsImlzcyI6InZjYyJ9.c2FuZGJveC1wbGFudGVkLXNpZ25hdHVyZQ"
LEAKS = (f"Connecting to Redis: redis://:{PASSWORD}@redis:6379", f"got {TOKEN} from", f'{{"password":"{PASSWORD}"}}')


@pytest.mark.parametrize("leak", LEAKS)
@pytest.mark.parametrize("limit", [20, 40, 60, 80])
def test_no_part_of_a_secret_is_left_where_a_line_is_shortened(leak: str, limit: int) -> None:
    shown = LogText(()).line(leak + " x" * 60, limit)
    assert len(shown) <= limit
    assert PASSWORD[:8] not in shown
    assert TOKEN[:24] not in shown


@pytest.mark.parametrize("leak", LEAKS)
def test_no_part_of_a_secret_is_left_where_a_reader_cut_the_line(leak: str) -> None:
    for inside in range(10, len(leak)):
        text = ("x " * LOOK_AT)[: LOOK_AT - inside] + leak
        shown = LogText(()).line(text[:LOOK_AT])
        assert PASSWORD[:8] not in shown
        assert TOKEN[:24] not in shown


def test_a_text_that_is_one_long_word_loses_its_end() -> None:
    assert len(LogText(()).line("y" * LOOK_AT)) < LOOK_AT


def test_a_line_stays_one_line_and_harmless() -> None:
    assert LogText(()).line("a\x1b[31mb\nc\u202ed") == "ab cd"


def test_a_whole_line_keeps_its_length_and_loses_its_secrets() -> None:
    line = f"{'word ' * 1_000}redis://:hunter2secret@redis:6379 end"
    assert LogText(()).whole(line, cut=False) == f"{'word ' * 1_000}{LogText(()).line('redis://:hunter2secret@redis:6379')} end"


def test_of_a_line_that_was_cut_the_last_word_goes_as_it_may_be_half_a_secret() -> None:
    assert LogText(("hunter2-the-whole-secret",)).whole(f"{'word ' * 1_000}hunter2-the-whole", cut=True) == ("word " * 1_000).rstrip()
