"""How the fake says no: REST errors as Discord words them, and refusals of Discord's own client. Knows no state."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


class NotOffered(ValueError):
    """Discord's client would not have let the person do this: the command is unknown, a choice is wrong, a button disabled."""


class ApiError(Exception):
    """An answer of the REST API that refuses: HTTP status, Discord's error code, and its sentence."""

    def __init__(self, status: int, code: int, message: str, errors: Json | None = None) -> None:
        super().__init__(status, code, message, errors)
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors
        self.extra: Json = {}
        self.headers: dict[str, str] = {}

    def body(self) -> Json:
        """The JSON that goes over the wire."""
        answer: Json = {"message": self.message, "code": self.code, **self.extra}
        if self.errors:
            answer["errors"] = self.errors
        return answer


def invalid_form(path: str, code: str, message: str) -> ApiError:
    """50035 with the fault hung under its dotted ``path``, such as ``embeds.0.title``."""
    leaf: Json = {"_errors": [{"code": code, "message": message}]}
    for step in reversed([step for step in path.split(".") if step]):
        leaf = {step: leaf}
    return ApiError(400, 50035, "Invalid Form Body", leaf)


def too_long(path: str, limit: int) -> ApiError:
    """A text beyond its limit."""
    return invalid_form(path, "BASE_TYPE_MAX_LENGTH", f"Must be {limit} or fewer in length.")


def bad_length(path: str, low: int, high: int) -> ApiError:
    """A list or text outside its bounds."""
    return invalid_form(path, "BASE_TYPE_BAD_LENGTH", f"Must be between {low} and {high} in length.")


def unknown(what: str) -> ApiError:
    """404 with Discord's own number for each kind of thing."""
    codes = {"Channel": 10003, "Guild": 10004, "Member": 10007, "Message": 10008, "Role": 10011, "User": 10013}
    codes |= {"Webhook": 10015, "Interaction": 10062, "application command": 10063}
    return ApiError(404, codes[what], f"Unknown {what}")


def missing_access() -> ApiError:
    """The bot does not see the channel or the guild."""
    return ApiError(403, 50001, "Missing Access")


def missing_permissions() -> ApiError:
    """The bot sees it and may not do this with it."""
    return ApiError(403, 50013, "Missing Permissions")
