"""The response_url of an interaction, and how its posts (and a command's ack) become visible.

Five posts within thirty minutes; only the asker sees them unless told otherwise. Knows no HTTP.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from tests.platforms.slack.limits import check_attachments, read_blocks, read_metadata
from tests.platforms.slack.site import Site
from tests.platforms.slack.wire import ApiError, Args
from tests.platforms.slack.world import BOT_USER, Message

USES = 5
SECONDS = 30 * 60


@dataclass
class ResponseUrl:
    """One address, who may see its posts, and what it has shown. ``original`` is the message pressed, if any."""

    user: str
    channel: str
    at: float
    original: Message | None = None
    uses: int = 0
    shown: list[Message] = field(default_factory=list)


class ResponseUrls:
    """All addresses handed out."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._known: dict[str, ResponseUrl] = {}

    def new(self, user: str, channel: str, original: Message | None = None) -> tuple[str, ResponseUrl]:
        """A fresh address for one interaction."""
        identity = secrets.token_hex(8)
        self._known[identity] = ResponseUrl(user, channel, self._site.clock.now(), original)
        return f"{self._site.origin}/response/{identity}", self._known[identity]

    def post(self, identity: str, body: dict[str, Any]) -> None:
        """One post; ApiError when the address is unknown, expired, used up, or the post is not legal."""
        known = self._known.get(identity)
        if known is None or self._site.clock.now() - known.at > SECONDS:
            raise ApiError("expired_url")
        if known.uses >= USES:
            raise ApiError("used_url")
        known.uses += 1
        show(self._site, known, body)


def show(site: Site, where: ResponseUrl, body: dict[str, Any]) -> None:
    """Make an answer visible: a new message, or the original replaced or gone. The sum of blocks is not limited here."""
    args = Args(body)
    if args.flag("delete_original") and where.original is not None:
        where.original.deleted = True
        return
    text, blocks, attachments = args.text("text"), read_blocks(args) or [], check_attachments(args)
    if not text and not blocks and not attachments:
        raise ApiError("no_text")
    if args.flag("replace_original") and where.original is not None:
        original = where.original
        original.edits.append((original.text, original.blocks))
        original.text, original.blocks, original.attachments = text, blocks, attachments
        site.note_mentions(original)
        return
    only = "" if args.text("response_type") == "in_channel" else where.user
    thread = args.text("thread_ts")
    message = Message("", where.channel, BOT_USER, text, blocks, thread, read_metadata(args), attachments, ephemeral_to=only)
    where.shown.append(site.post(message))
