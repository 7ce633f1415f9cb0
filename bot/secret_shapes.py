"""Secrets that give themselves away by their own shape: tokens, provider keys, hashes, private keys, logins in addresses.

Every pattern is linear in the text: a pattern either is bounded, or swallows all it has read and lets a function judge it
afterwards. Knows nothing of the names that stand before a secret.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from bot.secret_names import is_marked, mark

Judge = Callable[["re.Match[str]"], str]


@dataclass(frozen=True, slots=True)
class _Shape:
    """One pattern. ``hints`` are lower-case strings of which the text must hold one: most lines are spared the pattern."""

    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    replace: str | Judge


def without_shapes(text: str) -> str:
    """``text`` with every secret that is recognisable by itself replaced by a mark."""
    lowered = text.lower()
    for shape in _SHAPES:
        if any(hint in lowered for hint in shape.hints):
            text = shape.pattern.sub(shape.replace, text)
    return text


def _plain(kind: str, pattern: str, *hints: str) -> _Shape:
    return _Shape(hints, re.compile(pattern), mark(kind))


def _judged(judge: Judge, pattern: str, *hints: str) -> _Shape:
    return _Shape(hints, re.compile(pattern), judge)


def _after(kind: str, pattern: str, *hints: str) -> _Shape:
    """Keeps group 1, replaces the rest."""
    return _Shape(hints, re.compile(pattern), r"\g<1>" + mark(kind))


# ---------------------------------------------------------------- logins in addresses
_SCHEMES = (
    r"(?:mongodb(?:\+srv)?|rediss?|postgres(?:ql)?|mysql|mariadb|amqps?|smtps?|s?ftps?|ldaps?|nats|mqtts?|kafka|s3|https?|wss?|ssh|git)"
)
_WEB = re.compile(r"(?:https?|wss?|git|ssh)$", re.IGNORECASE)
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]*+)(?::[0-9]{1,5}(?![0-9]))?+")
_QUOTES = "\"'`"


def _starts_with_host(rest: str, web: bool) -> bool:
    """True when ``rest`` (what follows ``://``) opens with a host, so that a later @ belongs to a path or another field.

    A database address with an @ far behind is taken for a login all the same: raw passwords hold / and ?.
    """
    following = rest[_HOST.match(rest).end() :][:1]  # type: ignore[union-attr]  # it matches the empty string too
    if following in ("", *_QUOTES):
        return True
    return web and (following in "/?#,;()[]{}<>|\\" or (ord(following) > 127 and following != "‹"))


def _hide_login(rest: str, web: bool) -> str:
    at = rest.rfind("@")
    if at <= 0 or _starts_with_host(rest, web) or is_marked(rest[:at]):
        return rest
    if rest[:at] == "git":
        return rest
    return mark("login") + rest[at:]


def _address(match: re.Match[str]) -> str:
    before = match.string[max(0, match.start() - 5) : match.start()]
    return "://" + _hide_login(match[1], _WEB.search(before) is not None)


def _encoded_address(match: re.Match[str]) -> str:
    rest = unquote(match[1])
    before = match.string[max(0, match.start() - 5) : match.start()]
    hidden = _hide_login(rest, _WEB.search(before) is not None)
    return match[0] if hidden == rest else match[0][:9] + hidden


# ---------------------------------------------------------------- judged ones
def _jwt(match: re.Match[str]) -> str:
    whole = match[0]
    header, dot, _ = whole.partition(".")
    if "%2e" in whole.lower() or (dot and len(header) >= 12):
        return mark("jwt")
    # A header alone (cut off by a width limit) holds nothing yet; what is cut later may.
    return mark("jwt") if whole.startswith(("eyJhbGciOi", "eyJ0eXAiOi", "eyJraWQiOi")) else whole


def _basic(match: re.Match[str]) -> str:
    try:
        decoded = base64.b64decode(match[2] + "=" * (-len(match[2]) % 4), validate=True)
    except (binascii.Error, ValueError):
        return match[0]
    return match[1] + mark("login") if b":" in decoded else match[0]


def _bearer(match: re.Match[str]) -> str:
    token = match[2]
    looks_random = len(token) >= 24 or any(letter.isdigit() for letter in token)
    return match[1] + mark("token") if looks_random else match[0]


def _path_token(match: re.Match[str]) -> str:
    token = match[2]
    looks_random = len(token) >= 16 or any(letter.isdigit() for letter in token)
    return match[1] + mark("token") if looks_random else match[0]


def _vcc_key(match: re.Match[str]) -> str:
    """Volumes and networks are called vcc_…, too: their parts are plain words or plain numbers."""
    parts = [part for part in re.split(r"[_-]", match[1]) if part]
    named = all(len(part) <= 14 and ((part.isalpha() and part.islower()) or part.isdigit()) for part in parts)
    return match[0] if named else mark("key")


def _private_key(match: re.Match[str]) -> str:
    if match[2]:
        return mark("private-key")
    # Never closed: take what can be its body, and give back what follows.
    body = re.match(r"(?:[A-Za-z0-9+/=]{16,}+|\\+[nr]|\s++|[A-Za-z0-9+/=]{1,15}+(?=\s*\Z))*+", match[1])
    return mark("private-key") + match[1][body.end() if body else 0 :]


def _key_body_line(match: re.Match[str]) -> str:
    """A line of a private key met by itself (a log read line by line). A digest of 64 hex digits is none."""
    line = match[2]
    mixed = re.search("[a-z]", line) and re.search("[A-Z]", line) and re.search("[0-9+/]", line)
    return match[1] + mark("private-key") if mixed else match[0]


_KEY_NAME = r"[A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?"

_SHAPES: tuple[_Shape, ...] = (
    _judged(
        _private_key,
        rf"-----BEGIN {_KEY_NAME}-----((?:(?!-----(?:BEGIN|END))[\s\S])*+)(-----END {_KEY_NAME}-----)?",
        "private key",
    ),
    _Shape(
        ("",),
        re.compile(r"(^|[|] )((?:[A-Za-z0-9+/]{64}|[A-Za-z0-9+/]{70}|[A-Za-z0-9+/]{76}))(?=\r?$)", re.MULTILINE),
        _key_body_line,
    ),
    _Shape(("://",), re.compile(rf"://((?:(?!{_SCHEMES}://)\S)*+)", re.IGNORECASE), _address),
    _Shape(("%3a%2f%2f",), re.compile(r"%3A%2F%2F((?:(?!%3A%2F%2F)[^\s&\"'<>])*+)", re.IGNORECASE), _encoded_address),
    _judged(_jwt, r"eyJ[A-Za-z0-9_-]*+(?:(?:\.|%2[Ee])[A-Za-z0-9_-]*+){0,4}+", "eyj"),
    _plain(
        "hash",
        r"(?:\$|%24){1,2}(?:2[abxy]?|[156y]|argon2(?:id|i|d)|scrypt)(?:\$|%24){1,2}(?:[./A-Za-z0-9$=,+-]|%(?:24|2[Ff])){8,}+",
        "$2", "%242", "$1$", "$5$", "$6$", "$y$", "$argon2", "$scrypt",
    ),
    _plain("session", r"(?<![A-Za-z0-9])s(?::|%3[Aa])[A-Za-z0-9_-]{16,}+\.(?:[A-Za-z0-9+/=_-]|%[0-9A-Fa-f]{2})++", "s:", "s%3a"),
    _judged(_bearer, r"(?i)(\bBearer(?:[ \t]{1,4}|%20|\+))([A-Za-z0-9._~+/=-]{6,}+)", "bearer"),
    _judged(_basic, r"(?i)(\bBasic(?:[ \t]{1,4}|%20|\+))([A-Za-z0-9+/]{6,}+)={0,2}", "basic"),
    _after("webhook", r"(?i)(\bhooks\.slack(?:-gov)?\.com/[a-z-]{1,20}/)[^\s\"'<>)|\\‹]++", "hooks.slack"),
    _after("webhook", r"(?i)(/webhooks/[0-9]{5,25}/)[\w-]{8,}+", "/webhooks/"),
    _after("token", r"(?i)(/interactions/[0-9]{5,25}/)[\w-]{8,}+", "/interactions/"),
    _judged(
        _path_token,
        r"(?i)((?:/|%2F)(?:reset-?password|password-?reset|verify-email|email-verification|magic-link|invitations?)(?:/|%2F))([A-Za-z0-9._~-]{6,}+)",
        "reset", "verif", "magic", "invitation",
    ),
    _plain("key", r"AIza[0-9A-Za-z_-]{20,}+|GOCSPX-[0-9A-Za-z_-]{16,}+|\bya29\.[0-9A-Za-z_.-]{16,}+", "aiza", "gocspx-", "ya29."),
    _plain("key", r"(?<![A-Za-z0-9])(?:sk|rk|pk)[-_](?:[a-z0-9]{2,8}[-_]){0,2}[A-Za-z0-9_-]{20,}+", "sk-", "sk_", "rk_", "pk_"),
    _plain("token", r"xox[a-z](?:\.xox[a-z])?-[0-9A-Za-z-]{6,}+|xapp-[0-9A-Za-z-]{8,}+", "xox", "xapp-"),
    _plain(
        "token",
        r"(?<![A-Za-z0-9_-])[MNO][A-Za-z0-9_-]{22,28}\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{27,}+",
        ".",
    ),
    _plain("token", r"gh[pousr]_[A-Za-z0-9]{16,}+|github_pat_[A-Za-z0-9_]{16,}+", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
    _plain("token", r"glpat-[A-Za-z0-9_-]{16,}+|\bnpm_[A-Za-z0-9]{30,}+|dckr_pat_[\w-]{16,}+", "glpat-", "npm_", "dckr_pat_"),
    _plain("key", r"\bSG\.[A-Za-z0-9_-]{16,}+\.[A-Za-z0-9_-]{16,}+|\bhf_[A-Za-z0-9]{30,}+", "sg.", "hf_"),
    _plain("key", r"(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])", "akia", "asia", "abia", "acca"),
    _after(
        "key",
        r"((?i:aws|secret.?access.?key)[^\n]{0,40}?(?<![A-Za-z0-9/+]))(?![0-9a-f]{40})[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+])",
        "aws", "access",
    ),
    _judged(_vcc_key, r"(?<![A-Za-z0-9])vcc_([A-Za-z0-9_-]{16,}+)", "vcc_"),
    _plain("encrypted", r"enc:v[0-9]{1,2}:[A-Za-z0-9+/=:_.-]{4,}+", "enc:v"),
)  # fmt: skip
