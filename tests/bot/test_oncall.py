"""Who is on call, read from data: turns, their hand-over at the same time of day, the line-up, and what is wrong in a file."""

from __future__ import annotations

import tomllib
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from bot.model import Account
from bot.oncall import Contact, Override, Roster, Shift, parse, shift_at
from bot.team_files import SHIPPED, Fault, _problem
from bot.words import Words

SEOUL, BERLIN = "Asia/Seoul", "Europe/Berlin"
THREE = """
order = ["lee", "kim", "choi"]
escalate_after = "10m"
[[contact]]
name = "kim"
accounts = ["slack:U1", "discord:2"]
phone = "010"
[[contact]]
name = "lee"
mail = "lee@example.org"
[[contact]]
name = "choi"
accounts = ["slack:U3"]
"""
TURNS = THREE + '[rotation]\nstart = 2026-01-05 09:00:00\norder = ["kim", "lee"]\n'


def roster(text: str, zone: str = SEOUL) -> Roster:
    return parse(tomllib.loads(text), zone)


def at(text: str, zone: str = SEOUL) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def names(contacts: tuple[Contact, ...]) -> list[str]:
    return [each.name for each in contacts]


def test_the_shipped_file_names_nobody() -> None:
    assert parse(tomllib.loads((SHIPPED / "oncall.toml").read_text()), SEOUL) == Roster()


def test_the_example_in_the_shipped_file_is_itself_a_good_file() -> None:
    lines = (SHIPPED / "oncall.toml").read_text().splitlines()
    example = "\n".join(line.removeprefix("# ") for line in lines[lines.index('# order = ["kim", "lee"]') :])
    assert names(roster(example).contacts) == ["kim", "lee"]


def test_without_turns_the_first_of_the_order_is_on_call() -> None:
    found = roster(THREE)
    assert found.turn(at("2026-01-05T09:00")) == (found.named("LEE"), None)
    assert found.named("kim") == Contact("kim", (Account("slack", "U1"), Account("discord", "2")), "", "010")
    assert found.escalate_after == 600


@pytest.mark.parametrize(
    ("moment", "name", "until"),
    [
        ("2026-01-05T09:00", "kim", "2026-01-12T09:00"),
        ("2026-01-12T08:59", "kim", "2026-01-12T09:00"),
        ("2026-01-12T09:00", "lee", "2026-01-19T09:00"),
        ("2026-01-04T09:00", "lee", "2026-01-05T09:00"),
        ("2027-01-04T09:00", "kim", "2027-01-11T09:00"),
    ],
)
def test_turns_follow_each_other_also_before_the_first(moment: str, name: str, until: str) -> None:
    contact, ends = roster(TURNS).turn(at(moment))
    assert (contact.name if contact else None, ends) == (name, at(until))


def test_turns_are_handed_over_at_the_same_time_of_day_when_the_clocks_change() -> None:
    _, ends = roster(TURNS, BERLIN).turn(at("2026-03-28T12:00", BERLIN))
    assert ends == at("2026-03-30T09:00", BERLIN)
    assert roster(TURNS, BERLIN).turn(at("2026-03-30T09:00", BERLIN))[0] != roster(TURNS, BERLIN).turn(at("2026-03-30T08:59", BERLIN))[0]


def test_the_line_up_begins_with_who_is_on_call_and_goes_round_once() -> None:
    found = roster(THREE)
    kim, stranger = found.named("kim"), Contact("vera", (Account("slack", "V"),))
    assert kim is not None
    assert names(found.line_up(kim)) == ["kim", "choi", "lee"]
    assert names(found.line_up(stranger)) == ["vera", "lee", "kim", "choi"]


def test_an_override_holds_until_its_end() -> None:
    found, vera = roster(TURNS), Contact("vera")
    now = at("2026-01-06T10:00")
    assert shift_at(now, found, Override(vera, "ada", now, now + 60)) == Shift(vera, now + 60, "ada")
    assert shift_at(now + 60, found, Override(vera, "ada", now, now + 60)) == Shift(found.contacts[0], at("2026-01-12T09:00"))
    assert shift_at(now, Roster(), None) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[contact]]\nname = "a"\n', "a: accounts or mail"),
        ('[[contact]]\nname = "a"\naccounts = ["slack-group:S1"]\n', "slack-group:S1"),
        ('[[contact]]\nname = "a"\naccounts = ["nonsense"]\n', "nonsense"),
        ('[[contact]]\nname = "a"\nmail = "a@b.kr"\n[[contact]]\nname = "A"\nmail = "a@b.kr"\n', "stands there twice: a"),
        ('order = ["a"]\n', "no [[contact]] has this name: a"),
        ('escalate_after = "10s"\n', "10s"),
        ("escalate_after = 15\n", "15"),
        ('[rotation]\nstart = 2026-01-05\norder = ["x"]\n', "x"),
        ("[rotation]\norder = []\n", "rotation"),
        ('[[contact]]\nname = "a"\nmail = "a b@c"\n', "contact #1 mail"),
        ("colour = 1\n", "colour"),
    ],
)
def test_what_is_wrong_is_named(text: str, says: str) -> None:
    with pytest.raises(ValidationError) as wrong:
        roster(text)
    told = Fault("oncall.toml", tuple(map(_problem, wrong.value.errors()))).sentence(Words("en"))
    assert says in told
    assert "oncall.data" not in told


def test_in_the_hour_that_comes_twice_a_turn_ends_once() -> None:
    found = roster(TURNS.replace("09:00:00", "02:30:00").replace("2026-01-05", "2026-10-18"), BERLIN)
    first = at("2026-10-25T02:30", BERLIN)
    names_of = [getattr(found.turn(first + minutes * 60)[0], "name", "") for minutes in range(-30, 120, 10)]
    assert names_of == ["kim"] * 3 + ["lee"] * 12
    assert found.turn(first - 1)[1] == first
