"""Problems as sentences with what to do about each, and as raw figures. Pure: judges nothing, asks nothing, knows no platform."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bot.errors import VccError
from bot.figures import Figures
from bot.model import Tone
from bot.ops.verdict import Problem, Severity
from bot.words import Words

_SIGNS = {Severity.BAD: "✘", Severity.WARN: "!"}


class Telling:
    """Says problems in the words and figures of one reader."""

    def __init__(self, words: Words, figures: Figures) -> None:
        self._words = words
        self._written: dict[str, Callable[[Any], str]] = {
            "percent": figures.percent,
            "free": figures.size,
            "needed": figures.size,
            "less": figures.count,
            "before": figures.count,
            "less_bytes": figures.size,
            "before_bytes": figures.size,
            "waited": figures.duration,
            **dict.fromkeys(("stalled", "restarts", "files", "documents", "looked_for", "missing"), figures.count),
        }

    def sentence(self, problem: Problem) -> str:
        """What is wrong."""
        # One that Docker is starting again has not ended, so there is no exit code to tell.
        ending = "_for_now" if problem.name == "service_down" and problem.values.get("code") == "-" else ""
        return self._words(f"verdict.{problem.name}{ending}", **self._values(problem))

    def hint(self, problem: Problem) -> str:
        """What to do about it."""
        return self._words(f"verdict.{problem.name}_hint", **self._values(problem))

    def lines(self, problems: Sequence[Problem]) -> str:
        """One line for each problem, with its hint."""
        return "\n".join(f"{_SIGNS[problem.severity]} {self.sentence(problem)} → {self.hint(problem)}" for problem in problems)

    def data(self, problems: Sequence[Problem]) -> list[dict[str, str]]:
        """The same, raw."""
        return [
            {"severity": problem.severity.name.lower(), "part": problem.part, "kind": problem.name, "text": self.sentence(problem)}
            for problem in problems
        ]

    def _values(self, problem: Problem) -> dict[str, object]:
        values = {name: self._written.get(name, str)(value) for name, value in problem.values.items() if name != "error"}
        if problem.name == "health_down":
            values["reason"] = self._words(f"check.deep.reason.{values['reason']}", **values)
        error = problem.values.get("error")
        return {**values, "reason": self._words(error.key, **error.values)} if isinstance(error, VccError) else dict(values)


def tone(problems: Sequence[Problem]) -> Tone:
    """The colour of an answer with these problems."""
    if not problems:
        return Tone.GOOD
    return Tone.BAD if problems[0].severity is Severity.BAD else Tone.WARN
