"""Secrets that are given away by what stands before them: ``password: 'x'``, ``JWT_SECRET=x``, ``redis-cli -a x``.

Judges names by ``secret_names`` and finds where the value ends; what a secret itself looks like is not its business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.secret_names import is_marked, kind_of, mark

_HINTS = (
    "pass", "pwd", "secret", "token", "key", "auth", "cookie", "credential", "sess", "sid", "sig", "hash", "otp", "jwt",
    "code", "ticket", "비밀번호", "암호", "패스워드", "토큰",
)  # fmt: skip
_COMMAND_HINTS = ("--", "redis-", "requirepass", "masterauth", "mongo", "mysql", "sshpass", "curl")

_LABEL = re.compile(
    r"""(?<![A-Za-z0-9_$.-])(?P<name>[A-Za-z0-9_$.-]++|비밀번호|암호|패스워드|토큰)
    (?P<closing>\\*+["'`]|\]|%5D|%22)?+[ \t]{0,8}+
    (?P<separator>=>(?=[ \t]{0,8}\\{0,7}["'`])|:=|=(?!>|={1,2}(?:[ \t]|$))|:(?!//|:)|：|%3D|%3A)(?P<gap>[ \t]{0,8}+)""",
    re.VERBOSE | re.IGNORECASE,
)
_OPENING = re.compile(r"(\\*+)([\"'`])")
_CLOSING = {quote: re.compile(rf"(?<!\\)(\\*+){quote}|\n") for quote in "\"'`"}
# A quote ends an unquoted value only where it looks like a closing one: passwords hold quotes, too.
_UNQUOTED = re.compile(r"(?:[^\s\"'`]|[\"'`](?![\s,\]}):;]|$))*+")
_QUERY = re.compile(r"(?:(?!%26)[^\s&#;\"'`<>])*+", re.IGNORECASE)
_LINE = re.compile(r"[^\n]*+")
_SCHEME = re.compile(r"(?:Bearer|Basic|Bot|Token|Digest|Negotiate|ApiKey|Key|AWS4-HMAC-SHA256)[ \t]", re.IGNORECASE)
_REFERENCE = re.compile(r"\$\{?[A-Za-z_][A-Za-z0-9_]*\}?|%[A-Z_]+%|<[a-z_ -]{1,20}>|process\.env\.[A-Z_0-9]+")
_TRAILING = ",;)}]\\"
_PROSE_LIMIT = 256
# Values that say something about a secret instead of being one.
_HARMLESS = frozenset({
    "true", "false", "null", "none", "nil", "undefined", "nan", "expired", "invalid", "missing", "required", "malformed", "revoked",
    "wrong", "incorrect", "empty", "ok", "set", "unset", "changed", "updated", "string", "number", "boolean", "object", "valid",
    "denied", "failed", "failure", "rejected", "unknown", "mismatch", "latest", "error", "not", "is", "must", "yes", "no", "on",
    "off", "enabled", "disabled", "hidden", "redacted", "masked", "removed", "field", "input", "optional", "created", "started",
    "ended", "closed", "default", "bearer", "basic", "cookie", "path", "httponly", "secure", "strict", "lax", "[object", "[redacted]",
    "[filtered]", "{}", "[]",
})  # fmt: skip


def without_labelled(text: str) -> str:
    """``text`` with every value that a name or an option announces as secret replaced by a mark."""
    lowered = text.lower()
    if any(hint in lowered for hint in _HINTS):
        text = _replaced(text, _labelled(text))
    if any(hint in lowered for hint in _COMMAND_HINTS):
        text = _replaced(text, _options(text))
    return text


def is_harmless(value: str) -> bool:
    """True for a value that is no secret whatever its name says: ``null``, ``expired``, ``${JWT_SECRET}``."""
    core = value.strip(" \t.,;:!?)]}'\"")
    return core.lower() in _HARMLESS or value.lower() in _HARMLESS or _REFERENCE.fullmatch(core + "}" * value.endswith("}")) is not None


def _replaced(text: str, found: Iterator[tuple[int, int, str]]) -> str:
    pieces: list[str] = []
    done = 0
    for start, end, kind in found:
        pieces += (text[done:start], mark(kind))
        done = end
    return "".join((*pieces, text[done:]))


def _labelled(text: str) -> Iterator[tuple[int, int, str]]:
    position = 0
    while label := _LABEL.search(text, position):
        position = label.end()
        kind = kind_of(label["name"], in_query=_in_query(text, label.start()))
        span = _value(text, label) if kind else None
        if span is None:
            continue
        start, end = span
        position = max(position, end)
        if not is_marked(text[start:end]):
            yield start, end, kind


def _in_query(text: str, start: int) -> bool:
    return text[max(0, start - 1) : start] in {"?", "&", "#"} or text[max(0, start - 5) : start] == "&amp;"


def _value(text: str, label: re.Match[str]) -> tuple[int, int] | None:
    """Where the value after ``label`` starts and ends; None when it is no secret."""
    start = label.end()
    opening = _OPENING.match(text, start)
    if opening is not None:
        return _quoted(text, opening.end(), opening[2], len(opening[1]))
    whole = _whole_line(text, label)
    if whole is not None:
        return whole
    if _in_query(text, label.start()) or label["separator"].startswith("%"):
        match = _QUERY.match(text, start)
        end = match.end() if match else start
        return None if _is_plain_code(label["name"], text[start : min(end, start + 8)]) else (start, end)
    enclosed = _enclosed(text, label)
    return enclosed if enclosed is not None else _bare(text, label)


def _is_plain_code(name: str, value: str) -> bool:
    """``?code=404`` is an answer's number, not a login's one-time code; ``?key=a`` and the like are too short to matter."""
    return (name.lower() in {"code", "key", "ticket", "hash", "auth"} and len(value) <= 5) or is_harmless(value)


def _quoted(text: str, start: int, quote: str, depth: int) -> tuple[int, int]:
    """To the closing quote, which carries as many backslashes as the opening one; to the end of the line when there is none."""
    for closing in _CLOSING[quote].finditer(text, start):
        if closing[0] == "\n":
            return start, closing.start()
        slashes = len(closing[1])
        if slashes < depth:
            return start, closing.start()
        if slashes % (2 * (depth + 1)) == depth:
            return start, closing.end() - 1 - depth
    return start, len(text)


def _enclosing(text: str, label: re.Match[str]) -> tuple[str, int] | None:
    """The quote that was opened right before the name, and its backslashes: ``"JWT_SECRET=x y"``."""
    quote = text[max(0, label.start() - 1) : label.start()]
    if quote not in _CLOSING or label["closing"]:
        return None
    before = text[max(0, label.start() - 9) : label.start() - 1]
    return quote, len(before) - len(before.rstrip("\\"))


def _enclosed(text: str, label: re.Match[str]) -> tuple[int, int] | None:
    enclosing = _enclosing(text, label)
    if enclosing is None or label["separator"] != "=" or label["gap"]:
        return None
    span = _quoted(text, label.end(), *enclosing)
    return None if span[1] - span[0] <= _PROSE_LIMIT and is_harmless(text[slice(*span)]) else span


def _whole_line(text: str, label: re.Match[str]) -> tuple[int, int] | None:
    """Headers whose value has several words: ``Authorization: Bearer x``, ``Cookie: a=b; c=d``."""
    name = label["name"].lower()
    start = label.end()
    is_cookie = name.endswith("cookie") and "=" in text[start : start + 64].split(" ", 1)[0]
    if not is_cookie and not (name.endswith("authorization") and _SCHEME.match(text, start)):
        return None
    enclosing = _enclosing(text, label)
    if enclosing is not None:
        return _quoted(text, start, *enclosing)
    match = _LINE.match(text, start)
    return start, match.end() if match else start


def _bare(text: str, label: re.Match[str]) -> tuple[int, int] | None:
    start = label.end()
    head = _UNQUOTED.match(text, start, start + _PROSE_LIMIT + 1)
    value = head[0] if head else ""
    # Longer than any sentence's word: no need to judge it, and judging it again for each name in it would cost the square.
    if len(value) <= _PROSE_LIMIT and _is_prose(text, label, value):
        return None
    match = _UNQUOTED.match(text, start)
    end = match.end() if match else start
    trailing = "\\" if _is_shouted(label["name"]) else _TRAILING
    while end > start + 1 and text[end - 1] in trailing:
        end -= 1
    return start, end


def _is_shouted(name: str) -> bool:
    """Named as environment variables are: nobody writes of JWT_SECRET in a sentence with a colon behind it."""
    return "_" in name and name == name.upper()


def _is_prose(text: str, label: re.Match[str], value: str) -> bool:
    """``password: must be longer`` speaks of a password; ``password: hunter2`` tells it."""
    core = value.rstrip(",;)}]\\.:!?")
    if not core or is_harmless(value) or value in {"{", "["}:
        return True
    name, loose = label["name"], bool(label["gap"]) or label["separator"] in {":", "："}
    if not loose or _is_shouted(name):
        return False
    if core[0] in "{[(" or len(core) < 3 or any(letter.isalpha() and ord(letter) > 0x1100 for letter in core):
        return True
    following = (
        text[label.end() + len(value) :][:40] if len(text) < 4096 else text[label.end() + len(value) : label.end() + len(value) + 40]
    )
    next_word = re.match(r"[ \t]+([^\s]+)", following)
    return core.isalpha() and next_word is not None and next_word[1][:1].isalpha() and not re.search("[:=]", next_word[1])


# ---------------------------------------------------------------- command lines
_COMMAND = re.compile(
    r"""(?P<end>\n)|(?P<program>redis-cli|mongo(?:sh|dump|restore|export|import|stat|top|files)?(?![A-Za-z0-9_:+])|mysql(?:dump|admin)?|sshpass|curl)
    |(?<![A-Za-z0-9_-])(?P<option>--[A-Za-z][A-Za-z0-9-]*+|-[A-Za-z]|requirepass|masterauth)
    (?P<separator>\\{0,7}["']\s{0,16},\s{0,16}(?=\\{0,7}["'])|[ \t]{1,8}+|=(?=\S))""",
    re.VERBOSE,
)
_SHORT_OPTIONS = {"redis-cli": "-a", "curl": "-u", "sshpass": "-p"}


def _options(text: str) -> Iterator[tuple[int, int, str]]:
    program, position = "", 0
    while match := _COMMAND.search(text, position):
        position = match.end()
        if match["option"] is None:
            program = match["program"] or ""
            continue
        if not _takes_secret(match["option"], program):
            continue
        start, end = _argument(text, position)
        value = text[start:end]
        if is_marked(value) or value.startswith("--") or _says_nothing(value):
            continue
        position = end
        yield start, end, kind_of(match["option"]) or "password"


def _says_nothing(value: str) -> bool:
    return len(value) <= _PROSE_LIMIT and (is_harmless(value) or any(0xAC00 <= ord(letter) <= 0xD7A3 for letter in value))


def _takes_secret(option: str, program: str) -> bool:
    if len(option) == 2:
        return bool(program) and option == _SHORT_OPTIONS.get(program, "-p")
    return bool(kind_of(option))


def _argument(text: str, start: int) -> tuple[int, int]:
    opening = _OPENING.match(text, start)
    if opening is not None:
        return _quoted(text, opening.end(), opening[2], len(opening[1]))
    match = _UNQUOTED.match(text, start)
    end = match.end() if match else start
    while end > start and text[end - 1] == "\\":
        end -= 1
    return start, end
