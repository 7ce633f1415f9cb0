"""Text made inert for Discord: no markup, no mention, no way out of a code block, and cut where Discord would refuse it.

Pure; knows nothing of replies.
"""

from __future__ import annotations

import re

from bot.plain_text import harmless

_SPECIAL = re.compile(r"([\\`*_~|<>\[\]])")
_LINE_START = re.compile(r"(?m)^(\s*)([#+-])(?=[\s#])")
_LIST_NUMBER = re.compile(r"(?m)^(\s*\d+)\.(?=\s)")
# A zero-width space: whoever reads sees nothing of it, Discord sees no mention and no end of the block.
_GAP = "\u200b"
_FENCE = "```"
_UNBOUNDED = 200_000


def size(text: str) -> int:
    """Length as Discord may count it at worst: emoji and other rare letters as two."""
    return len(text) + sum(letter > "\uffff" for letter in text)


def clean(text: str) -> str:
    """Foreign text without what moves, hides or breaks; every line of it, indented as it was."""
    return "\n".join(_clean_line(line) for line in text.split("\n"))


def _clean_line(line: str) -> str:
    indent = len(line) - len(line.lstrip(" \t"))
    return " " * min(indent, 40) + harmless(line, limit=_UNBOUNDED, newlines=False)


def quiet(text: str) -> str:
    """Text in which no mention can be read."""
    return text.replace("@", f"@{_GAP}")


def escaped(text: str) -> str:
    """Foreign text that Discord shows as it is."""
    shown = quiet(_SPECIAL.sub(r"\\\1", clean(text)))
    return _LIST_NUMBER.sub(r"\1\\.", _LINE_START.sub(r"\1\\\2", shown))


def fitted(text: str, limit: int) -> tuple[str, bool]:
    """Escaped text of at most ``limit``, and whether all of it is there; an escape is never cut in two."""
    whole = escaped(text)
    if size(whole) <= limit:
        return whole, True
    kept = clean(text)[: max(0, limit)]
    while kept and size(escaped(kept)) > limit - 1:
        surplus = size(escaped(kept)) - (limit - 1)
        kept = kept[: -max(1, surplus // 3)]
    return (escaped(kept) + "…" if limit > 0 else ""), False


def cut(text: str, limit: int) -> tuple[str, bool]:
    """Clean but unescaped text, for the parts where Discord reads no markup."""
    whole = clean(text)
    return _trimmed(whole, limit), size(whole) <= limit


def _trimmed(text: str, limit: int) -> str:
    if size(text) <= limit:
        return text
    kept = text[: max(0, limit)]
    while kept and size(kept) > limit - 1:
        kept = kept[: -max(1, (size(kept) - limit + 1) // 2)]
    return kept + "…" if limit > 0 else ""


def code_block(text: str, limit: int) -> tuple[str, bool]:
    """A block in fixed width of at most ``limit``, whole lines where it can; empty when not even one line has room."""
    inside = clean(text).replace("`", f"`{_GAP}").rstrip("\n")
    room = limit - 2 * len(_FENCE) - 2
    if size(inside) <= room:
        return f"{_FENCE}\n{inside}\n{_FENCE}", True
    lines: list[str] = []
    used = 0
    for line in inside.split("\n"):
        used += size(line) + 1
        if used > room - 1:
            break
        lines.append(line)
    shown = "\n".join(lines) if lines else _trimmed(inside, room)
    return (f"{_FENCE}\n{shown}\n{_FENCE}" if room > 20 and shown else ""), False
