"""Finds who a message would call: mentions left unescaped in text, mrkdwn, markdown and rich text.

Knows no workspace: names are matched by their markup only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_MARKUP = re.compile(r"<(?:!(channel|here|everyone)|@([UW][A-Z0-9]+)|!subteam\^(S[A-Z0-9]+))(?:\|[^>]*)?>")
_PLAIN = re.compile(r"(?<![\w@<])@(channel|here|everyone|[a-z0-9][a-z0-9._-]*)")
_BROADCASTS = frozenset({"channel", "here", "everyone"})


def in_text(text: str, link_names: bool = False) -> Iterator[tuple[str, str]]:
    """(kind, target) of every mention in one piece of markup."""
    for broadcast, user, group in _MARKUP.findall(text):
        if broadcast:
            yield broadcast, broadcast
        elif user:
            yield "user", user
        else:
            yield "group", group
    if link_names:
        for name in _PLAIN.findall(text):
            yield (name, name) if name in _BROADCASTS else ("name", name)


def in_blocks(node: Any) -> Iterator[tuple[str, str]]:
    """(kind, target) of every mention anywhere in blocks; plain_text and raw_text never mention."""
    if isinstance(node, list):
        for item in node:
            yield from in_blocks(item)
    elif isinstance(node, dict):
        yield from _in_element(node)
        for key, item in node.items():
            if key != "text" or isinstance(item, dict):
                yield from in_blocks(item)


def _in_element(node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    kind = node.get("type")
    if kind in ("mrkdwn", "markdown") and isinstance(node.get("text"), str):
        yield from in_text(node["text"])
    elif kind == "user" and "user_id" in node:
        yield "user", str(node["user_id"])
    elif kind == "usergroup" and "usergroup_id" in node:
        yield "group", str(node["usergroup_id"])
    elif kind == "broadcast" and "range" in node:
        yield str(node["range"]), str(node["range"])
