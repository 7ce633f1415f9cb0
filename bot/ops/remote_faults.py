"""What goes wrong with backups in a second place, as errors of ours. Knows neither the library nor any file."""

from __future__ import annotations

from bot.errors import Denied, OutsideError, Rejected, TimedOut, Unreachable
from bot.ops.remote_values import SYSTEM
from bot.plain_text import harmless


class Overloaded(Rejected):
    """It answers, time and again, that it cannot now."""

    def __init__(self, status: int, detail: str = "") -> None:
        OutsideError.__init__(self, "remote.overloaded", system=SYSTEM, detail=detail, status=status)


class SkewedClock(Denied):
    """It refuses because this machine's clock is wrong."""

    def __init__(self, detail: str = "") -> None:
        OutsideError.__init__(self, "remote.clock", system=SYSTEM, detail=detail)


class Mangled(OutsideError):
    """A file arrived over there otherwise than it was sent, each time it was tried."""

    def __init__(self, name: str, detail: str = "") -> None:
        super().__init__("remote.mangled", system=SYSTEM, detail=detail, name=harmless(name, newlines=False, limit=120))


class Unsafe(OutsideError):
    """A list from over there names what must not be written, or more than is allowed. ``reason`` is for the log."""

    def __init__(self, name: str, reason: str) -> None:
        shown = harmless(name, newlines=False, limit=120)
        super().__init__("remote.unsafe", system=SYSTEM, detail=f"{reason}: {shown}", name=shown)
        self.reason = reason


class DeniedMidway(Denied):
    """The login stopped being good while files were sent."""

    def __init__(self, done: int, total: int, detail: str) -> None:
        OutsideError.__init__(self, "remote.denied_midway", system=SYSTEM, detail=detail, done=done, total=total)


class UnreachableMidway(Unreachable):
    """The connection was lost while files were sent."""

    def __init__(self, done: int, total: int, detail: str) -> None:
        OutsideError.__init__(self, "remote.unreachable_midway", system=SYSTEM, detail=detail, done=done, total=total)


class TimedOutMidway(TimedOut):
    """It stopped answering in time while files were sent."""

    def __init__(self, done: int, total: int, detail: str) -> None:
        OutsideError.__init__(self, "remote.timed_out_midway", system=SYSTEM, detail=detail, done=done, total=total)


def midway(error: OutsideError, done: int, total: int) -> OutsideError:
    """The same failure, telling how far it went where that helps: the next try goes on from there."""
    if isinstance(error, SkewedClock) or not done:
        return error
    for kind, told in ((Denied, DeniedMidway), (Unreachable, UnreachableMidway), (TimedOut, TimedOutMidway)):
        if isinstance(error, kind):
            return told(done, total, error.detail)
    return error
