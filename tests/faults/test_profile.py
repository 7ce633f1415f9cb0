"""Profiling switched on, and the bot killed with SIGKILL: after a restart it is off within its minutes, at the level found before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pymongo
import pytest

from bot.sandbox.deployment import Deployment
from tests.faults import timed_victim
from tests.faults.programs import processes
from tests.sandbox_fixture import wait_until

ENOUGH = 60.0
MINUTES = 10


Level = tuple[int, int]


class Profiler:
    """What mongod itself says, by the vendor's client."""

    def __init__(self, address: str) -> None:
        self._client = pymongo.MongoClient[dict[str, Any]](address)
        self._database = self._client.get_default_database()

    def level(self) -> Level:
        answer = self._database.command("profile", -1)
        return answer["was"], answer["slowms"]

    def set(self, level: int, slowms: int) -> None:
        self._database.command("profile", level, slowms=slowms)

    def close(self) -> None:
        self.set(0, 100)
        self._client.close()


@pytest.fixture
def profiler(sandbox: Deployment) -> Iterator[Profiler]:
    """The sandbox's profiler, off again afterwards."""
    profiler = Profiler(sandbox.env["MONGODB_URI"])
    profiler.set(0, 100)
    yield profiler
    profiler.close()


class House:
    """One state directory, and the bots that live in it one after the other."""

    def __init__(self, sandbox: Deployment, home: Path) -> None:
        self._environment = {**sandbox.env, "VCC_HOME": str(home)}
        self._home = home
        self._number = 0

    @contextmanager
    def bot(self, line: str = "", *, ahead: float = 0.0) -> Iterator[BaseProcess]:
        """A running bot that has answered its line; killed at the end, without a word."""
        self._number += 1
        answer = self._home / f"answer{self._number}"
        process = processes.Process(target=timed_victim.main, args=(self._environment, ahead, line, answer))
        process.start()
        try:
            if line:
                wait_until(lambda: answer.exists() or not process.is_alive(), ENOUGH, 0.02)
                assert answer.read_text() == "done"
            yield process
        finally:
            process.kill()
            process.join(ENOUGH)
            assert process.exitcode == -9
            process.close()

    def bot_that_dies(self, line: str, fatal: str) -> None:
        """A bot that types the line and kills itself before or after the switch."""
        answer = self._home / "never"
        process = processes.Process(target=timed_victim.main, args=(self._environment, 0.0, line, answer, fatal))
        process.start()
        process.join(ENOUGH)
        assert (process.exitcode, answer.exists()) == (-9, False)
        process.close()


def test_profiling_ends_in_its_time_although_the_bot_was_killed(sandbox: Deployment, tmp_path: Path, profiler: Profiler) -> None:
    found = profiler.level()
    assert found == (0, 100)
    house = House(sandbox, tmp_path)
    with house.bot(f"db profile on --slowms 50 --minutes {MINUTES}"):
        assert profiler.level() == (1, 50)
    with house.bot("db profile status", ahead=(MINUTES - 1) * 60):
        assert profiler.level() == (1, 50)  # a restart alone ends nothing before its time
    with house.bot(ahead=MINUTES * 60):
        wait_until(lambda: profiler.level() == found, ENOUGH, 0.05)


def test_a_second_run_after_a_crash_ends_at_its_own_time_with_the_level_found_first(
    sandbox: Deployment, tmp_path: Path, profiler: Profiler
) -> None:
    profiler.set(2, 70)
    house = House(sandbox, tmp_path)
    with house.bot(f"db profile on --slowms 50 --minutes {MINUTES}"):
        pass
    with house.bot(f"db profile on --slowms 20 --minutes {MINUTES}", ahead=300):
        assert profiler.level() == (1, 20)
    with house.bot("db profile status", ahead=MINUTES * 60 + 1):
        assert profiler.level() == (1, 20)  # the first run's time is over, the second's is not
    with house.bot(ahead=MINUTES * 60 + 301):
        wait_until(lambda: profiler.level() == (2, 70), ENOUGH, 0.05)


@pytest.mark.parametrize("fatal", ["before", "after"])
def test_a_bot_killed_right_at_the_switch_finds_the_way_back(sandbox: Deployment, tmp_path: Path, profiler: Profiler, fatal: str) -> None:
    profiler.set(2, 70)
    house = House(sandbox, tmp_path)
    house.bot_that_dies(f"db profile on --slowms 50 --minutes {MINUTES}", fatal)
    assert profiler.level() == ((1, 50) if fatal == "after" else (2, 70))
    profiler.set(1, 50)
    with house.bot(ahead=MINUTES * 60):
        wait_until(lambda: profiler.level() == (2, 70), ENOUGH, 0.05)
