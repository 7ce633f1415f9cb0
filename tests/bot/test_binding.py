"""Typed words become typed arguments, or a sentence that names the wrong one."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import binding, line
from bot.command import Between, Command, Duration, Group, Moment, Rest, ServiceName
from bot.context import Context
from bot.errors import Usage
from bot.model import Reply, Risk

group = Group("demo")


@group.command("full", Risk.READ)
async def full(
    ctx: Context,
    service: ServiceName,
    count: Annotated[int, Between(1, 10)] = 5,
    *,
    since: Annotated[Duration, Between(60, 86_400)] = Duration(3_600),
    state: Literal["failed", "waiting"] = "failed",
    dry_run: bool = False,
    note: str | None = None,
) -> Reply:
    """Every kind of parameter but the rest of a line."""
    return Reply("")


@group.command("note", Risk.READ)
async def note(ctx: Context, text: Rest, *, loud: bool = False) -> Reply:
    """The rest of a line."""
    return Reply("")


@group.command("look", Risk.READ)
async def look(ctx: Context, service: ServiceName | None = None, *, since: Moment = Moment("1h")) -> Reply:
    """A moment."""
    return Reply("")


@group.command("pick", Risk.READ)
async def pick(ctx: Context, what: Literal["a", "b", "c", "d", "e", "f", "g", "h", "service"]) -> Reply:
    """More choices than are told."""
    return Reply("")


FULL, NOTE, LOOK, PICK = group.commands


def bound(typed: str, command: Command = FULL) -> dict[str, Any]:
    """The arguments of a typed line."""
    return binding.bind(command, line.split(typed))


def fault(typed: str, command: Command = FULL) -> Usage:
    """What is wrong with a typed line."""
    with pytest.raises(Usage) as usage:
        bound(typed, command)
    return usage.value


def test_what_is_not_typed_has_its_default() -> None:
    assert bound("backend") == {"service": "backend", "count": 5, "since": 3_600, "state": "failed", "dry_run": False, "note": None}


@pytest.mark.parametrize(
    ("typed", "name", "value"),
    [
        ("backend 3", "count", 3),
        ("backend #3", "count", 3),
        ("backend ３", "count", 3),
        ("backend --since 90s", "since", 90),
        ("backend --since=2h", "since", 7_200),
        ("backend --since 30분", "since", 1_800),
        ("backend --since 1시간", "since", 3_600),
        ("backend --since 1D", "since", 86_400),
        ("backend --state WAITING", "state", "waiting"),
        ("--dry-run backend", "dry_run", True),
        ("backend --dry-run=no", "dry_run", False),
        ("backend --DRY-RUN", "dry_run", True),
        ('backend --note "two words"', "note", "two words"),
        ("backend --note=a=b", "note", "a=b"),
        ("-- --backend", "service", "--backend"),
    ],
)
def test_words_and_options_are_read(typed: str, name: str, value: object) -> None:
    assert bound(typed)[name] == value


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ("", "missing"),
        ("backend 3 x", "too_many"),
        ("backend --sinse 2h", "unknown_option"),
        ("backend --since 2h --since 3h", "twice"),
        ("backend --since", "no_value"),
        ("backend --since --dry-run", "no_value"),
        ("backend three", "not_a_number"),
        ("backend 1e3", "not_a_number"),
        ("backend 99999999999999999999", "not_a_number"),
        ("backend 0", "out_of_bounds"),
        ("backend 11", "out_of_bounds"),
        ("backend --since 2", "not_a_duration"),
        ("backend --since 2y", "not_a_duration"),
        ("backend --since -2h", "not_a_duration"),
        ("backend --since 1s", "out_of_bounds"),
        ("backend --state fialed", "not_a_choice"),
        ("backend --dry-run=maybe", "not_a_flag"),
        ('""', "empty"),
        ("a" * 501, "too_long"),
    ],
)
def test_what_is_wrong_is_named(typed: str, key: str) -> None:
    assert fault(typed).key == f"bind.{key}"


def test_a_misspelt_option_is_put_right() -> None:
    assert fault("backend --sinse 2h").values["near"] == "--since"


def test_a_word_that_is_no_choice_gets_all_there_are_the_nearest_first() -> None:
    assert fault("backend --state fialed").values["choices"] == "failed, waiting"
    assert fault("backend --state wating").values["choices"] == "waiting, failed"
    assert fault("backend --state zzz").values["choices"] == "failed, waiting"


def test_of_very_many_choices_the_nearest_and_some_others_are_told() -> None:
    choices = fault("servicee", PICK).values["choices"]
    assert choices == "service, a, b, c, d, e, f, g, …"


def test_the_rest_of_a_line_is_one_word() -> None:
    assert bound("not before  'the backup' --loud", NOTE) == {"text": "not before the backup", "loud": True}
    assert fault("", NOTE).key == "bind.missing"


@pytest.mark.parametrize(
    ("typed", "since", "service"),
    [
        ("", "1h", None),
        ("backend --since 2h", "2h", "backend"),
        ("--since 2026-01-22 10:00 backend", "2026-01-22 10:00", "backend"),
        ("--since 어제 9:30", "어제 9:30", None),
        ('--since="2026-01-22 10:00" backend', "2026-01-22 10:00", "backend"),
    ],
)
def test_a_moment_is_handed_over_as_it_was_typed(typed: str, since: str, service: str | None) -> None:
    assert bound(typed, LOOK) == {"service": service, "since": since}


@pytest.mark.parametrize(
    ("typed", "key"), [("--since soon", "nonsense"), ("--since 25:00", "no_such_time"), ("--since '10:00 x/y'", "unknown_zone")]
)
def test_what_is_no_moment_is_told_before_anything_runs(typed: str, key: str) -> None:
    assert fault(typed, LOOK).key == f"moments.{key}"


@given(st.lists(st.text(max_size=12), max_size=6))
def test_no_words_break_the_binding(words: list[str]) -> None:
    for command in (FULL, NOTE, LOOK):
        with suppress(Usage):
            assert set(binding.bind(command, words)) == {parameter.name for parameter in command.parameters}
