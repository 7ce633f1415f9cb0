"""One line of a log made fit to show: harmless, without secrets, and cut only after that, as half a secret looks like none."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.plain_text import harmless, shortened
from bot.redact import Redactor

# The readers of logs cut what is longer than this; so a text of this length may end in the middle of a secret.
LOOK_AT = 2000
_ENDS = re.compile(r"""[\s,;&"'](?=[^\s,;&"']*$)""")
_LONGEST_SECRET = 512


class LogText:
    """Knows the secrets of the settings; takes out others by their shape."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._redactor = Redactor(secrets)

    def line(self, text: str, limit: int = LOOK_AT) -> str:
        """``text`` as one line of at most ``limit`` characters."""
        return shortened(self._redactor.text(harmless(_whole(text), limit=LOOK_AT + 1, newlines=False)), limit)

    def whole(self, text: str, *, cut: bool) -> str:
        """All of ``text`` as one line; ``cut`` when its end is missing already, and with it perhaps the half of a secret."""
        if cut:
            text = _without_last_word(text)
        return self._redactor.text(harmless(text, limit=len(text), newlines=False))


def _whole(text: str) -> str:
    """A long text without its last word, which may be a part of one."""
    if len(text) < LOOK_AT:
        return text
    return _without_last_word(text[:LOOK_AT])


def _without_last_word(text: str) -> str:
    end = _ENDS.search(text, max(0, len(text) - LOOK_AT))
    return text[: end.start()] if end else text[:-_LONGEST_SECRET]
