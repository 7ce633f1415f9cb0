"""Every secret a sandbox holds: those made per sandbox, and fixed ones planted in logs and documents for leak tests to find.

Knows nothing of where they are used.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

TYPED_PASSWORD = "Gildong!2026-typed"  # noqa: S105 - planted in the backend's log as the real one does
SECOND_TYPED_PASSWORD = "Sunhee#Spring77"  # noqa: S105
PASSWORD_HASH = "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"  # noqa: S105
ADMIN_PASSWORD_HASH = "$2b$12$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"  # noqa: S105
_CALLBACK_PARTS = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9",
    "eyJpZCI6IjY1YTAwMDAwMDAwMDAwMDAwMDAwMDAwMSIsImlzcyI6InZjYy1tYW5hZ2VyIiwiYXVkIjoidmNjLXVzZXJzIn0",
    "c2FuZGJveC1wbGFudGVkLXNpZ25hdHVyZS0wMDAwMDAwMDE",
)
CALLBACK_TOKEN = ".".join(_CALLBACK_PARTS)
PROVIDER_KEY = "sk-proj-sandboxPlanted4f81c0d2e97b6a35"
RESET_TOKEN = "9f2c41d7a8e05b36c1f4d92e7b60a853"  # noqa: S105
URL_SIGNATURE = "b7e23ec29af22b0b4e41da31e868d57226121c84a95b1e2f"
GOOGLE_CLIENT_SECRET = "GOCSPX-sandboxPlantedQ2x7Lr9"  # noqa: S105

SEEDED_SECRETS: tuple[str, ...] = (
    TYPED_PASSWORD,
    SECOND_TYPED_PASSWORD,
    PASSWORD_HASH,
    ADMIN_PASSWORD_HASH,
    CALLBACK_TOKEN,
    PROVIDER_KEY,
    RESET_TOKEN,
    URL_SIGNATURE,
    GOOGLE_CLIENT_SECRET,
)


@dataclass(frozen=True, slots=True)
class Secrets:
    """The passwords of one sandbox. Hexadecimal, since other characters break the connection strings."""

    mongo_password: str
    redis_password: str
    jwt_secret: str
    session_secret: str


def generate() -> Secrets:
    return Secrets(secrets.token_hex(24), secrets.token_hex(24), secrets.token_hex(32), secrets.token_hex(32))


def seeded_secrets(home: Path) -> list[str]:
    """The fixed secrets and, when this home holds a sandbox, its own: none of them may ever leave."""
    found = list(SEEDED_SECRETS)
    identity = home / "sandbox" / "identity.json"
    if identity.exists():
        found.extend(json.loads(identity.read_text(encoding="utf-8"))["secrets"].values())
    return found
