"""Data that the bot ships as TOML and a team may replace by a file of its own: re-read when it changes, the last good one in force.

What the data means is its user's: ``parse`` makes it typed, and raises pydantic's ValidationError. Knows no room and nobody who asks.
"""

from __future__ import annotations

import os
import re
import stat
import threading
import tomllib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bot.plain_text import harmless
from bot.words import Words

T = TypeVar("T")
SHIPPED = Path(__file__).parent / "defaults"
LARGEST = 1024 * 1024
_MOST_TOLD = 5
_WHERE = re.compile(r" \(at line (\d+), column \d+\)$| \(at end of document\)$")
# What pydantic itself finds wrong, in our words.
_OWN_WORDS = {"missing": "team_files.missing", "extra_forbidden": "team_files.unknown"}

_Signature = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a file: where (empty for all of it), and a sentence of the catalogue with its values."""

    where: str
    key: str
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a team's file is not in force."""

    file: str
    problems: tuple[Problem, ...]

    def sentence(self, words: Words) -> str:
        """The file and what is wrong in it, for people."""
        told = [self._told(words, each) for each in self.problems[:_MOST_TOLD]]
        more = [words("team_files.more", count=len(self.problems) - _MOST_TOLD)] if len(self.problems) > _MOST_TOLD else []
        return words("team_files.fault", file=self.file, problems="; ".join([*told, *more]))

    @staticmethod
    def _told(words: Words, problem: Problem) -> str:
        said = words(problem.key, **problem.values)
        return f"{problem.where}: {said}" if problem.where else said


class _Unreadable(Exception):
    def __init__(self, *problems: Problem) -> None:
        super().__init__()
        self.problems = problems


class TeamFile(Generic[T]):
    """``name`` among the shipped files, or in ``own_dir`` when the team has one there.

    ``keep_dir`` holds a copy of the team's last good file, so that a fault outlives no restart's good data.
    """

    def __init__(self, name: str, own_dir: Path | None, keep_dir: Path, parse: Callable[[Mapping[str, Any]], T]) -> None:
        self._name = name
        self._own = own_dir / name if own_dir is not None else None
        self._kept = keep_dir / name
        self._parse = parse
        self._signature: _Signature | None = None
        self._is_own = False
        self._fault: Fault | None = None
        self._looking = threading.Lock()
        self._value = parse(_tables(SHIPPED / name))
        if self._own is not None:
            self._recall()

    @property
    def name(self) -> str:
        """The file's name."""
        return self._name

    @property
    def fault(self) -> Fault | None:
        """Why the team's file, as it is now, is not in force; None when it is, or when there is none."""
        self._look()
        return self._fault

    @property
    def is_own(self) -> bool:
        """Whether the team's own data is in force, not the shipped."""
        self._look()
        return self._is_own

    def read(self) -> T:
        """The data in force now. Looks at the file, and reads it only when it changed."""
        self._look()
        return self._value

    def _recall(self) -> None:
        """What was in force before this program started, should the file be faulty now."""
        try:
            self._value = self._parse(_tables(self._kept))
            self._is_own = True
        except (_Unreadable, ValidationError, OSError):
            return

    def _look(self) -> None:
        if self._own is not None:
            with self._looking:  # it may hang on a disk, so it is read in a thread, by several at once
                self._look_at(self._own)

    def _look_at(self, own: Path) -> None:
        try:
            signature = _signature(own)
            if signature == self._signature:
                return
            self._signature = signature
            self._value = self._parse(_tables(own))
            self._is_own, self._fault = True, None
            self._keep(own)
        except FileNotFoundError:
            self._missing(own)
        except _Unreadable as error:
            self._fault = Fault(self._name, error.problems)
        except ValidationError as error:
            self._fault = Fault(self._name, tuple(map(_problem, error.errors())))
        except OSError as error:
            self._signature = None  # a right or a mount may come back without the file changing
            self._fault = Fault(self._name, (_cannot_be_read(error),))

    def _missing(self, own: Path) -> None:
        """No file: the shipped one is in force. No folder is something else: a mount that failed must not bring the shipped one back."""
        self._signature = None
        if own.parent.is_dir():
            if self._is_own or self._fault is not None:
                self._value = self._parse(_tables(SHIPPED / self._name))
                with suppress(OSError):  # it would only be read, and dropped again, at the next start
                    self._kept.unlink(missing_ok=True)
            self._is_own, self._fault = False, None
        else:
            self._fault = Fault(self._name, (Problem("", "team_files.no_folder", {"folder": own.parent}),))

    def _keep(self, own: Path) -> None:
        self._kept.parent.mkdir(parents=True, exist_ok=True)
        partial = self._kept.with_suffix(f".{os.getpid()}.partial")
        partial.write_bytes(own.read_bytes())
        partial.chmod(0o600)
        partial.replace(self._kept)


def _signature(path: Path) -> _Signature:
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino


def _tables(path: Path) -> Mapping[str, Any]:
    """What a file holds. _Unreadable names the line of its fault."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):  # a pipe or a device would never end
        raise _Unreadable(Problem("", "team_files.not_file", {}))
    if found.st_size > LARGEST:
        raise _Unreadable(Problem("", "team_files.too_large", {}))
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _Unreadable(Problem("", "team_files.not_text", {})) from error
    except tomllib.TOMLDecodeError as error:
        raise _Unreadable(_misspelt(str(error), path)) from error
    except ValueError as error:  # Python reads no number of thousands of digits
        raise _Unreadable(Problem("", "team_files.number", {})) from error
    except RecursionError as error:
        raise _Unreadable(Problem("", "team_files.too_deep", {})) from error


def _misspelt(said: str, path: Path) -> Problem:
    where = _WHERE.search(said)
    last = len(path.read_bytes().splitlines())
    number = int(where[1]) if where and where[1] else last
    return Problem("", "team_files.syntax", {"line": number, "reason": harmless(_WHERE.sub("", said), limit=120, newlines=False)})


def _problem(error: ErrorDetails) -> Problem:
    """pydantic's finding; a checker of ours raises PydanticCustomError with a key of the catalogue as its message."""
    key, values = str(error["msg"]), error.get("ctx", {})
    if error["type"] != "team_file":
        key, values = _OWN_WORDS.get(str(error["type"]), "team_files.invalid"), {}
    return Problem(_path(error["loc"]), key, {name: harmless(str(value), limit=80, newlines=False) for name, value in values.items()})


def _path(parts: Sequence[int | str]) -> str:
    """``schedule #2 cron``: rows are counted from one, as people do."""
    told = " ".join(f"#{part + 1}" if isinstance(part, int) else str(part) for part in parts)
    return harmless(told, limit=120, newlines=False)


def _cannot_be_read(error: OSError) -> Problem:
    return Problem("", "team_files.unreadable", {"reason": error.strerror or type(error).__name__})
