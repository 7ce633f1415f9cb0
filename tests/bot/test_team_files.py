"""A team's own file takes the place of the shipped one; a fault in it is named, and what was good stays in force."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.scheduler_data import FILE, Schedule, parse
from bot.team_files import LARGEST, SHIPPED, TeamFile
from bot.words import LANGUAGES, Words

GOOD = '[[schedule]]\nname = "{name}"\ncron = "0 9 * * *"\nline = "status"\n'


class Team:
    """A team's folder with its file, and programs that read it."""

    def __init__(self, home: Path) -> None:
        self.folder = home / "team"
        self.folder.mkdir()
        self.path = self.folder / FILE
        self._keep = home / "state"
        self.parsed = 0

    def program(self, *, folder: bool = True) -> TeamFile[Sequence[Schedule]]:
        return TeamFile(FILE, self.folder if folder else None, self._keep, self._parse)

    def _parse(self, tables: Mapping[str, Any]) -> Sequence[Schedule]:
        self.parsed += 1
        return parse(tables, "Asia/Seoul")

    def write(self, text: str) -> None:
        """As an editor does: a new file in the place of the old one."""
        partial_file = self.folder / "edited"
        partial_file.write_text(text)
        partial_file.replace(self.path)


@pytest.fixture
def team(tmp_path: Path) -> Team:
    return Team(tmp_path)


def names(file: TeamFile[Sequence[Schedule]]) -> list[str]:
    return [each.name for each in file.read()]


def said(file: TeamFile[Sequence[Schedule]]) -> str:
    assert file.fault is not None
    return file.fault.sentence(Words("en"))


SHIPPED_NAMES = names(TeamFile(FILE, None, SHIPPED, partial(parse, zone="UTC")))


def test_every_shipped_file_is_without_fault_and_says_something() -> None:
    assert SHIPPED_NAMES[:2] == ["nightly-backup", "weekly-drill"]


def test_without_a_folder_or_a_file_in_it_the_shipped_data_is_in_force(team: Team) -> None:
    for file in (team.program(folder=False), team.program()):
        assert (names(file), file.fault, file.is_own) == (SHIPPED_NAMES, None, False)


def test_the_teams_file_replaces_the_shipped_one_and_is_read_again_when_it_changes(team: Team) -> None:
    file = team.program()
    team.write(GOOD.format(name="one"))
    assert (names(file), file.is_own, file.fault) == (["one"], True, None)
    before = team.parsed
    assert names(file) == ["one"]
    assert team.parsed == before
    team.write(GOOD.format(name="two"))
    assert names(file) == ["two"]
    team.path.unlink()
    assert (names(file), file.is_own) == (SHIPPED_NAMES, False)


def test_a_change_that_keeps_size_and_time_is_seen(team: Team) -> None:
    file = team.program()
    team.write(GOOD.format(name="one"))
    assert names(file) == ["one"]
    found = team.path.stat()
    team.write(GOOD.format(name="two"))
    os.utime(team.path, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert names(file) == ["two"]


def test_a_fault_is_named_by_its_line_and_the_last_good_file_stays_in_force(team: Team) -> None:
    file = team.program()
    team.write(GOOD.format(name="one"))
    assert names(file) == ["one"]
    team.write(GOOD.format(name="two") + "zone == 4\n")
    assert names(file) == ["one"]
    assert FILE in said(file)
    assert "line 5" in said(file)
    team.write(GOOD.format(name="two"))
    assert (names(file), file.fault) == (["two"], None)


def test_a_fault_at_the_end_is_named_by_the_last_line(team: Team) -> None:
    team.write(GOOD.format(name="one") + 'zone = """Asia\n')
    assert "line 5" in said(team.program())


def test_after_a_restart_the_last_good_file_is_still_in_force(team: Team) -> None:
    team.write(GOOD.format(name="one"))
    assert names(team.program()) == ["one"]
    team.write("not TOML at all")
    again = team.program()
    assert (names(again), again.is_own) == (["one"], True)
    assert "line 1" in said(again)


def test_a_folder_that_is_gone_brings_the_shipped_data_not_back(team: Team) -> None:
    team.write(GOOD.format(name="one"))
    file = team.program()
    assert names(file) == ["one"]
    team.folder.rename(team.folder.with_name("unmounted"))
    assert names(file) == ["one"]
    assert "is not there" in said(file)
    assert names(team.program()) == ["one"]
    team.folder.with_name("unmounted").rename(team.folder)
    assert (names(file), file.fault) == (["one"], None)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GOOD.format(name="one").replace("cron", "crom"), ("schedule #1 cron: is missing", "schedule #1 crom: there is no such key")),
        (GOOD.format(name="one") + GOOD.format(name="Bad Name"), ("schedule #2 name",)),
        (GOOD.format(name="one") + GOOD.format(name="one"), ("twice: one",)),
        (GOOD.format(name="one").replace("0 9 * * *", "0 9 31 2 *"), ("schedule #1: not a cron expression", "0 9 31 2 *")),
        (GOOD.format(name="one") + 'zone = "Asia/Soul"', ("no time zone Asia/Soul",)),
        (GOOD.format(name="one") + 'owner = "ada"', ("schedule #1 owner: not an account or channel: ada",)),
        (GOOD.format(name="one") + 'channel = ["slack:C1", "C2"]', ("schedule #1 channel: not an account or channel: C2",)),
        (GOOD.format(name="one") + 'catch_up = "no"', ("schedule #1 catch_up: this value does not fit",)),
        ("schedules = []", ("schedules: there is no such key",)),
        ("x = " + "[" * 5_000, ("nested",)),
        ("#" * (LARGEST + 1), ("larger",)),
        ("x = " + "9" * 5_000, ("too many digits",)),
    ],
)
def test_what_is_wrong_is_named_by_its_place(team: Team, text: str, told: tuple[str, ...]) -> None:
    team.write(text)
    file = team.program()
    assert names(file) == SHIPPED_NAMES
    assert [part for part in told if part not in said(file)] == []


def test_bytes_that_are_no_text_and_a_folder_in_the_files_place_are_faults(team: Team) -> None:
    team.path.write_bytes(b"\xff\xfe")
    assert "UTF-8" in said(team.program())
    team.path.unlink()
    team.path.mkdir()
    assert "not a regular file" in said(team.program())


def test_a_pipe_in_the_files_place_keeps_nobody_waiting(team: Team) -> None:
    os.mkfifo(team.path)
    assert "not a regular file" in said(team.program())


def test_a_kept_copy_that_may_not_be_read_stops_no_start(team: Team, tmp_path: Path) -> None:
    (tmp_path / "state" / FILE).mkdir(parents=True)
    assert names(team.program()) == SHIPPED_NAMES


def test_many_faults_are_told_shortly_and_in_both_languages(team: Team) -> None:
    team.write(GOOD.format(name="B A D") * 40)
    fault = team.program().fault
    assert fault is not None
    for language in LANGUAGES:
        sentence = fault.sentence(Words(language))
        assert "35" in sentence
        assert len(sentence) < 600


def test_what_stands_in_a_file_cannot_play_tricks_on_whoever_reads_its_fault(team: Team) -> None:
    team.write(GOOD.format(name="one") + 'owner = "\\u202e\\u001b[2Jada"')
    assert not {"\u202e", "\x1b"} & set(said(team.program()))
