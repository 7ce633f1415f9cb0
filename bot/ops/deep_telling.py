"""A deep look at health in the words and figures of one reader, and raw. Pure: judges nothing, asks nothing, knows no platform."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from bot.figures import NONE, Figures
from bot.model import Tone
from bot.ops.deep_health import Check, DeepHealth, Verdict
from bot.ops.telling import Telling
from bot.plain_text import harmless
from bot.words import Words

SIGNS = {Verdict.OK: "✔", Verdict.UNKNOWN: "?", Verdict.WARN: "!", Verdict.BAD: "✘"}
TONES = {Verdict.OK: Tone.GOOD, Verdict.UNKNOWN: Tone.WARN, Verdict.WARN: Tone.WARN, Verdict.BAD: Tone.BAD}
_SHORT_ERRORS = frozenset({"unreachable", "timed_out", "denied", "rejected"})
_NAME_CAP = 80
_DAY = 86_400


class DeepTelling:
    """Says checks."""

    def __init__(self, words: Words, figures: Figures) -> None:
        self._words = words
        self._problems = Telling(words, figures)
        self._written: dict[str, Callable[[Any], str]] = {
            "latency": figures.milliseconds,
            "oldest": lambda seconds: NONE if seconds is None else figures.duration(seconds),
            "days": lambda days: figures.duration(abs(days) * _DAY),
            "names": lambda names: ", ".join(_foreign(name) for name in names[:3]) or NONE,
            "subject": _foreign,
            "issuer": _foreign,
            "keys": figures.count,
            "waiting": figures.count,
            "active": figures.count,
        }

    def sentence(self, check: Check) -> str:
        """How it is, in a few words, with its figure."""
        found = check.found
        if found.error is not None:
            kind = found.error.key.removeprefix("error.")
            key = f"check.deep.failed.{kind}" if kind in _SHORT_ERRORS else found.error.key
            return self._words(key, **found.error.values)
        if found.problems:
            more = f" (+{len(found.problems) - 1})" if len(found.problems) > 1 else ""
            return self._problems.sentence(found.problems[0]) + more
        return self._words(
            "check.deep.unset" if found.state == "unset" else f"check.deep.{check.kind}.{found.state}", **self._values(check)
        )

    def hint(self, check: Check) -> str:
        """What to do; empty when nothing is to be done."""
        found = check.found
        if found.verdict is Verdict.OK:
            return ""
        if found.problems:
            return self._problems.hint(found.problems[0])
        if found.state == "unset":
            return self._words("check.deep.unset_hint", **found.values)
        own = f"check.deep.{check.kind}.{found.state}_hint"
        return self._words(own if own in self._words else f"check.deep.{check.kind}.hint", name=check.name)

    def lines(self, health: DeepHealth) -> str:
        """What is not well, each with what to do, the worst first."""
        ailing = sorted((check for check in health.checks if check.verdict), key=lambda check: -check.verdict)
        return "\n".join(line for check in ailing for line in self._lines(check))

    def _lines(self, check: Check) -> Iterator[str]:
        if check.found.problems:
            yield self._problems.lines(check.found.problems)
        else:
            yield f"{SIGNS[check.verdict]} {check.name}: {self.sentence(check)} → {self.hint(check)}"

    def data(self, check: Check) -> dict[str, Any]:
        """The same, raw."""
        return {
            "kind": check.kind,
            "name": check.name,
            "verdict": check.verdict.name.lower(),
            "state": check.found.state,
            "text": self.sentence(check),
            "hint": self.hint(check),
            "took_ms": round(check.took_ms, 1),
            "figures": {name: list(value) if isinstance(value, tuple) else value for name, value in check.found.values.items()},
        }

    def _values(self, check: Check) -> dict[str, str]:
        values = {name: self._written.get(name, str)(value) for name, value in check.found.values.items()}
        if "reason" in values:
            values["reason"] = self._words(f"check.deep.reason.{values['reason']}", status=values["status"])
        return values


def _foreign(text: str) -> str:
    """What somebody else wrote into a certificate."""
    return harmless(text, limit=_NAME_CAP, newlines=False)
