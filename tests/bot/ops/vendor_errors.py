"""Every exception class of a vendor, made into an error, so that a test can prove each one is translated."""

from __future__ import annotations

import inspect
from types import ModuleType, SimpleNamespace
from typing import Any

import aiohttp
import aiosmtplib
from aiohttp.client_exceptions import UnixClientConnectorError

KEY = SimpleNamespace(host="h", port=1, ssl=False, is_ssl=False)


def arguments_of(kind: type[Exception]) -> tuple[Any, ...] | None:
    """What a class takes that cannot be guessed."""
    if issubclass(kind, UnixClientConnectorError):
        return ("/nowhere", KEY, OSError(2, "no such file"))
    if issubclass(kind, aiohttp.ClientConnectorError | aiohttp.ClientConnectorCertificateError):
        return (KEY, OSError(111, "refused"))
    if issubclass(kind, aiohttp.ClientResponseError):
        return (SimpleNamespace(real_url="http://h/"), ())
    if issubclass(kind, aiosmtplib.SMTPResponseException):
        named = issubclass(kind, aiosmtplib.SMTPSenderRefused | aiosmtplib.SMTPRecipientRefused)
        return (550, "no", "a@b") if named else (550, "no")
    if issubclass(kind, aiosmtplib.SMTPRecipientsRefused):
        return ([aiosmtplib.SMTPRecipientRefused(450, "later", "a@b")],)
    return ("bad", "{", 0) if kind.__name__ == "JSONDecodeError" else None


def classes_of(module: ModuleType, base: type[Exception]) -> list[type[Exception]]:
    """The public exception classes of a module that are of the vendor's tree, by name."""
    found = [member for name, member in inspect.getmembers(module, inspect.isclass) if issubclass(member, base) and name[0] != "_"]
    assert len(found) > 2, "the walk found next to nothing: it looks in the wrong place"
    return found


def instances_of(module: ModuleType, base: type[Exception]) -> list[Exception]:
    """One error of each class."""
    return [make(kind) for kind in classes_of(module, base)]


def make(kind: type[Exception]) -> Exception:
    """An error of this class with harmless arguments."""
    given = arguments_of(kind)
    if given is not None:
        return kind(*given)
    for count in range(8):
        for argument in ("x", 1, {"x": "x"}, "1 host:6379"):
            try:
                return kind(*[argument] * count)
            except (TypeError, AttributeError, KeyError, ValueError):
                continue
    raise AssertionError(f"cannot make {kind}")
