"""Groups of errors: how often, what, where and when, each with its newest example right below."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.context import Context
from bot.figures import Figures
from bot.ops.log_text import LogText
from bot.store.error_rows import IndexedErrors
from commands.logs.page import SHOWN

_EXAMPLE = 180


class ErrorPage:
    """``started`` tells when each service was last started: what was never seen before that is new."""

    def __init__(self, ctx: Context, started: Mapping[str, float]) -> None:
        self._words = ctx.words
        self.figures = Figures(ctx.words.language, ctx.settings.vcc_tz)
        self._text = LogText(ctx.settings.secrets)
        self._started = started

    def is_new(self, each: IndexedErrors) -> bool:
        """Whether it came with the last deploy or restart."""
        started = self._started.get(each.service)
        return started is not None and each.first_seen >= started

    def raw(self, each: IndexedErrors) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "fingerprint": each.fingerprint,
            "kind": each.kind,
            "service": each.service,
            "count": each.count,
            "total": each.total,
            "new": self.is_new(each),
            "first_seen": each.first_seen,
            "last_seen": each.last_seen,
            "example": self._text.line(each.example),
            "trace": [self._text.line(line, 300) for line in each.trace],
        }

    def data(self, told: Sequence[IndexedErrors], noise: Sequence[IndexedErrors], limit: int) -> dict[str, Any]:
        """All of them, for ``--json``."""
        return {
            "groups": [self.raw(each) for each in told[:limit]],
            "groups_total": len(told),
            "errors_total": sum(each.count for each in told),
            "new_total": sum(self.is_new(each) for each in told),
            "known": [self.raw(each) for each in noise],
        }

    def _cells(self, each: IndexedErrors) -> tuple[str, ...]:
        moment = self.figures.moment
        kind = self._words(f"logs.kind.{each.kind}")
        shown = self._words("logs.new_kind", kind=kind) if self.is_new(each) else kind
        count = self._words("logs.times", count=self.figures.count(each.count))
        seen = moment(each.last_seen) if each.count == 1 else f"{moment(each.first_seen)} ~ {moment(each.last_seen)}"
        return (count, shown, each.service, seen)

    def listed(self, groups: Sequence[IndexedErrors]) -> str:
        """Each with its newest example, as many as fit."""
        written = [
            f"{number}. {' · '.join(self._cells(each))}\n{self._text.line(each.example, _EXAMPLE)}" for number, each in enumerate(groups, 1)
        ]
        while sum(len(entry) + 2 for entry in written) > SHOWN:
            written.pop()
        return "\n\n".join(written)

    def everything(self, groups: Sequence[IndexedErrors]) -> Iterable[str]:
        """All groups with example and trace, for a file."""
        for number, each in enumerate(groups, 1):
            yield " · ".join((f"{number}. {each.fingerprint}", *self._cells(each)))
            yield self._text.line(each.example)
            yield from (self._text.line(line, 1000) for line in each.trace)
            yield ""

    def counted_from(self, groups: Sequence[IndexedErrors], since: float) -> str:
        """Counts are of whole minutes, of old ones whole hours: from when, where that is before what was asked for."""
        begin = min((each.counted_from for each in groups), default=since)
        return self._words("logs.counted_from", since=self.figures.moment(begin)) if begin < since else ""
