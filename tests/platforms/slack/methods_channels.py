"""The Web API's conversations, pins, bookmarks and reactions.

Knows who is where; nothing of HTTP.
"""

from __future__ import annotations

import re
from typing import Any

from tests.platforms.slack.site import Site, as_json
from tests.platforms.slack.wire import ApiError, Args
from tests.platforms.slack.world import BOT_USER, Channel, Message


def history(site: Site, args: Args) -> dict[str, Any]:
    """conversations.history: newest first; replies in threads are not in it."""
    channel = _readable(site, args)
    shown = [message for message in site.world.visible(channel.id) if message.thread_ts in ("", message.ts)]
    return _page(_between(shown, args)[::-1], args)


def replies(site: Site, args: Args) -> dict[str, Any]:
    """conversations.replies: the parent, then its replies, oldest first."""
    channel, thread = _readable(site, args), args.required("ts")
    parent = site.world.find(channel.id, thread)
    if parent is None:
        raise ApiError("thread_not_found")
    below = [message for message in site.world.visible(channel.id) if message.thread_ts == thread and message is not parent]
    return _page(_between([parent, *below], args, parent), args)


def _readable(site: Site, args: Args) -> Channel:
    channel = site.world.channel(args.required("channel"))
    if not channel.bot_in:
        raise ApiError("not_in_channel")
    return channel


def _between(messages: list[Message], args: Args, always: Message | None = None) -> list[Message]:
    oldest, latest = float(args.text("oldest") or 0), float(args.text("latest") or "inf")
    inclusive = args.flag("inclusive")

    def wanted(message: Message) -> bool:
        moment = float(message.ts)
        return message is always or oldest < moment < latest or (inclusive and moment in (oldest, latest))

    return [message for message in messages if wanted(message)]


def _page(messages: list[Message], args: Args) -> dict[str, Any]:
    page, more, cursor = paged(messages, args, 100)
    shown = [as_json(message, args.flag("include_all_metadata")) for message in page]
    return {"ok": True, "messages": shown, "has_more": more, "response_metadata": {"next_cursor": cursor}}


def paged(items: list[Any], args: Args, default: int) -> tuple[list[Any], bool, str]:
    """One page, whether there is more, and the cursor to it. The cursor is the place in the list."""
    limit = args.number("limit", default)
    if not 1 <= limit <= 1000:
        raise ApiError("invalid_limit")
    cursor = args.text("cursor") or "0"
    if not cursor.isdecimal():
        raise ApiError("invalid_cursor")
    end = int(cursor) + limit
    more = end < len(items)
    return items[int(cursor) : end], more, str(end) if more else ""


def channel_json(site: Site, channel: Channel) -> dict[str, Any]:
    """A conversation as the API writes it."""
    direct = bool(channel.direct_with)
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": not channel.private,
        "is_group": channel.private and not direct,
        "is_im": direct,
        "is_private": channel.private,
        "is_archived": channel.archived,
        "is_member": channel.bot_in,
        "num_members": len(site.world.members(channel)),
        "topic": {"value": channel.topic},
        "creator": channel.creator,
    } | ({"user": channel.direct_with} if direct else {})


def info(site: Site, args: Args) -> dict[str, Any]:
    """conversations.info"""
    return {"ok": True, "channel": channel_json(site, site.world.channel(args.required("channel")))}


def listing(site: Site, args: Args) -> dict[str, Any]:
    """conversations.list: public channels unless more types are asked for; hidden ones stay hidden."""
    types = args.items("types") or ["public_channel"]
    known = [channel for channel in site.world.channels.values() if _type_of(channel) in types and (channel.bot_in or not channel.private)]
    known = [channel for channel in known if not (channel.archived and args.flag("exclude_archived"))]
    page, _, cursor = paged(known, args, 100)
    return {"ok": True, "channels": [channel_json(site, channel) for channel in page], "response_metadata": {"next_cursor": cursor}}


def _type_of(channel: Channel) -> str:
    if channel.direct_with:
        return "im"
    return "private_channel" if channel.private else "public_channel"


