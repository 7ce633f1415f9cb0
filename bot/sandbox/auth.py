"""Who a request comes from, as the real backend decides it: a signed token, or a session's cookie. Knows nothing of HTTP servers.

A token's user is read again each time and must be active; a session's user must only exist. That is the real one's fault, kept here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import Message
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import quote, unquote

import pymongo.database
from bson import ObjectId
from bson.errors import InvalidId

ISSUER, AUDIENCE, COOKIE = "vcc-manager", "vcc-users", "connect.sid"
LIFETIME = 7 * 86_400

Database = pymongo.database.Database[dict[str, Any]]


def token(secret: str, user_id: str, now: float | None = None) -> str:
    """A token as the sign-in hands it out: HS256, seven days."""
    issued = int(time.time() if now is None else now)
    payload = {"id": user_id, "iat": issued, "exp": issued + LIFETIME, "iss": ISSUER, "aud": AUDIENCE}
    parts = [_base64(json.dumps(each, separators=(",", ":")).encode()) for each in ({"alg": "HS256", "typ": "JWT"}, payload)]
    return ".".join([*parts, _signed(secret, ".".join(parts))])


def cookie(secret: str, session_id: str) -> str:
    """The value of the session's cookie, signed as express-session signs it."""
    return quote(f"s:{session_id}.{_cookie_signature(secret, session_id)}", safe="")


def user_of(database: Database, environment: Mapping[str, str], headers: Message) -> dict[str, Any] | None:
    """The user's document; None when nobody is signed in. Of a token first, else of a session."""
    authorization = headers.get("Authorization") or ""
    if authorization.startswith("Bearer "):
        return _by_token(database, environment.get("JWT_SECRET", ""), authorization.removeprefix("Bearer ").strip())
    return _by_session(database, environment.get("SESSION_SECRET") or "your-secret-key", headers.get("Cookie") or "")


def _by_token(database: Database, secret: str, text: str) -> dict[str, Any] | None:
    head, _, signature = text.rpartition(".")
    if not secret or not hmac.compare_digest(_signed(secret, head), signature):
        return None
    try:
        payload = json.loads(base64.urlsafe_b64decode(head.partition(".")[2] + "=="))
    except (ValueError, binascii.Error):
        return None
    if payload.get("iss") != ISSUER or payload.get("aud") != AUDIENCE or payload.get("exp", 0) < time.time():
        return None
    user = _user(database, str(payload.get("id")))
    return user if user is not None and user.get("isActive") is not False else None


def _by_session(database: Database, secret: str, header: str) -> dict[str, Any] | None:
    try:
        value = unquote(SimpleCookie(header)[COOKIE].value)
    except (KeyError, CookieError):
        return None
    session_id, _, signature = value.removeprefix("s:").rpartition(".")
    if not hmac.compare_digest(_cookie_signature(secret, session_id), signature):
        return None
    found = database["sessions"].find_one({"_id": session_id, "expires": {"$gt": datetime.now(UTC)}})
    if found is None:
        return None
    return _user(database, str(json.loads(found["session"]).get("passport", {}).get("user", "")))


def _user(database: Database, identity: str) -> dict[str, Any] | None:
    try:
        return database["users"].find_one({"_id": ObjectId(identity)})
    except InvalidId:
        return None


def _signed(secret: str, text: str) -> str:
    return _base64(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest())


def _cookie_signature(secret: str, session_id: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), session_id.encode(), hashlib.sha256).digest()).decode().rstrip("=")


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
