"""Foreign text made harmless: nothing in it moves the cursor, turns the writing round, hides, or runs over.

Does not escape for any platform (renderers do), and does not look for secrets (``redact`` does).
"""

from __future__ import annotations

import math
import re
import unicodedata
from typing import Any

LONGEST_LINE = 1000
MOST_MARKS = 4

# CSI, OSC/DCS/APC/PM/SOS up to their end (or the end of the line, when cut off), and the two-character escapes; also the C1 forms.
_ESCAPES = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]{0,64}[ -/]{0,16}[@-~]?"
    "|(?:\x1b[\\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]*+(?:\x07|\x1b\\\\|\x9c)?"
    "|\x1b[ -/]{0,16}[0-~]?"
)
_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
# Everything Unicode calls "default ignorable", and what our platforms draw as nothing. U+200D is judged by its neighbours,
# U+FE0F (colour) stays for emoji.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u2800\u3164\ud800-\udfff\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_EMOJI = "\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u27bf\u2934-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_STRAY_JOINER = re.compile(f"(?<![{_EMOJI}\ufe0f])\u200d|\u200d(?![{_EMOJI}])")
_STRAY_SELECTOR = re.compile(f"(?<![{_EMOJI}0-9#*])[\ufe0e\ufe0f]")


def harmless(text: str, *, limit: int = 2000, newlines: bool = True) -> str:
    """``text`` safe to show anywhere, at most ``limit`` characters (the mark that tells how many were cut is within them).

    Its letters are kept as they came: Korean typed as single jamo stays so. Without ``newlines`` it becomes one line,
    which only ``limit`` bounds.
    """
    cleaned = _BREAKS.sub("\n", _ESCAPES.sub("", text)).replace("\t", " ")
    # Selectors before joiners: a selector that goes may have been all that a joiner held on to.
    cleaned = _STRAY_JOINER.sub("", _STRAY_SELECTOR.sub("", _INVISIBLE.sub("", cleaned)))
    lines = _without_pile_ups(cleaned).split("\n")
    if not newlines:
        return shortened(" ".join(line.strip(" ") for line in lines if line.strip(" ")), limit)
    return shortened("\n".join(shortened(line, LONGEST_LINE) for line in lines), limit)


def shortened(text: str, limit: int) -> str:
    """At most ``limit`` characters; when some are cut, the end says how many: ``abc…(+97)``."""
    if len(text) <= limit:
        return text
    kept = max(0, limit - len(f"…(+{len(text)})"))
    while kept and unicodedata.combining(text[kept]):
        kept -= 1
    return f"{text[:kept]}…(+{len(text) - kept})"[: max(0, limit)]


def writable(value: Any) -> Any:
    """The same figures as JSON can hold them: bytes that are no text become ``?``, and what is no number becomes null."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {writable(key): writable(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [writable(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _without_pile_ups(text: str) -> str:
    """At most a few marks on one letter; more is a picture, drawn over the neighbouring lines."""
    if text.isascii():
        return text
    kept: list[str] = []
    marks = 0
    for letter in text:
        marks = marks + 1 if unicodedata.category(letter) in ("Mn", "Me") else 0
        if marks <= MOST_MARKS:
            kept.append(letter)
    return "".join(kept)
