"""Bad commands stop the start, all named at once; a line finds its command, or the nearest name."""

from __future__ import annotations

import pytest

from bot.command import Duration, Group, Rest
from bot.context import Context
from bot.errors import Misconfigured, Usage
from bot.model import Plan, Reply, Risk, Role
from bot.registry import Registry, discover
from bot.testing.bot import with_words, words_of
from commands import help
from tests.bot.demo import Demo


def registry(*groups: Group) -> Registry:
    """These groups, and help."""
    return Registry((help.group, *groups), with_words(words_of(groups)))


async def nothing(ctx: Context) -> Reply:
    """Nothing."""
    return Reply("")


async def plan_nothing(ctx: Context) -> Plan:
    """Nothing."""
    return Plan("", "", (), (), True, "")


async def rest_first(ctx: Context, text: Rest, more: str) -> Reply:
    """Wrong: the rest of a line is not last."""
    return Reply("")


def faults(*groups: Group, words: bool = True) -> str:
    """What stops the start."""
    with pytest.raises(Misconfigured) as refusal:
        Registry((help.group, *groups), with_words(words_of(groups) if words else {}))
    return "\n".join(refusal.value.faults)


def test_every_command_of_the_house_is_well() -> None:
    assert len(list(Registry(discover()))) >= 9


def test_all_faults_are_told_at_once_and_by_name() -> None:
    group = Group("bad", default="gone")
    group.command("one", Risk.READ)(nothing)
    group.command("two", Risk.READ, examples=("bad two",))(rest_first)
    group.command("one", Risk.READ, examples=("bad one",))(nothing)
    told = faults(group)
    assert "bad one: has no example" in told
    assert "bad two: only the last word may take the rest of the line" in told
    assert "bad one: declared twice" in told
    assert "bad: its default 'gone' is not one of its commands" in told


def test_a_command_without_words_is_told_in_both_languages() -> None:
    group = Group("bad")
    group.command("one", Risk.READ, examples=("bad one",))(nothing)
    told = faults(group, words=False)
    assert "'bad.one.summary' in ko" in told
    assert "'bad.one.summary' in en" in told


def test_a_risky_command_without_a_plan_is_told() -> None:
    group = Group("bad")
    group.command("one", Risk.RISKY, examples=("bad one",))(nothing)
    assert "bad one: risky, so it needs a plan and an apply" in faults(group)


def test_an_alias_that_is_taken_is_told() -> None:
    group = Group("bad")
    group.command("one", Risk.READ, examples=("bad one",))(nothing)
    group.risky("two", plan_nothing, examples=("bad two",), aliases=("bad one",))(nothing)
    assert "bad one: declared twice" in faults(group)


def test_two_modules_with_one_group_are_told() -> None:
    one, two = Group("same"), Group("same")
    one.command("one", Risk.READ, examples=("same one",))(nothing)
    two.command("two", Risk.READ, examples=("same two",))(nothing)
    assert "same: two modules declare this group" in faults(one, two)


def test_a_type_we_have_no_words_for_is_refused_at_once() -> None:
    async def odd(ctx: Context, it: dict[str, str]) -> Reply:
        return Reply("")

    with pytest.raises(TypeError, match="it"):
        Group("bad").command("odd", Risk.READ)(odd)


@pytest.mark.parametrize(
    ("typed", "path", "rest"),
    [
        ("demo change a", "demo change", ("a",)),
        ("DEMO Change A", "demo change", ("A",)),
        ("wipe", "demo wipe", ()),
        ("demo", "demo read", ()),
        ("demo something", "demo read", ("something",)),
        ("demo --word x", "demo read", ("--word", "x")),
        ("help demo", "help", ("demo",)),
        ("", "help", ()),
    ],
)
def test_a_line_finds_its_command(typed: str, path: str, rest: tuple[str, ...]) -> None:
    command, words = registry(Demo().group).resolve(typed.split())
    assert (command.name, tuple(words)) == (path, rest)


@pytest.mark.parametrize(("typed", "near"), [("demmo read", "demo"), ("hlep", "help"), ("zzz", "help"), ("demo chagne a", "demo change")])
def test_a_misspelt_command_is_put_right(typed: str, near: str) -> None:
    with pytest.raises(Usage) as usage:
        registry(Demo().group).resolve(typed.split())
    assert (usage.value.key, usage.value.values["near"]) == ("registry.unknown", near)


def test_a_group_without_a_default_says_what_may_follow() -> None:
    group = Group("bare")
    group.command("one", Risk.READ, examples=("bare one",))(nothing)
    with pytest.raises(Usage) as usage:
        registry(group).resolve(["bare"])
    assert usage.value.values == {"group": "bare", "names": "one"}


def test_the_listing_tells_all_that_another_program_needs() -> None:
    listing = {each["path"]: each for each in registry(Demo().group).listing("en")}
    assert listing["demo change"] == {
        "path": "demo change",
        "summary": "demo.change.summary",
        "risk": "change",
        "role": "operator",
        "parameters": [
            {
                "name": "target",
                "type": "text",
                "option": False,
                "required": True,
                "default": None,
                "choices": [],
                "summary": "demo.change.param.target",
            }
        ],
        "examples": ["demo change a"],
    }
    assert listing["wipe"]["risk"] == "risky"
    assert listing["demo boss"]["role"] == "admin"


def test_the_role_follows_from_the_risk_unless_it_is_said() -> None:
    roles = {command.name: command.role for command in registry(Demo().group)}
    assert [roles[name] for name in ("demo read", "demo change", "demo wipe", "demo boss")] == [
        Role.VIEWER,
        Role.OPERATOR,
        Role.OPERATOR,
        Role.ADMIN,
    ]


def test_a_duration_is_listed_as_one() -> None:
    async def wait(ctx: Context, *, after: Duration = Duration(60)) -> Reply:
        return Reply("")

    group = Group("later")
    group.command("wait", Risk.READ, examples=("later wait",))(wait)
    (listed,) = (each for each in registry(group).listing("ko") if each["path"] == "later wait")
    assert listed["parameters"][0]["type"] == "duration"
