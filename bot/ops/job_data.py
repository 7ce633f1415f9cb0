"""What a job carries, told without showing it (its names and sizes), or shown without secrets. Pure; knows no queue."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bot.plain_text import harmless, shortened
from bot.redact import Redactor

NAMES_AT_MOST = 40
LONGEST_NAME = 60
LONGEST_VALUE = 4_000
LONGEST_SHOWN = 200_000
# The application's ids of what a job works on; the first of them that a job carries is its document's.
DOCUMENT_NAMES = ("jobId", "pipelineRunId", "runId")
_KINDS = {dict: "object", list: "list", str: "text", bool: "yes_no", int: "number", float: "number", type(None): "null"}


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a job carries: where, of which kind, how many bytes as JSON."""

    path: str
    kind: str
    size: int


def parts(text: str) -> tuple[Part, ...] | None:
    """The names of what is in it, two levels deep, in their order; None when it is no JSON."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return tuple(part for part, _ in zip(_parts(data, "", 2), range(NAMES_AT_MOST), strict=False))


def _parts(data: Any, prefix: str, levels: int) -> Iterator[Part]:
    if not isinstance(data, dict):
        yield _part(data, prefix)
        return
    for name, value in data.items():
        path = f"{prefix}.{name}" if prefix else str(name)
        yield _part(value, path)
        if isinstance(value, dict) and levels > 1:
            yield from _parts(value, path, levels - 1)


def _part(value: Any, path: str) -> Part:
    size = len(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    return Part(harmless(path, limit=LONGEST_NAME, newlines=False), _KINDS[type(value)], size)


def document_of(data: Any) -> str | None:
    """The id of the document that a job works on, by what stands at the top of its data; None when nothing there tells."""
    if not isinstance(data, dict):
        return None
    named = (data.get(name) for name in DOCUMENT_NAMES)
    return next((str(own) for own in named if isinstance(own, str | int)), None)


def shown(text: str, secrets: Sequence[str]) -> str:
    """The whole of it, laid out for reading, every secret masked; one that is no JSON as it stands, masked just so."""
    redactor = Redactor(secrets)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return shortened(redactor.text(_clean(text)), LONGEST_SHOWN)
    # By the names first, then as one text: what a name gives away is lost in the text, and the other way round.
    laid_out = json.dumps(_short(redactor.value(_harmless(data))), ensure_ascii=False, indent=1)
    return shortened(redactor.text(laid_out), LONGEST_SHOWN)


def _harmless(value: Any) -> Any:
    """Before secrets are looked for, as an invisible sign must not split one."""
    if isinstance(value, str):
        return _clean(value)
    if isinstance(value, dict):
        return {_clean(name): _harmless(each) for name, each in value.items()}
    return [_harmless(each) for each in value] if isinstance(value, list) else value


def _clean(text: str) -> str:
    """Harmless line by line, and whole: a long line must not be cut yet."""
    return "\n".join(harmless(line, limit=len(line), newlines=False) for line in text.split("\n"))


def _short(value: Any) -> Any:
    """Cut only after secrets are gone, as half a secret looks like none."""
    if isinstance(value, str):
        return shortened(value, LONGEST_VALUE)
    if isinstance(value, dict):
        return {name: _short(each) for name, each in value.items()}
    return [_short(each) for each in value] if isinstance(value, list) else value
