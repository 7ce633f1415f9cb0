"""The Web API's chat methods: post, update, delete, ephemeral.

Knows the limits of messages; nothing of HTTP.
"""

from __future__ import annotations

from typing import Any

from tests.platforms.slack.limits import POST_TEXT, UPDATE_TEXT, check_attachments, check_sum, read_blocks, read_metadata
from tests.platforms.slack.site import Site, as_json
from tests.platforms.slack.wire import ApiError, Args
from tests.platforms.slack.world import BOT_USER, Channel, Message


def post_message(site: Site, args: Args) -> dict[str, Any]:
    """chat.postMessage"""
    channel = site.world.writable(args.required("channel"))
    message = _read_message(site, args, channel)
    site.limits.take_message(channel.id)
    answer = {"ok": True, "channel": channel.id} | _truncate(message)
    site.post(message, link_names=args.flag("link_names") or args.text("parse") == "full")
    return answer | {"ts": message.ts, "message": as_json(message, with_metadata=True)}


def post_ephemeral(site: Site, args: Args) -> dict[str, Any]:
    """chat.postEphemeral"""
    channel = site.world.writable(args.required("channel"))
    user = args.required("user")
    if user not in site.world.members(channel):
        raise ApiError("user_not_in_channel")
    message = _read_message(site, args, channel)
    message.ephemeral_to = user
    _truncate(message)
    site.post(message)
    return {"ok": True, "message_ts": message.ts}


def update(site: Site, args: Args) -> dict[str, Any]:
    """chat.update: text without blocks takes the blocks away; ephemeral messages are not there to be changed."""
    channel, message = _own_message(site, args, "cant_update_message")
    text, blocks = args.text("text"), read_blocks(args)
    attachments = check_attachments(args)
    if not text and not blocks and not attachments:
        raise ApiError("no_text")
    if len(text) > UPDATE_TEXT:
        raise ApiError("msg_too_long")
    check_sum(blocks)
    metadata = read_metadata(args)
    message.edits.append((message.text, message.blocks))
    message.blocks = blocks or []
    message.text = text
    message.attachments = attachments
    message.metadata = metadata if metadata is not None else message.metadata
    site.note_mentions(message, link_names=args.flag("link_names") or args.text("parse") == "full")
    return {"ok": True, "channel": channel.id, "ts": message.ts, "text": message.text, "message": as_json(message, with_metadata=True)}


def delete(site: Site, args: Args) -> dict[str, Any]:
    """chat.delete"""
    channel, message = _own_message(site, args, "cant_delete_message")
    message.deleted = True
    return {"ok": True, "channel": channel.id, "ts": message.ts}


def _own_message(site: Site, args: Args, refusal: str) -> tuple[Channel, Message]:
    name = args.required("channel")
    if name not in site.world.channels:
        raise ApiError("channel_not_found")
    channel = site.world.writable(name)
    message = site.world.find(channel.id, args.required("ts"))
    if message is None or message.ephemeral_to:
        raise ApiError("message_not_found")
    if message.user != BOT_USER:
        raise ApiError(refusal)
    return channel, message


def _read_message(site: Site, args: Args, channel: Channel) -> Message:
    text, blocks = args.text("text"), read_blocks(args)
    if args.has("markdown_text"):
        text = _markdown_text(args)
    attachments = check_attachments(args)
    if not text and not blocks and not attachments:
        raise ApiError("no_text")
    check_sum(blocks)
    thread = args.text("thread_ts")
    if thread and not any(known.ts == thread and known.channel == channel.id for known in site.world.messages):
        raise ApiError("thread_not_found")
    metadata = read_metadata(args)
    return Message("", channel.id, BOT_USER, text, blocks or [], thread, metadata, attachments)


def _markdown_text(args: Args) -> str:
    if args.has("text") or args.has("blocks"):
        raise ApiError("markdown_text_conflict")
    if len(args.text("markdown_text")) > 12_000:
        raise ApiError("msg_too_long")
    return args.text("markdown_text")


def _truncate(message: Message) -> dict[str, Any]:
    if len(message.text) <= POST_TEXT:
        return {}
    message.text = message.text[:POST_TEXT]
    return {"warning": "message_truncated", "response_metadata": {"warnings": ["message_truncated"]}}
