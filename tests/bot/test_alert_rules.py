"""Rules of alerts as data: what is shipped, what is refused and how it is named, what a rule means."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from bot.alert_rules import FILE, SIGNALS, RuleBook, parse
from bot.alerts import Severity
from bot.model import Account
from bot.team_files import SHIPPED, TeamFile
from bot.words import LANGUAGES, Words
from tests.bot.alerted import DISK, rule

ROWS = parse(tomllib.loads((SHIPPED / FILE).read_text()))


def test_the_shipped_rules_come_with_the_critical_ones_first() -> None:
    severities = [each.severity for each in ROWS]
    assert severities == sorted(severities, key=lambda each: each is not Severity.CRITICAL)
    assert len(ROWS) >= 15


@pytest.mark.parametrize(
    "signal",
    ["disk.percent", "disk.inodes_percent", "host.memory_percent", "health.bad", "service.down", "service.restarting", "service.unhealthy",
     "service.oom", "errors.new", "queue.oldest_waiting_s", "queue.failure_percent", "queue.stalled", "reachable.lost",
     "redis.memory_percent", "backup.old", "backup.undrilled", "certificate.days", "connector.down"],
)  # fmt: skip
def test_what_the_team_must_hear_of_has_a_shipped_rule(signal: str) -> None:
    assert signal in {each.signal for each in ROWS}


def test_a_disk_that_is_full_is_more_than_ninety() -> None:
    disk = next(each for each in ROWS if each.name == "disk")
    assert [disk.is_bad(value) for value in (89.9, 90.0, 99.0, 100.0)] == [False, True, True, True]


def test_every_signal_is_named_in_the_head_of_the_shipped_file() -> None:
    head = (SHIPPED / FILE).read_text().partition("[[rule]]")[0]
    assert {signal for signal in SIGNALS if signal not in head} == set()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"signal": "disk.full"}, "disk.full"),
        ({"for": "soon"}, "soon"),
        ({"for": 60}, "60"),
        ({"below": 3}, "disk"),
        ({"above": None}, "disk"),
        ({"clear": 95}, "disk"),
        ({"remedy": "restart {name}"}, "{name}"),
        ({"limit": 3}, "limit"),
        ({"severity": "loud"}, "severity"),
        ({"channel": "general"}, "general"),
        ({"most": 0}, "most"),
        ({"name": "Disk full"}, "name"),
    ],
)
async def test_what_is_wrong_in_own_rules_is_said_and_the_shipped_ones_stay(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    lines = ["[[rule]]"]
    for name, value in {**DISK, **changes}.items():
        if isinstance(value, dict):
            lines.append(f"{name} = {{ ko = '디스크', en = 'Disk' }}")
        elif value is not None:
            lines.append(f"{name} = {value!r}")
    (tmp_path / FILE).write_text("\n".join(lines))
    for language in LANGUAGES:
        book = RuleBook(TeamFile(FILE, tmp_path, tmp_path / "kept", parse), Words(language))
        fault = await book.fault()
        assert said in fault
        assert "#1" in fault
        assert "alerts.fault" not in fault
        assert await book.rules() == ROWS


async def test_two_rules_of_one_name_are_refused(tmp_path: Path) -> None:
    row = "[[rule]]\nname='a'\ntitle={ko='가',en='a'}\nsignal='service.down'\nabove=1\nseverity='warning'\n"
    (tmp_path / FILE).write_text(row * 2)
    assert "several rules" in await RuleBook(TeamFile(FILE, tmp_path, tmp_path / "kept", parse), Words("en")).fault()


def test_subjects_and_exceptions_are_patterns() -> None:
    watched = rule(subjects=["/var/*", "/"], exclude=["/var/snap*"])
    assert [watched.watches(path) for path in ("/", "/var/lib", "/var/snap/x", "/home")] == [True, True, False, False]


def test_a_remedy_names_the_service_and_never_what_could_be_more_words() -> None:
    watched = rule(remedy="restart {subject}")
    assert [watched.line_for(name) for name in ("backend", "backend#2", "a b", "/data", "x;y")] == ["restart backend"] * 2 + [""] * 3
    assert rule(remedy="restart backend").line_for("image generation") == "restart backend"


def test_repeats_come_later_each_time_and_once_a_day_at_the_latest() -> None:
    assert [rule().repeat_after(count) / 3_600 for count in (0, 1, 2, 3, 9, 1_000)] == [1, 2, 4, 8, 24, 24]
    assert rule(repeat="7d").repeat_after(5) == 7 * 86_400


def test_a_rule_may_have_channels_of_its_own() -> None:
    assert rule(channel=["slack:C1", "discord:5"]).channel == (Account("slack", "C1"), Account("discord", "5"))
