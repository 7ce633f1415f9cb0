"""A user of the deployment with an open session and a token, as somebody would hold them who got in. Uses the vendor's client."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bson import ObjectId

from bot.sandbox.auth import cookie, token
from tests.grounds.ground import Ground


def variables(ground: Ground, service: str = "backend") -> dict[str, str]:
    """What a service's container runs with."""
    entries: list[str] = ground.container(service).attrs["Config"]["Env"]
    return dict(entry.partition("=")[::2] for entry in entries)


@dataclass(frozen=True)
class SignedIn:
    """``token`` and ``cookie`` are what the person's browser holds."""

    id: str
    email: str
    token: str
    cookie: str

    def by_token(self, ground: Ground) -> int:
        """What the backend answers to the token."""
        return me(ground, {"Authorization": f"Bearer {self.token}"})

    def by_session(self, ground: Ground) -> int:
        """What the backend answers to the session's cookie."""
        return me(ground, {"Cookie": f"connect.sid={self.cookie}"})


def sign_in(ground: Ground, email: str) -> SignedIn:
    """A user (made when there is none), signed in both ways with the secrets in force now."""
    now, told = datetime.now(UTC), variables(ground)
    with ground.mongo() as mongo:
        database = mongo["vcc-manager"]
        found = database["users"].find_one({"email": email})
        identity = found["_id"] if found else ObjectId()
        database["users"].update_one(
            {"_id": identity},
            {"$set": {"email": email, "nickname": email, "isActive": True, "isAdmin": False, "password": "$2b$12$" + "x" * 53}},
            upsert=True,
        )
        session = json.dumps({"cookie": {}, "passport": {"user": str(identity)}})
        session_id = f"session-of-{identity}"
        database["sessions"].replace_one(
            {"_id": session_id}, {"_id": session_id, "expires": now + timedelta(hours=12), "session": session}, upsert=True
        )
    return SignedIn(str(identity), email, token(told["JWT_SECRET"], str(identity)), cookie(told["SESSION_SECRET"], session_id))


def me(ground: Ground, headers: dict[str, str]) -> int:
    """The status of ``GET /api/auth/me``."""
    request = urllib.request.Request(f"{ground.addresses['backend']}/api/auth/me", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code
