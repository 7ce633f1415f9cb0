"""Who may come in, and the end of it: sessions, one user, API keys, the password of a database account.

Fields and collections as VCC Manager has them; those that a version does not have count nothing. Changes only what it is told to.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from bson import ObjectId
from bson.errors import InvalidId
from pymongo import AsyncMongoClient
from pymongo.uri_parser import parse_uri

from bot.errors import NotFound
from bot.ops.bounded import within
from bot.ops.mongo_errors import MONGODB, SYSTEM

_SLOW = 30.0
_USERS, _SESSIONS, _KEYS = "users", "sessions", "apikeys"
_NOT_REVOKED = {"isRevoked": {"$ne": True}}


@dataclass(frozen=True, slots=True)
class UserAccess:
    """One user and what lets them in: open sessions, API keys that are not revoked, whether a password reset is under way."""

    id: str
    email: str
    active: bool
    admin: bool
    sessions: int
    keys: int
    resetting: bool


class Access:
    """Of the users in ``database``. ``deadline`` (seconds) bounds each question."""

    def __init__(self, client: AsyncMongoClient[dict[str, Any]], database: str, deadline: float) -> None:
        self._client = client
        self._database = client[database]
        self._deadline = deadline

    async def sessions(self) -> int:
        """All of them; 0 where there is no such collection."""
        async with within(MONGODB, self._deadline):
            return await self._database[_SESSIONS].count_documents({})

    async def keys(self) -> int:
        """API keys that still open the door."""
        async with within(MONGODB, self._deadline):
            return await self._database[_KEYS].count_documents(_NOT_REVOKED)

    async def user(self, who: str) -> UserAccess:
        """By e-mail address, in any case, or by id. NotFound when there is none."""
        async with within(MONGODB, self._deadline):
            found = await self._database[_USERS].find_one(_wanted(who))
            if found is None:
                raise NotFound(SYSTEM, "user")
            identity = found["_id"]
            sessions = await self._database[_SESSIONS].count_documents(_of_user(str(identity)))
            keys = await self._database[_KEYS].count_documents({**_NOT_REVOKED, "userId": identity})
        active, admin = found.get("isActive") is not False, bool(found.get("isAdmin"))
        email, resetting = str(found.get("email", "")), bool(found.get("passwordResetToken"))
        return UserAccess(str(identity), email, active, admin, sessions, keys, resetting)

    async def end_sessions(self, user_id: str = "") -> int:
        """Delete all sessions, or one user's; how many. They cannot be brought back."""
        async with within(MONGODB, _SLOW):
            result = await self._database[_SESSIONS].delete_many(_of_user(user_id) if user_id else {})
        return int(result.deleted_count)

    async def revoke_keys(self, user_id: str = "") -> int:
        """Revoke all API keys, or one user's; how many were not revoked before."""
        wanted = {**_NOT_REVOKED, "userId": ObjectId(user_id)} if user_id else _NOT_REVOKED
        async with within(MONGODB, _SLOW):
            changes = {"$set": {"isRevoked": True, "revokedAt": datetime.now(UTC)}}
            result = await self._database[_KEYS].update_many(wanted, changes)
        return int(result.modified_count)

    async def set_active(self, user_id: str, *, active: bool) -> None:
        """Let a user in or not; a password reset that was under way is void then. NotFound when there is none."""
        reset: dict[str, Any] = {} if active else {"$unset": {"passwordResetToken": "", "passwordResetExpires": ""}}
        async with within(MONGODB, self._deadline):
            result = await self._database[_USERS].update_one({"_id": ObjectId(user_id)}, {"$set": {"isActive": active}, **reset})
        if not result.matched_count:
            raise NotFound(SYSTEM, "user")

    async def change_password(self, account: str, password: str) -> None:
        """Of an account in ``admin``. Connections that are open stay so. Denied when the login or the right (userAdmin) is wrong."""
        async with within(MONGODB, self._deadline):
            await self._client.admin.command("updateUser", account, pwd=password)


def account_of(uri: str) -> str:
    """The name that an address logs in with; empty when it has none. ValueError when it is no address."""
    return str(parse_uri(uri, validate=False).get("username") or "")


def with_password(uri: str, password: str) -> str:
    """The same address with another password; one without a name in it stays as it is. Works for Redis' addresses as well."""
    return re.sub(
        r"^([a-z][a-z0-9+.-]*://)([^:/?#]*):(.*)@([^@]*)$",
        lambda found: f"{found[1]}{found[2]}:{quote(password, safe='')}@{found[4]}",
        uri,
        count=1,
        flags=re.DOTALL,
    )


def _wanted(who: str) -> dict[str, Any]:
    try:
        return {"_id": ObjectId(who)}
    except InvalidId:
        return {"email": who.strip().lower()}


def _of_user(user_id: str) -> dict[str, Any]:
    """Sessions are JSON in a string; the id there stands in quotes."""
    return {"session": {"$regex": rf'"user":\s*{re.escape(json.dumps(user_id))}'}}
