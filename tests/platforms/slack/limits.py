"""The limits of a whole message: text, the sum of its blocks, its metadata; and of a modal.

Knows no channel and no person.
"""

from __future__ import annotations

from typing import Any

from tests.platforms.slack.blocks import check_blocks
from tests.platforms.slack.wire import ApiError, Args

BLOCK_SUM = 11_000
POST_TEXT = 40_000
UPDATE_TEXT = 4_000
_COUNTED = frozenset({"text", "alt_text", "title"})


def read_blocks(args: Args) -> list[dict[str, Any]] | None:
    """The blocks of a call, checked; None when there are none (an empty list is one way to say so)."""
    blocks = args.structure("blocks", "invalid_blocks_format")
    if blocks is None:
        return None
    check_blocks(blocks)
    return list(blocks)


def check_sum(blocks: list[dict[str, Any]] | None) -> None:
    """Refuse blocks that are legal one by one and too long together (undocumented, and real)."""
    if text_size(blocks) > BLOCK_SUM:
        raise ApiError("msg_blocks_too_long")


def text_size(node: Any) -> int:
    """Characters of text anywhere in blocks."""
    if isinstance(node, list):
        return sum(text_size(item) for item in node)
    if not isinstance(node, dict):
        return 0
    own = sum(len(value) for key, value in node.items() if key in _COUNTED and isinstance(value, str))
    return own + sum(text_size(value) for value in node.values())


def read_metadata(args: Args) -> dict[str, Any] | None:
    """The metadata of a message: both halves or nothing."""
    metadata = args.structure("metadata", "invalid_metadata_format")
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or not metadata.get("event_type") or not isinstance(metadata.get("event_payload"), dict):
        raise ApiError("invalid_metadata_format")
    return metadata


def check_attachments(args: Args) -> list[dict[str, Any]]:
    """The attachments of a call: at most a hundred, their blocks as legal as any."""
    attachments = args.structure("attachments", "invalid_attachments") or []
    if not isinstance(attachments, list) or len(attachments) > 100:
        raise ApiError("too_many_attachments" if isinstance(attachments, list) else "invalid_attachments")
    for attachment in attachments:
        if "blocks" in attachment:
            check_blocks(attachment["blocks"])
    return attachments


def check_view(view: Any) -> dict[str, Any]:
    """A modal that Slack would open."""
    if not isinstance(view, dict) or view.get("type") not in ("modal", "home"):
        raise ApiError("invalid_arguments")
    for part in ("title", "submit", "close"):
        if len(str((view.get(part) or {}).get("text", ""))) > 24:
            raise ApiError("invalid_arguments", response_metadata={"messages": [f"[ERROR] {part} must be less than 25 characters"]})
    if len(str(view.get("private_metadata", ""))) > 3000 or len(str(view.get("callback_id", ""))) > 255:
        raise ApiError("invalid_arguments")
    check_blocks(view.get("blocks"), most=100)
    return view
