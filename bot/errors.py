"""Every failure we raise on purpose, as one tree.

    VccError
    ├── Refusal             said to people: nothing was done (exit 3)
    │   ├── Usage           the line cannot be understood (exit 2)
    │   ├── Forbidden       this person, account or place may not
    │   ├── Busy            somebody holds the target
    │   └── Conflict        the world is not in the state this needs
    ├── OutsideError        an outside system failed us; said to people with what to do (exit 1)
    │   ├── Unreachable     no connection
    │   ├── TimedOut        no answer inside the deadline
    │   ├── Denied          wrong or missing credentials
    │   ├── NotFound        the thing asked for is not there
    │   └── Rejected        it answered, and said no
    ├── RecordUnwritable    the audit or the outbox cannot be written: nothing may run
    ├── CannotStart         this program cannot run here
    └── Misconfigured       the settings are wrong; all faults told together

A sentence for people is a key of the words catalogue with its values, never text: whoever catches
the error says it in the reader's language. Anything not in this tree is a bug, and people see only
its reference.
"""

from __future__ import annotations

from collections.abc import Sequence


class VccError(Exception):
    """A failure with a sentence for people: ``key`` in the words catalogue, filled with ``values``."""

    def __init__(self, key: str, /, **values: object) -> None:
        super().__init__(key, values)
        self.key = key
        self.values = values

    def __str__(self) -> str:
        return f"{self.key} {self.values}" if self.values else self.key


class Refusal(VccError):
    """Nothing was done, and the asker is told why."""


class Usage(Refusal):
    """The line cannot be understood."""


class Forbidden(Refusal):
    """This person, account or place may not do this."""


class Busy(Refusal):
    """Another request holds the target."""


class Conflict(Refusal):
    """The world is not in the state this request needs."""


class OutsideError(VccError):
    """An outside system failed. ``system`` is its name for people, such as ``mongodb``.

    ``detail`` is the vendor's own wording, for the log only: it may hold secrets and is never said.
    """

    def __init__(self, key: str, /, *, system: str, detail: str = "", **values: object) -> None:
        super().__init__(key, system=system, **values)
        self.system = system
        self.detail = detail


class Unreachable(OutsideError):
    """No connection could be made, or it was lost."""

    def __init__(self, system: str, detail: str = "") -> None:
        super().__init__("error.unreachable", system=system, detail=detail)


class TimedOut(OutsideError):
    """No answer inside the deadline (seconds)."""

    def __init__(self, system: str, seconds: float, detail: str = "") -> None:
        super().__init__("error.timed_out", system=system, detail=detail, seconds=round(seconds, 1))


class Denied(OutsideError):
    """The credentials are wrong, missing, or lack a right."""

    def __init__(self, system: str, detail: str = "") -> None:
        super().__init__("error.denied", system=system, detail=detail)


class NotFound(OutsideError):
    """The thing asked for is not there. ``name`` says which."""

    def __init__(self, system: str, name: str, detail: str = "") -> None:
        super().__init__("error.not_found", system=system, detail=detail, name=name)


class Rejected(OutsideError):
    """The system answered and refused."""

    def __init__(self, system: str, detail: str = "") -> None:
        super().__init__("error.rejected", system=system, detail=detail)


class RecordUnwritable(VccError):
    """The state directory cannot be written, so nothing may run."""

    def __init__(self, detail: str = "") -> None:
        super().__init__("error.record_unwritable")
        self.detail = detail


class CannotStart(VccError):
    """Something about this machine or its state, other than a setting, keeps the program from running."""


class Misconfigured(VccError):
    """The settings are wrong. ``faults`` are finished sentences, one for each."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("error.misconfigured", faults="\n".join(faults))
        self.faults = tuple(faults)
