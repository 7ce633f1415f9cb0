"""A program is alive as long as it runs, however it ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bot.errors import RecordUnwritable
from bot.store.instances import Instance

_PROGRAM = """
import sys
from pathlib import Path
from bot.store.instances import Instance

instance = Instance(Path(sys.argv[1]))
instance.begin()
print(instance.id, flush=True)
sys.stdin.read()
"""


def test_a_program_is_alive_from_begin_to_end(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    assert not instance.alive(instance.id)
    instance.begin()
    assert instance.alive(instance.id)
    instance.end()
    assert not instance.alive(instance.id)
    assert list((tmp_path / "instances").iterdir()) == []


def test_another_program_is_alive_until_it_is_killed(tmp_path: Path) -> None:
    mine = Instance(tmp_path)
    mine.begin()
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        name = other.stdout.readline().strip()
        assert mine.alive(name)
        assert mine.alive(name)
        other.kill()
        other.wait(30)
        assert not mine.alive(name)
    mine.end()


def test_a_program_that_never_was_is_not_alive(tmp_path: Path) -> None:
    assert not Instance(tmp_path).alive("1-never")


def test_a_sign_of_life_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "instances").write_text("in the way")
    with pytest.raises(RecordUnwritable):
        Instance(tmp_path).begin()
