"""Nouns of the model to JSON text and back, for the columns that hold a whole noun."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from bot.model import Account, Attachment, Button, Fact, Invocation, Outcome, Place, Plan, Reply, Table, Tolerance, Tone


def _default(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if is_dataclass(value):
        # One level at a time: ``asdict`` would copy everything first.
        return {each.name: getattr(value, each.name) for each in fields(value)}
    raise TypeError(f"cannot be written as JSON: {type(value).__name__}")


def dumps(value: Any) -> str:
    """Canonical JSON: sorted keys, no spaces, so that equal values give equal text."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_default)


def loads(text: str) -> Any:
    """The value of JSON text."""
    return json.loads(text)


def noun_to_text(noun: Invocation | Plan | Reply | Place) -> str:
    """A noun as canonical JSON."""
    return dumps(noun)


def place_from(raw: Mapping[str, Any]) -> Place:
    """A place from its JSON value."""
    return Place(**raw)


def invocation_from(text: str) -> Invocation:
    """An invocation from its JSON text."""
    raw = loads(text)
    approved_by = raw.pop("approved_by")
    return Invocation(
        **{
            **raw,
            "account": Account(**raw["account"]),
            "place": place_from(raw["place"]),
            "approved_by": Account(**approved_by) if approved_by else None,
        }
    )


def plan_from(text: str) -> Plan:
    """A plan from its JSON text."""
    raw = loads(text)
    facts = tuple(Fact(**{**fact, "tolerance": Tolerance(fact["tolerance"])}) for fact in raw["facts"])
    return Plan(**{**raw, "facts": facts, "targets": tuple(raw["targets"]), "warnings": tuple(raw["warnings"])})


def reply_from(text: str) -> Reply:
    """A reply from its JSON text."""
    raw = loads(text)
    return Reply(
        **{
            **raw,
            "outcome": Outcome(raw["outcome"]),
            "tone": Tone(raw["tone"]),
            "fields": tuple((name, value) for name, value in raw["fields"]),
            "tables": tuple(
                Table(tuple(table["columns"]), tuple(tuple(row) for row in table["rows"]), table["title"]) for table in raw["tables"]
            ),
            "files": tuple(Attachment(file["name"], Path(file["path"]), file["media_type"], file.get("alt", "")) for file in raw["files"]),
            "buttons": tuple(Button(**button) for button in raw["buttons"]),
            "mentions": tuple(Account(**account) for account in raw.get("mentions", ())),
        }
    )
