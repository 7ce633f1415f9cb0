"""How far a log was read, so that reading on from there costs only what is new. Plain data; knows no file and no engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, slots=True)
class LogPosition:
    """A place between two lines of one container's log; what is in it besides the container is for ``Logs`` alone.

    ``gap`` when what the position before it pointed to was gone, so that lines may be missing between the two.
    ``last`` is the latest stamp of an entry read, ``unfinished`` names the streams that stopped in the middle of a line.
    ``since``, ``seen`` and ``seen_mark`` are an anchor that holds in any source (see ``log_anchor``). In a file there is a shorter
    way: its first ``head`` bytes have the digest ``mark``, and reading goes on at ``offset``.
    """

    container_id: str
    source: str
    mark: str = ""
    head: int = 0
    offset: int = 0
    inode: int = 0
    since: str = ""
    seen: int = 0
    seen_mark: str = ""
    last: str = ""
    unfinished: str = ""
    gap: bool = False

    def to_json(self) -> dict[str, Any]:
        """As it is kept in a store."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> LogPosition:
        """What ``to_json`` gave; ValueError when it is something else."""
        try:
            found = cls(**{each.name: data[each.name] for each in fields(cls) if each.name in data})
        except TypeError as error:
            raise ValueError("not a position in a log") from error
        if not all(isinstance(getattr(found, each.name), type(getattr(_EMPTY, each.name))) for each in fields(cls)):
            raise ValueError("not a position in a log")
        return found


_EMPTY = LogPosition("", "")
