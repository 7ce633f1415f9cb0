"""One Web API call as it came over the wire: its arguments, whoever sent it, and the errors it can end in.

Knows no method and no workspace.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


class ApiError(Exception):
    """Slack's ``{"ok": false, "error": ...}``; ``extra`` is merged into the answer."""

    def __init__(self, error: str, /, **extra: Any) -> None:
        super().__init__(error, extra)
        self.error = error
        self.extra = extra


class RateLimited(Exception):
    """The caller must wait ``retry_after`` whole seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


@dataclass
class ApiCall:
    """One call for the record. ``status`` is 0 while running, and when the connection was dropped."""

    method: str
    args: Mapping[str, Any]
    token: str
    at: float
    status: int = 0
    error: str = ""
    answer: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Args:
    """The arguments of a call, read the lenient way Slack reads them (JSON or form, ``1`` or ``true``)."""

    values: Mapping[str, Any]
    token: str = ""

    def text(self, name: str, default: str = "") -> str:
        """A string argument; absent and null are the default."""
        value = self.values.get(name)
        return default if value is None else str(value)

    def required(self, name: str) -> str:
        """A string that must be there."""
        value = self.text(name)
        if not value:
            raise ApiError("invalid_arguments", response_metadata={"messages": [f"[ERROR] missing required field: {name}"]})
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """A yes or no."""
        value = self.values.get(name)
        if value is None:
            return default
        return str(value).lower() in {"1", "true", "yes"}

    def number(self, name: str, default: int) -> int:
        """A whole number."""
        try:
            return int(self.text(name) or default)
        except ValueError:
            raise ApiError("invalid_arguments") from None

    def has(self, name: str) -> bool:
        """Whether the argument was given at all (null is not given)."""
        return self.values.get(name) is not None

    def items(self, name: str) -> list[str]:
        """A list of ids, given as a JSON list or joined by commas."""
        value = self.values.get(name)
        if isinstance(value, list):
            return [str(item) for item in value]
        return [part.strip() for part in self.text(name).split(",") if part.strip()]

    def structure(self, name: str, error: str) -> Any:
        """A JSON structure; a form carries it as a string. Unreadable is ``error``; absent is None."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise ApiError(error) from None


def bearer(request: web.Request) -> str:
    """The token of the Authorization header, or nothing."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


async def read_args(request: web.Request) -> Args:
    """Query, form or JSON; a token in a JSON body does not count, as at Slack."""
    values: dict[str, Any] = dict(request.query)
    token = bearer(request)
    if request.content_type == "application/json":
        try:
            body = await request.json()
        except ValueError:
            raise ApiError("invalid_json") from None
        if not isinstance(body, dict):
            raise ApiError("json_not_object")
        body.pop("token", None)
        return Args({**values, **body}, token)
    form = await request.post()
    values.update({key: value for key, value in form.items() if isinstance(value, str)})
    return Args(values, token or str(values.get("token", "")))
