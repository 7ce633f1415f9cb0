"""Slack's way of writing text, both directions: what people typed to plain text, and ours so that it calls and links nobody. Pure."""

from __future__ import annotations

import html
import re

_MARKUP = re.compile(r"<([^<>]+)>")
_ACCOUNTS = (("@", "slack:"), ("#", "slack:"), ("!subteam^", "slack-group:"))


def plain(text: str) -> str:
    """What somebody typed, without Slack's markup: people, channels and groups become the ids our settings use."""
    return html.unescape(_MARKUP.sub(_unmarked, text)) if "<" in text else html.unescape(text)


def _unmarked(found: re.Match[str]) -> str:
    target, _, label = found.group(1).partition("|")
    for sign, platform in _ACCOUNTS:
        if target.startswith(sign):
            return platform + target.removeprefix(sign)
    if target.startswith("!"):
        return label or "@" + target.removeprefix("!")
    # Slack makes links of bare host names; the label is what was typed.
    return label if label and label in target else target


def escaped(text: str, limit: int) -> str:
    """``text`` for a field that reads markup: shown as it is, naming nobody; at most ``limit`` characters, no entity cut in two."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if len(safe) <= limit:
        return safe
    kept = safe[: limit - 1]
    if kept.rfind("&") > kept.rfind(";"):
        kept = kept[: kept.rfind("&")]
    return kept + "…"
