"""Discord's forms and mentions as typed lines: what was filled in is what the command is given, and nothing else."""

from __future__ import annotations

from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import line
from bot.binding import bind
from bot.command import Between, Command, Duration, Group, Rest
from bot.connectors.discord_lines import mentioned, typed
from bot.context import Context
from bot.model import Reply, Risk
from bot.plain_text import harmless


def command_of() -> Command:
    group = Group("try")

    @group.command("one", Risk.READ, examples=("try one",))
    async def one(ctx: Context, name: str, rest: Rest = Rest(""), *, most_lines: Annotated[int, Between(1, 9)] = 5,
                  since: Duration = Duration(60.0), deep: bool = True, tag: str = "") -> Reply:  # fmt: skip
        return Reply("one")

    return group.commands[0]


COMMAND = command_of()
# What a form's text field can hold, and what survives the cleaning of every line.
VALUES = (
    st.text(st.characters(exclude_characters="“”„«»‘’‚—–―−\u00a0\u3000"), max_size=60)
    .map(lambda text: harmless(text, limit=400, newlines=False).strip())
    .filter(bool)
)


def given_back(**values: object) -> dict[str, object]:
    words = line.split(line.normalise(typed(("try", "one"), COMMAND, values)))
    assert words[:2] == ("try", "one")
    return bind(COMMAND, words[2:])


def test_a_form_reads_like_a_line_somebody_would_type() -> None:
    values = {"name": "backend", "rest": "two words", "most_lines": 7, "since": "2h", "deep": False, "tag": None}
    assert typed(("try", "one"), COMMAND, values) == 'try one backend "two words" --most-lines 7 --since 2h --deep=no'


def test_options_left_out_keep_their_defaults() -> None:
    assert given_back(name="x") == {"name": "x", "rest": "", "most_lines": 5, "since": 60.0, "deep": True, "tag": ""}


@given(VALUES, VALUES, VALUES)
def test_every_value_comes_back_as_it_was_filled_in(name: str, rest: str, tag: str) -> None:
    assert given_back(name=name, rest=rest, tag=tag) == {**given_back(name="x"), "name": name, "rest": rest, "tag": tag}


def test_curly_quotes_of_a_phone_become_straight_ones() -> None:
    assert given_back(name="it’s “so”")["name"] == 'it\'s "so"'


@pytest.mark.parametrize("value", ["--deep=no", "--tag x", "—tag", "a' --deep=no \"b", "'", '"', '"\'"', "--"])
def test_a_value_is_never_taken_for_an_option(value: str) -> None:
    found = given_back(name=value, rest="r")
    assert (found["deep"], found["tag"], found["rest"]) == (True, "", "r")
    assert given_back(name="n", tag=value)["deep"] is True


def test_a_mention_at_the_beginning_makes_a_line() -> None:
    assert mentioned("<@7> status", "7") == "status"
    assert mentioned("  <@!7>\n logs errors", "7") == "logs errors"
    assert mentioned("<@7>", "7") == ""
    assert mentioned("<@7> whoami <@8> <#9> <:x:1>", "7") == "whoami @8 #9 :x:1"


def test_talk_about_us_is_no_line() -> None:
    assert mentioned("hey <@7> status", "7") is None
    assert mentioned("<@77> status", "7") is None
    assert mentioned("status", "7") is None
