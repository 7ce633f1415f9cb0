"""What Discord refuses in a message: lengths, sums, counts, emptiness, file sizes. Knows no state but what it is given."""

from __future__ import annotations

import re
from typing import Any

from .component_rules import check_components
from .errors import ApiError, Json, bad_length, invalid_form, too_long
from .records import COMPONENTS_V2, EPHEMERAL, StoredFile

DESCRIPTION_LIMIT = 1024
CONTENT_LIMIT, EMBEDS_LIMIT, EMBED_SUM_LIMIT, FILES_LIMIT = 2000, 10, 6000, 10
MEBIBYTE = 1024 * 1024
SUPPRESS_EMBEDS, SUPPRESS_NOTIFICATIONS = 1 << 2, 1 << 12
SETTABLE_FLAGS = SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS | COMPONENTS_V2 | EPHEMERAL


def check_message(body: Json, already: int = 0) -> None:
    """Refuse a body to create or edit with; ``already`` are the flags of the message it edits."""
    flags = int(body.get("flags") or 0)
    if flags & ~SETTABLE_FLAGS & ~already:
        raise invalid_form("flags", "MESSAGE_FLAGS_INVALID", "These flags cannot be set.")
    v2 = bool((flags | already) & COMPONENTS_V2)
    content = body.get("content") or ""
    if len(content) > CONTENT_LIMIT:
        raise too_long("content", CONTENT_LIMIT)
    if v2:
        for name in ("content", "embeds", "poll", "sticker_ids"):
            if body.get(name):
                raise invalid_form(name, "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", "Not with components V2.")
    check_embeds(body.get("embeds") or [])
    check_components(body.get("components") or [], v2=v2)
    _check_allowed_mentions(body.get("allowed_mentions"))


def _check_allowed_mentions(allowed: Json | None) -> None:
    """A list of ids beside ``parse`` of the same kind is contradictory, and refused."""
    if not allowed:
        return
    for kind in ("users", "roles"):
        if len(allowed.get(kind) or []) > 100:
            raise bad_length(f"allowed_mentions.{kind}", 0, 100)
        if allowed.get(kind) and kind in (allowed.get("parse") or []):
            raise invalid_form("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", "parse and a list exclude each other.")


def check_embeds(embeds: list[Json]) -> None:
    """Ten embeds, each within its limits, 6000 characters in all of them together."""
    if len(embeds) > EMBEDS_LIMIT:
        raise bad_length("embeds", 0, EMBEDS_LIMIT)
    total = sum(_check_embed(embed, f"embeds.{index}") for index, embed in enumerate(embeds))
    if total > EMBED_SUM_LIMIT:
        raise invalid_form("embeds", "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {EMBED_SUM_LIMIT}")


def _check_embed(embed: Json, path: str) -> int:
    """The number of characters that count, or a refusal."""
    texts: list[tuple[str, Any, int]] = [
        (f"{path}.title", embed.get("title"), 256),
        (f"{path}.description", embed.get("description"), 4096),
        (f"{path}.footer.text", (embed.get("footer") or {}).get("text"), 2048),
        (f"{path}.author.name", (embed.get("author") or {}).get("name"), 256),
    ]
    fields = embed.get("fields") or []
    if len(fields) > 25:
        raise bad_length(f"{path}.fields", 0, 25)
    for index, field in enumerate(fields):
        for name, limit in (("name", 256), ("value", 1024)):
            if not str(field.get(name) or "").strip():
                raise invalid_form(f"{path}.fields.{index}.{name}", "BASE_TYPE_REQUIRED", "This field is required")
            texts.append((f"{path}.fields.{index}.{name}", field[name], limit))
    for where, text, limit in texts:
        if len(text or "") > limit:
            raise too_long(where, limit)
    return sum(len(text or "") for _, text, _ in texts)


def check_not_empty(content: str, embeds: list[Json], components: list[Json], files: list[StoredFile]) -> None:
    """A message must show something."""
    if not (content.strip() or embeds or components or files):
        raise ApiError(400, 50006, "Cannot send an empty message")


def check_files(sizes: list[int], whole: int) -> None:
    """Ten files of 10 MiB each, 25 MiB for the whole request."""
    if whole > 25 * MEBIBYTE or any(size > 10 * MEBIBYTE for size in sizes):
        raise ApiError(413, 40005, "Request entity too large")
    if len(sizes) > FILES_LIMIT:
        raise bad_length("attachments", 0, FILES_LIMIT)


def check_description(description: str | None) -> None:
    """The alternative text of a file."""
    if len(description or "") > DESCRIPTION_LIMIT:
        raise too_long("attachments.description", DESCRIPTION_LIMIT)


def check_attached(name: str, files: list[StoredFile]) -> StoredFile:
    """The file that an embed shows. One with letters that Discord changes in names is not found under the name it was sent with."""
    for file in files:
        if file.filename == name and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name):
            return file
    raise invalid_form("embeds", "REFERENCED_ATTACHMENT_NOT_FOUND", f"The referenced attachment ({name}) was not found")
