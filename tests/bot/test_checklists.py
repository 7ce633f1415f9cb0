"""What a figure and an answer mean for an item; a team's own lists, and what is said of one that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bot.checklists import WORST_FIRST, Checklists, Item, Take, Verdict, figure_of, judged, parse, worse_of
from bot.line import split
from bot.model import Outcome, Reply, Risk, Tone
from bot.registry import Registry, discover
from bot.team_files import SHIPPED, TeamFile
from bot.words import Words

FILE = "checklists.toml"
TITLE = {"ko": "디스크", "en": "Disk"}
DATA = {"disks": [{"percent": 40, "path": "/"}, {"percent": 91.5, "path": "/data"}], "empty": [], "backup": None, "on": True}


def item(**more: Any) -> Item:
    return Item.model_validate({"id": "disk", "title": TITLE, "line": "disk", **more})


def answer(tone: Tone = Tone.GOOD, outcome: Outcome = Outcome.DONE, data: Any = DATA) -> Reply:
    return Reply("answer", tone=tone, outcome=outcome, data=data)


@pytest.mark.parametrize(
    ("path", "take", "value"),
    [
        ("disks[*].percent", "max", 91.5),
        ("disks[*].percent", "min", 40),
        ("disks[*].percent", "sum", 131.5),
        ("disks[*].path", "count", 2),
        ("disks[*].path", "max", None),
        ("empty[*].percent", "count", 0),
        ("empty[*].percent", "sum", 0),
        ("empty[*].percent", "max", None),
        ("nowhere[*].percent", "count", None),
        ("backup.age", "max", None),
        ("on", "max", None),
    ],
)
def test_a_figure_is_taken_out_of_an_answer(path: str, take: Take, value: float | None) -> None:
    assert figure_of(DATA, path, take) == value


def test_an_answer_that_is_a_list_is_walked_from_its_root() -> None:
    queues = [{"waiting": 3, "paused": 0}, {"waiting": 0, "paused": 4}]
    assert figure_of(queues, "[*].waiting", "sum") == 3
    assert figure_of(queues, "[*].waiting + [*].paused", "sum") == 7


@pytest.mark.parametrize(
    ("tone", "outcome", "data", "verdict"),
    [
        (Tone.GOOD, Outcome.DONE, None, Verdict.WELL),
        (Tone.NEUTRAL, Outcome.DONE, None, Verdict.WELL),
        (Tone.WARN, Outcome.DONE, None, Verdict.WARN),
        (Tone.BAD, Outcome.DONE, None, Verdict.FAIL),
        (Tone.BAD, Outcome.FAILED, {"broken": 3}, Verdict.FAIL),
        (Tone.BAD, Outcome.FAILED, None, Verdict.UNKNOWN),
        (Tone.WARN, Outcome.REFUSED, {"usage": False}, Verdict.UNKNOWN),
        (Tone.BAD, Outcome.CRASHED, None, Verdict.UNKNOWN),
    ],
)
def test_without_a_figure_the_answer_itself_is_judged(tone: Tone, outcome: Outcome, data: Any, verdict: Verdict) -> None:
    assert judged(item(), answer(tone, outcome, data)) == (verdict, None)


@pytest.mark.parametrize(
    ("limits", "verdict"),
    [
        ({"warn_above": 80, "fail_above": 91.5}, Verdict.FAIL),
        ({"warn_above": 80, "fail_above": 95}, Verdict.WARN),
        ({"warn_above": 92}, Verdict.WELL),
        ({"warn_below": 100}, Verdict.WARN),
        ({"fail_below": 91.5}, Verdict.FAIL),
    ],
)
def test_reaching_a_limit_is_crossing_it(limits: dict[str, float], verdict: Verdict) -> None:
    assert judged(item(figure="disks[*].percent", **limits), answer()) == (verdict, 91.5)


def test_the_worse_of_figure_and_answer_counts_unless_the_figure_alone_is_judged() -> None:
    both, alone = (item(figure="disks[*].percent", warn_above=80, judge=judge) for judge in ("both", "figure"))
    assert judged(both, answer(Tone.BAD))[0] is Verdict.FAIL
    assert judged(alone, answer(Tone.BAD))[0] is Verdict.WARN


@pytest.mark.parametrize("absent", ["unknown", "fail", "warn", "pass"])
def test_a_figure_that_is_not_there_means_what_the_item_says(absent: str) -> None:
    assert judged(item(figure="backup.age", judge="figure", absent=absent), answer()) == (Verdict(absent), None)


def test_what_could_not_be_measured_is_worse_than_a_warning_and_less_than_a_failure() -> None:
    assert WORST_FIRST == (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WARN, Verdict.UNSIGNED, Verdict.WELL)
    assert worse_of(Verdict.WARN, Verdict.UNKNOWN) is Verdict.UNKNOWN


def shipped() -> Checklists:
    return TeamFile(FILE, None, SHIPPED, parse).read()


def test_the_guides_lists_are_shipped_whole() -> None:
    found = {name: len(each.items) for name, each in shipped().items()}
    assert set(found) == {"daily", "weekly", "monthly", "predeploy"}
    assert found["daily"] >= 4
    assert found["predeploy"] >= 6
    signed = {each.id for checklist in shipped().values() for each in checklist.items if each.by}
    assert {"security-log", "dependencies", "vulnerabilities", "performance", "capacity-plan", "tested", "migration"} <= signed


def test_every_line_that_is_shipped_only_reads_and_is_understood() -> None:
    registry = Registry(discover())
    lines = {each.line for checklist in shipped().values() for each in checklist.items if each.line}
    assert {registry.resolve(split(line))[0].risk for line in lines} == {Risk.READ}


ITEM = '[[mine.items]]\nid = "one"\ntitle = { ko = "하나", en = "One" }\n'
GOOD = f'[mine]\ntitle = {{ ko = "우리", en = "Ours" }}\n{ITEM}by = "operator"\n'


@pytest.fixture
def team(tmp_path: Path) -> Callable[[str], TeamFile[Checklists]]:
    """Writes the team's file; a program that reads it."""
    own = tmp_path / "own"
    own.mkdir()
    file = TeamFile(FILE, own, tmp_path / "kept", parse)

    def write(text: str) -> TeamFile[Checklists]:
        (own / "edited").write_text(text)
        (own / "edited").replace(own / FILE)
        return file

    return write


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{GOOD}by = \n", "line 7"),
        (f"{GOOD}{ITEM}", "one: wants a line or a by"),
        (f'{GOOD}{ITEM.replace("one", "two")}by = "nobody"\n', "mine items #2 by"),
        (GOOD + 'figure = "x"\n', "one: a figure wants a line"),
        (GOOD + 'line = "disk"\nwarn_above = 3\n', "wants a figure"),
        (GOOD + 'line = "disk"\nfigure = "a b"\n', "mine items #1 figure"),
        (f'{GOOD}{ITEM}by = "admin"\n', "the same id twice: one"),
        (GOOD.replace("[mine]", "[mine]\ndayz = 3"), "mine dayz"),
        ("[mine]\nitems = []\n", "mine title"),
    ],
)
def test_a_fault_is_named_and_the_last_good_lists_stay_in_force(team: Callable[[str], TeamFile[Checklists]], text: str, said: str) -> None:
    assert list(team(GOOD).read()) == ["mine"]
    faulty = team(text)
    assert list(faulty.read()) == ["mine"]
    assert faulty.fault is not None
    assert said in faulty.fault.sentence(Words("en"))
    assert FILE in faulty.fault.sentence(Words("ko"))
    assert team(GOOD).fault is None


def test_a_list_is_named_so_that_it_can_be_typed() -> None:
    with pytest.raises(ValidationError):
        parse({"My List": {"title": TITLE, "items": [{"id": "one", "title": TITLE, "by": "operator"}]}})
