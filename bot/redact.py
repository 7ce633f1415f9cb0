"""Secrets out of anything said, logged or recorded: the literal ones we were given, and all that look like one.

Pure and linear in the length of the text. Knows no platform, no store and no setting by name.
"""

from __future__ import annotations

import base64
import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus, unquote

from bot.secret_labels import is_harmless, without_labelled
from bot.secret_names import KINDS, MARK, is_marked, kind_of, mark
from bot.secret_shapes import without_shapes

SHORTEST_LITERAL = 6
DEEPEST = 100
# One round nearly always suffices; a second proves it. More are only for marks that uncover another label.
_ROUNDS = 8
_REMEMBERED = 2_048
_REMEMBERED_LENGTH = 200
# Defaults and examples that are ordinary words: replaced only where a name or an address says they are secrets.
ORDINARY = frozenset(
    {*KINDS, "redacted", "passwd", "private", "mongodb", "backend", "frontend", "localhost", "default", "manager", "vcc-manager"}
    | {"production", "development", "example", "string", "username"}
)


class Redactor:
    """Replaces secrets by marks. ``known`` are the settings' own: passwords, tokens, and addresses with a login in them."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        # Titles, labels and names are said over and over.
        self._remembered = functools.lru_cache(maxsize=_REMEMBERED)(self._cleaned)
        self._known_forms: set[str] = set()
        self._known: re.Pattern[str] | None = None
        self.learn(known)

    def learn(self, known: Iterable[str]) -> None:
        """From now on these are secrets as well."""
        self._known_forms |= {form for secret in known for form in _forms(secret)}
        self._remembered.cache_clear()
        forms = self._known_forms
        if forms:
            # The longest first, or a shorter secret would leave the tail of a longer one. Marks first, so that a
            # secret such as "redact" never eats into them.
            alternatives = "|".join(re.escape(form) for form in sorted(forms, key=lambda form: (-len(form), form)))
            self._known = re.compile(f"({MARK.pattern})|{alternatives}")

    def __repr__(self) -> str:
        return "Redactor()"

    def text(self, value: str) -> str:
        """``value`` without secrets. Doing it twice changes nothing more."""
        return self._remembered(value) if len(value) <= _REMEMBERED_LENGTH else self._cleaned(value)

    def _cleaned(self, value: str) -> str:
        for _ in range(_ROUNDS):
            cleaned = without_labelled(without_shapes(self._without_known(value)))
            if cleaned == value:
                break
            value = cleaned
        return value

    def value(self, value: Any) -> Any:
        """The same for anything JSON-able: by the names of keys, and by text. The shape of the data is kept."""
        return self._walk(value, 0)

    def _without_known(self, text: str) -> str:
        if self._known is None:
            return text
        return self._known.sub(lambda match: match[1] or mark("secret"), text)

    def _walk(self, value: Any, depth: int) -> Any:
        if depth > DEEPEST:
            return mark("secret")
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, (bytes, bytearray)):
            return self.text(bytes(value).decode("utf-8", "replace"))
        if isinstance(value, Mapping):
            return self._mapping(value, depth)
        if isinstance(value, (list, tuple)):
            items = [self._walk(item, depth + 1) for item in value]
            if len(items) == 2 and isinstance(value[0], str) and isinstance(value[1], str):
                items[1] = self._named(value[0], value[1], depth, by_label=True)
            return type(value)(items) if type(value) in (list, tuple) else items
        return value

    def _mapping(self, value: Mapping[Any, Any], depth: int) -> dict[Any, Any]:
        cleaned = {self.text(key) if isinstance(key, str) else key: self._named(key, item, depth) for key, item in value.items()}
        # {"name": "JWT_SECRET", "value": "x"}: the name stands beside the value instead of being its key.
        by_lower = {key.lower(): key for key in value if isinstance(key, str)}
        label = value.get(by_lower.get("name") or by_lower.get("key"))
        held = by_lower.get("value")
        if isinstance(label, str) and held is not None:
            cleaned[held] = self._named(label, value[held], depth, by_label=True)
        return cleaned

    def _named(self, name: Any, value: Any, depth: int, *, by_label: bool = False) -> Any:
        """``value`` as it may be shown under ``name``. A label (a word beside it) weighs less than a key."""
        kind = _kind_of_key(name) if isinstance(name, str) else ""
        if not kind or (by_label and isinstance(value, str) and is_harmless(value)):
            return self._walk(value, depth + 1)
        return _blotted(value, kind, depth + 1)


def _kind_of_key(name: str) -> str:
    return kind_of(name) if len(name) <= 128 else ""


def _blotted(value: Any, kind: str, depth: int) -> Any:
    """Everything below a secret's name is secret, but what can be none: nothing, yes and no, and counts of sessions."""
    if value is None or isinstance(value, bool) or (isinstance(value, (int, float)) and kind == "session"):
        return value
    if isinstance(value, str) and (is_marked(value)):
        return value
    if depth <= DEEPEST and isinstance(value, Mapping):
        return {key: _blotted(item, kind, depth + 1) for key, item in value.items()}
    if depth <= DEEPEST and isinstance(value, (list, tuple)):
        return [_blotted(item, kind, depth + 1) for item in value]
    return mark(kind)


# ---------------------------------------------------------------- the forms a known secret takes
def _forms(known: str) -> Iterator[str]:
    for secret in _literals(known.strip()):
        if len(secret) >= SHORTEST_LITERAL and secret.lower() not in ORDINARY:
            yield secret
            yield from _written(secret)
            yield from _base64_cores(secret)


def _literals(known: str) -> Iterator[str]:
    scheme, separator, rest = known.partition("://")
    if not (separator and re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme)):
        yield known
        yield unquote(known)
        return
    # Raw passwords may hold / and @, so both readings of where the login ends are taken.
    for authority in {rest, re.split(r"[/?#]", rest, maxsplit=1)[0]}:
        login, at, _ = authority.rpartition("@")
        password = login.partition(":")[2]
        if at and password:
            yield password
            yield unquote(password)


def _written(secret: str) -> Iterator[str]:
    """As it stands in addresses, forms, JSON and JavaScript."""
    for encoded in (quote(secret, safe=""), quote(secret), quote_plus(secret)):
        yield encoded
        yield re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), encoded)
        yield quote(encoded, safe="")
    yield "".join(f"%{byte:02X}" for byte in secret.encode())
    for escaped in (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield escaped
        yield escaped.replace("/", "\\/")
        yield json.dumps(escaped, ensure_ascii=False)[1:-1]
    yield secret.replace("\\", "\\\\").replace("'", "\\'")


def _base64_cores(secret: str) -> Iterator[str]:
    """The characters that base64 of *any* text holding the secret must contain, one for each of the three alignments."""
    data = secret.encode()
    for offset, skipped in ((0, 0), (1, 2), (2, 3)):
        encoded = base64.b64encode(b"\0" * offset + data).decode()
        core = encoded[skipped : (offset + len(data)) * 8 // 6]
        if len(core) >= SHORTEST_LITERAL:
            yield core
            yield core.replace("+", "-").replace("/", "_")
