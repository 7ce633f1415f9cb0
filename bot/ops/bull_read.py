"""Job hashes as they come from Redis, to our values; whatever is missing or broken in one is told, never raised. Pure but for the script.

Reads the head of each field only: one job may carry many megabytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.ops.bull_values import Fault, Job
from bot.ops.job_data import DOCUMENT_NAMES, document_of

# For each key: its type, and for a hash the length and the head of each field asked for.
READ = """
local rows = {}
for at, key in ipairs(KEYS) do
  local kind = redis.call('TYPE', key).ok
  local row = {kind}
  if kind == 'hash' then
    for field = 1, #ARGV, 2 do
      local value = redis.call('HGET', key, ARGV[field])
      row[#row + 1] = value and #value or -1
      row[#row + 1] = value and string.sub(value, 1, tonumber(ARGV[field + 1])) or ''
    end
  end
  rows[at] = row
end
return rows
"""

LONG_TEXT = 2_000
SUMMARY_DATA = 65_536
DETAIL_DATA = 1_048_576
# Bytes of each field that are looked at.
SUMMARY = {
    "name": 200,
    "timestamp": 20,
    "processedOn": 20,
    "finishedOn": 20,
    "attemptsMade": 12,
    "progress": 100,
    "failedReason": LONG_TEXT,
    "opts": 8_192,
    "data": SUMMARY_DATA,
}
DETAIL = {**SUMMARY, "data": DETAIL_DATA, "stacktrace": 60_000, "priority": 20}
_NEEDED = ("timestamp", "opts", "data")
_OWN_ID = re.compile(rf'^\s*\{{\s*"(?:{"|".join(DOCUMENT_NAMES)})"\s*:\s*"([^"\\]{{1,64}})"')
_DELAYED_SHIFT = 4_096_000
# Past this (the year 5138) a number is no moment: no calendar could write it.
_LAST_MOMENT = 1e11


@dataclass(frozen=True, slots=True)
class Hash:
    """One key as the script answered: its type, and of each field there is the whole length and the head."""

    kind: str
    lengths: Mapping[str, int]
    heads: Mapping[str, str]

    def text(self, field: str) -> str:
        """The head of a field; empty when there is none."""
        return self.heads.get(field, "")

    def cut(self, field: str, caps: Mapping[str, int]) -> bool:
        """Whether a field is longer than what was looked at."""
        return self.lengths.get(field, 0) > caps[field]


def arguments(fields: Mapping[str, int]) -> list[str]:
    """The script's arguments for these fields."""
    return [str(part) for pair in fields.items() for part in pair]


def hash_of(row: Sequence[Any], fields: Mapping[str, int]) -> Hash:
    """One row of the script's answer."""
    kind, cells = str(row[0]), row[1:]
    found = [(name, int(length), head) for name, length, head in zip(fields, cells[::2], cells[1::2], strict=False) if int(length) >= 0]
    return Hash(kind, {name: length for name, length, _ in found}, {name: str(head) for name, _, head in found})


def job_of(place: tuple[str, str, str], row: Hash, fields: Mapping[str, int], score: float | None = None) -> Job:
    """The job of ``place`` (queue, id, state); ``score`` is the one of its sorted set."""
    queue, identity, state = place
    due = moment(score / _DELAYED_SHIFT) if state == "delayed" and score is not None else None
    fault, data = _fault(row, fields)
    if row.kind != "hash":
        return Job(queue, identity, state, fault, due_at=due)
    options = _json(row.text("opts"))
    return Job(
        queue=queue,
        id=identity,
        state=state,
        fault=fault,
        name=row.text("name"),
        made_at=seconds(row.text("timestamp")),
        started_at=seconds(row.text("processedOn")),
        finished_at=seconds(row.text("finishedOn")),
        due_at=due,
        attempts_made=whole(row.text("attemptsMade")),
        attempts=max(1, whole(options.get("attempts", 1))) if isinstance(options, dict) else 1,
        progress=_progress(row.text("progress")),
        failed_reason=row.text("failedReason"),
        data_job_id=_own_id(data, row.text("data")),
        data_bytes=row.lengths.get("data", 0),
    )


def _fault(row: Hash, fields: Mapping[str, int]) -> tuple[Fault, Any]:
    """What is wrong with the hash, and what its data is when it can be read."""
    if row.kind != "hash":
        return (Fault.MISSING if row.kind == "none" else Fault.NOT_A_HASH), None
    if any(name not in row.lengths for name in _NEEDED):
        return Fault.HALF, _json(row.text("data"))
    data = None if row.cut("data", fields) else _json(row.text("data"))
    broken = data is _BROKEN or not isinstance(_json(row.text("opts")), dict)
    return (Fault.NOT_JSON if broken else Fault.NONE), data


class _Broken:
    """Stands for what is no JSON."""


_BROKEN = _Broken()


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _BROKEN


def _own_id(data: Any, head: str) -> str | None:
    if isinstance(data, dict):
        own = document_of(data)
        return None if own is None else own[:64]
    found = _OWN_ID.match(head)
    return found[1] if found else None


def _progress(text: str) -> float | None:
    """Bull lets any JSON be the progress; only a number is one to us."""
    value = _json(text)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9 else None


def whole(value: object) -> int:
    """A whole number, 0 when it is none."""
    try:
        return int(str(value))
    except ValueError:
        return 0


def seconds(milliseconds: str | None) -> float | None:
    """Bull's milliseconds as seconds; None when they are none."""
    try:
        return moment(int(milliseconds) / 1000) if milliseconds else None
    except (ValueError, OverflowError):
        return None


def moment(at: float) -> float | None:
    """Seconds since the epoch; None for what cannot be a moment."""
    return at if 0 <= at <= _LAST_MOMENT else None


def stack_of(text: str) -> str:
    """The newest of a job's stack traces; what is no list of texts as it stands."""
    listed = _json(text)
    if isinstance(listed, list):
        traces = [each for each in listed if isinstance(each, str)]
        return traces[-1] if traces else ""
    return text