def members(site: Site, args: Args) -> dict[str, Any]:
    """conversations.members"""
    page, _, cursor = paged(sorted(site.world.members(site.world.channel(args.required("channel")))), args, 100)
    return {"ok": True, "members": page, "response_metadata": {"next_cursor": cursor}}


def create(site: Site, args: Args) -> dict[str, Any]:
    """conversations.create: lower case, digits, - and _, at most 80; archived names stay taken."""
    name = args.text("name")
    if not name:
        raise ApiError("invalid_name_required")
    if len(name) > 80:
        raise ApiError("invalid_name_maxlength")
    if not re.fullmatch(r"[a-z0-9_-]+", name):
        raise ApiError("invalid_name_specials")
    if not re.search(r"[a-z0-9]", name):
        raise ApiError("invalid_name_punctuation")
    if any(channel.name == name for channel in site.world.channels.values()):
        raise ApiError("name_taken")
    channel = Channel(f"CNEW{len(site.world.channels)}", name, args.flag("is_private"), members=set(), creator=BOT_USER)
    site.world.channels[channel.id] = channel
    return {"ok": True, "channel": channel_json(site, channel)}


def invite(site: Site, args: Args) -> dict[str, Any]:
    """conversations.invite"""
    channel, people = site.world.writable(args.required("channel")), args.items("users")
    if not people:
        raise ApiError("no_user")
    for person in people:
        if person == BOT_USER:
            raise ApiError("cant_invite_self")
        if person not in site.world.users:
            raise ApiError("user_not_found")
        if person in site.world.members(channel) and len(people) == 1:
            raise ApiError("already_in_channel")
    if channel.members is not None:
        channel.members.update(people)
    return {"ok": True, "channel": channel_json(site, channel)}


def set_topic(site: Site, args: Args) -> dict[str, Any]:
    """conversations.setTopic"""
    channel, topic = site.world.writable(args.required("channel")), args.text("topic")
    if len(topic) > 250:
        raise ApiError("too_long")
    channel.topic = topic
    return {"ok": True, "channel": channel_json(site, channel)}


def archive(site: Site, args: Args) -> dict[str, Any]:
    """conversations.archive"""
    channel = site.world.channel(args.required("channel"))
    if channel.archived:
        raise ApiError("already_archived")
    channel.archived = True
    return {"ok": True}


def open_direct(site: Site, args: Args) -> dict[str, Any]:
    """conversations.open, for one person"""
    people = args.items("users")
    if len(people) != 1:
        raise ApiError("users_list_not_supplied" if not people else "not_enough_users")
    return {"ok": True, "channel": channel_json(site, site.world.direct(people[0]))}


def add_pin(site: Site, args: Args) -> dict[str, Any]:
    """pins.add"""
    channel, ts = site.world.writable(args.required("channel")), args.required("timestamp")
    if site.world.find(channel.id, ts) is None:
        raise ApiError("message_not_found")
    if ts in channel.pins:
        raise ApiError("already_pinned")
    channel.pins.append(ts)
    return {"ok": True}


def add_bookmark(site: Site, args: Args) -> dict[str, Any]:
    """bookmarks.add"""
    channel = site.world.writable(args.required("channel_id"))
    if not re.match(r"https?://", args.text("link")):
        raise ApiError("invalid_link")
    bookmark = {"id": f"Bk{len(channel.bookmarks)}", "link": args.text("link")}
    bookmark |= {"title": args.required("title"), "type": args.required("type")}
    channel.bookmarks.append(bookmark)
    return {"ok": True, "bookmark": bookmark}


def add_reaction(site: Site, args: Args) -> dict[str, Any]:
    """reactions.add"""
    channel = site.world.writable(args.required("channel"))
    message = site.world.find(channel.id, args.required("timestamp"))
    if message is None or message.ephemeral_to:
        raise ApiError("message_not_found")
    reaction = (args.required("name"), BOT_USER)
    if reaction in message.reactions:
        raise ApiError("already_reacted")
    message.reactions.append(reaction)
    return {"ok": True}
