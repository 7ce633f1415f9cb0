"""Which names announce a secret (``JWT_SECRET``, ``passwordResetToken``), and the mark put in a secret's place.

Knows nothing of text or where the names were found.
"""

from __future__ import annotations

import re

KINDS = (
    "secret", "password", "token", "key", "session", "signature", "hash", "login",
    "jwt", "webhook", "private-key", "encrypted",
)  # fmt: skip
# Only our own kinds count as a mark: otherwise whoever writes the log could dress a secret up as one.
MARK = re.compile("‹redacted:(?:" + "|".join(KINDS) + ")›")

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_KOREAN = {"비밀번호": "password", "암호": "password", "패스워드": "password", "토큰": "token"}
# Compared with the name in lower case and without separators, so that dbpassword and DB_PASSWORD are one.
_ENDINGS = (
    ("passwordhash", "hash"), ("keyhash", "hash"), ("tokenhash", "hash"), ("passhash", "hash"),
    ("password", "password"), ("passwd", "password"), ("passphrase", "password"), ("passcode", "password"),
    ("requirepass", "password"), ("masterauth", "password"), ("rediscliauth", "password"), ("pwd", "password"),
    ("secret", "secret"), ("credential", "secret"), ("credentials", "secret"),
    ("token", "token"), ("jwt", "token"), ("authorization", "token"),
    ("signature", "signature"), ("cookie", "session"), ("cookies", "session"),
    ("session", "session"), ("sessionid", "session"), ("sessid", "session"),
)  # fmt: skip
_LAST_WORDS = {"pass": "password", "sig": "signature", "sid": "session", "otp": "token", "totp": "token"}
_KEY_OWNERS = frozenset({
    "api", "access", "secret", "private", "encryption", "encrypt", "signing", "sign", "master", "auth", "session", "jwt", "license",
    "service", "storage", "account", "shared", "webhook", "client", "deploy", "ssh", "tls", "ssl", "hmac", "aes", "rsa", "bot",
    "crypt", "cipher", "security", "provider", "host",
})  # fmt: skip
_OPEN_KEYS = frozenset({
    "public", "primary", "foreign", "unique", "sort", "partition", "cache", "index", "group", "routing", "redis", "registry", "hkey",
    "locale", "message",
})  # fmt: skip
# In a URL's query these carry secrets; anywhere else they are ordinary words.
_QUERY_ONLY = {"code": "token", "key": "key", "ticket": "token", "auth": "token", "hash": "hash"}
# The working directory of a shell, in every environment dump.
_NOT_SECRET = frozenset({"PWD", "OLDPWD", "pwd"})


def mark(kind: str) -> str:
    """What stands where a secret stood. None of its characters means anything to Slack or Discord."""
    return f"‹redacted:{kind}›"


def is_marked(value: str) -> bool:
    """True when nothing is left to hide in ``value``: it is empty or one mark."""
    return not value or MARK.fullmatch(value) is not None


def kind_of(name: str, *, in_query: bool = False) -> str:
    """The kind of secret ``name`` announces; empty when it announces none."""
    if name in _KOREAN:
        return _KOREAN[name]
    if name in _NOT_SECRET:
        return ""
    words = [word.lower() for word in _WORD.findall(name)]
    while len(words) > 1 and words[-1].isdigit():
        words.pop()
    if not words:
        return ""
    return _by_ending(words) or _key_kind(name, words) or (_QUERY_ONLY.get(words[-1], "") if in_query else "")


def _by_ending(words: list[str]) -> str:
    if words[-1] in _LAST_WORDS:
        return _LAST_WORDS[words[-1]]
    if words[-1] == "auth":
        # `_auth` of npm, REDISCLI_AUTH: yes; the bare word, and --no-auth: no.
        return "password" if len(words) > 1 and words[0] not in {"no", "require", "requires"} else ""
    joined = "".join(words)
    for ending, kind in _ENDINGS:
        if joined.endswith(ending):
            return kind
    return ""


def _key_kind(name: str, words: list[str]) -> str:
    joined = "".join(words)
    if not joined.endswith("key"):
        return ""
    owner = joined.removesuffix("key")
    if any(owner.endswith(word) for word in _KEY_OWNERS):
        return "key"
    shouted = name.endswith("_KEY") and name == name.upper()
    return "key" if shouted and words[-2:-1] and words[-2] not in _OPEN_KEYS else ""
