"""Which log line is an error, and of what kind: by its form, never by the word "error" somewhere in it. Pure.

Knows how VCC's services write: morgan and nginx access lines, nginx's error log, MongoDB's JSON, Redis, Node's errors and
their traces. What people typed (prompts, bodies) appears indented or behind its own name and proves nothing.
"""

from __future__ import annotations

import enum
import re


class ErrorKind(enum.StrEnum):
    """What sort of error a line is. ``KNOWN`` is noise that means nothing and comes once for each process."""

    HTTP_5XX = "http_5xx"
    CONNECTION = "connection"
    UNHANDLED = "unhandled"
    APPLICATION = "application"
    DATABASE = "database"
    PROXY = "proxy"
    KNOWN = "known"


LOOK_AT = 4096
# Each form holds one of the literals by which ``log_candidates`` finds its lines: a new form may need a new literal there.
KNOWN_NOISE, KNOWN_NOISE_LED = "ERR_ERL_PERMISSIVE_TRUST_PROXY", "ValidationError: The Express 'trust proxy' setting is true"
# Combined access lines: the status stands right behind the quoted request, whose target cannot hold a space.
ACCESS = re.compile(
    r'^\S+ \S+ [^\[]{0,200}\[[^\]]{1,60}\] "(?:(?P<method>[A-Z]+) (?P<target>\S+) HTTP/[\d.]+|[^"]*)" (?P<status>\d{3}) (?:\d+|-)(?: |$)',
    re.ASCII,
)
NGINX_ERROR = re.compile(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[(?:error|crit|alert|emerg)\] (?P<rest>.*)", re.ASCII)
MONGO = re.compile(
    r'^\{"t":\{"\$date":"[^"]+"\},\s*"s":"(?P<severity>[A-Z]\d?)",\s*"c":"(?P<component>[^"]*)",\s*"id":(?P<id>\d+),'
    r'.{0,300}?"msg":"(?P<message>(?:[^"\\]|\\.)*)"',
    re.ASCII,
)
REDIS = re.compile(
    r"^\d+:[A-Z] \d\d \w{3} \d{4} [\d:.]+ # (?P<rest>(?!WARNING).*(?:[Ee]rror|[Ff]ail|MISCONF|OOM|[Cc]an't|[Cc]annot).*)", re.ASCII
)
UNHANDLED = re.compile(
    r"^(?:❌ ?)?\[?(?:(?:[Uu]ncaught|UNCAUGHT) (?i:Exception|\w*Error)|(?:[Uu]nhandled|UNHANDLED) (?i:(?:Promise )?Rejection)"
    r"|(?:[Uu]n|UN)(?:handled|HANDLED)(?i:PromiseRejection))",
    re.ASCII,
)
STAMPED = r"^(?:\[?\d{4}-\d\d-\d\d[T ][\d:.,]+Z?\]? )?"
ERROR_LED = re.compile(
    STAMPED + r"(?:(?:[A-Z]\w{0,60})?(?:Error|Exception)(?: \[\w+\])?: "  # TypeError: …, Error: …
    r"|\[(?:ERROR|FATAL|error|fatal)\] |(?:ERROR|FATAL|error|fatal): "  # a logger's level
    r"|Error [a-z][^:\"'{]{0,120}: "  # Error connecting to MongoDB: …
    r"|[Ff]ailed to [a-z][^:\"'{]{0,120}: "
    r"|Job [\w-]{1,64} failed\b"
    r"|❌)",
    re.ASCII,
)
# A word by itself; its first letter before the look behind it, as a search for a letter is quicker than one for a word's begin.
LOST = re.compile(r"E(?<!\wE)(?:CONNREFUSED|CONNRESET|HOSTUNREACH|NETUNREACH|NOTFOUND|AI_AGAIN|TIMEDOUT|PIPE)\b", re.ASCII)
LOST_TOLD = re.compile(r"^(?:MongoDB disconnected|Socket closed unexpectedly)")
USER_WORDS = re.compile(r"prompt|input|body|data", re.I | re.ASCII)


def classify(text: str) -> ErrorKind | None:
    """The kind of error that this line is; None when it is none, or belongs to the line before."""
    if not text or text[0] in " \t}":
        return None
    text = text[:LOOK_AT]
    access = accessed(text)
    if access:
        return ErrorKind.HTTP_5XX if access["status"][0] == "5" else None
    if text[0] == "{":
        entry = MONGO.match(text)
        return ErrorKind.DATABASE if entry and entry["severity"] in ("E", "F") else None
    return _worded(text)


def accessed(text: str) -> re.Match[str] | None:
    """What an access line says; most other lines are told apart by one look."""
    return ACCESS.match(text) if '] "' in text else None


def _worded(text: str) -> ErrorKind | None:
    """A line that is neither an access line nor JSON."""
    if NGINX_ERROR.match(text):
        return ErrorKind.PROXY
    if REDIS.match(text):
        return ErrorKind.DATABASE
    if UNHANDLED.match(text):
        return ErrorKind.UNHANDLED
    led = ERROR_LED.match(text)
    if led and (KNOWN_NOISE in text or text.startswith(KNOWN_NOISE_LED)):
        return ErrorKind.KNOWN
    if _lost(text, led is not None):
        return ErrorKind.CONNECTION
    return ErrorKind.APPLICATION if led else None


def _lost(text: str, led: bool) -> bool:
    """Whether it tells of a lost connection; not when the word only appears in something people typed."""
    if LOST_TOLD.match(text):
        return True
    found = LOST.search(text)
    return found is not None and (led or not USER_WORDS.search(text, 0, found.start()))


def continues(text: str) -> bool:
    """Whether a line belongs to the one before: a trace, or an object printed over several lines."""
    return bool(text) and text[0] in " \t}"
