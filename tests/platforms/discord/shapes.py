"""Records as the JSON Discord sends for them. Decides nothing and changes nothing."""

from __future__ import annotations

from .clock import iso
from .errors import Json
from .records import DIRECT, Channel, Member, Mentions, Message, Role, StoredFile
from .world import World


def user(member: Member) -> Json:
    """A user object."""
    return {
        "id": str(member.id),
        "username": member.name,
        "avatar": None,
        "discriminator": "0000" if member.bot else "0",
        "public_flags": 0,
        "flags": 0,
        "bot": member.bot,
        "global_name": None if member.bot else member.name,
        "primary_guild": None,
    }


def member(record: Member) -> Json:
    """A guild member with its user."""
    return {
        "avatar": None,
        "banner": None,
        "communication_disabled_until": None,
        "flags": 0,
        "joined_at": iso(record.joined),
        "nick": None,
        "pending": False,
        "premium_since": None,
        "roles": [str(role) for role in record.roles],
        "user": user(record),
        "mute": False,
        "deaf": False,
    }


def role(world: World, record: Role) -> Json:
    """A role object."""
    return {
        "id": str(record.id),
        "name": record.name,
        "permissions": str(record.permissions),
        "position": list(world.roles).index(record.id),
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": record.managed,
        "mentionable": record.mentionable,
        "icon": None,
        "unicode_emoji": None,
        "flags": 0,
    }


def channel(world: World, record: Channel) -> Json:
    """A channel, thread or direct conversation."""
    if record.type == DIRECT:
        other = world.members[record.recipient or 0]
        return {"id": str(record.id), "type": record.type, "flags": 0, "last_message_id": None, "recipients": [user(other)]}
    shape: Json = {
        "id": str(record.id),
        "type": record.type,
        "flags": 0,
        "guild_id": str(world.guild_id),
        "name": record.name,
        "parent_id": str(record.parent) if record.parent else None,
        "rate_limit_per_user": 0,
        "last_message_id": None,
    }
    return shape | (_thread_part(world, record) if record.is_thread else _channel_part(world, record))


def _channel_part(world: World, record: Channel) -> Json:
    overwrites = [{"id": str(world.bot.id), "type": 1, "allow": "0", "deny": str(record.denied)}] if record.denied else []
    position = list(world.channels).index(record.id)
    return {"topic": record.topic, "position": position, "nsfw": False, "permission_overwrites": overwrites}


def _thread_part(world: World, record: Channel) -> Json:
    return {
        "owner_id": str(record.owner),
        "message_count": record.message_count,
        "member_count": 1,
        "total_message_sent": record.message_count,
        "thread_metadata": {
            "archived": record.archived,
            "archive_timestamp": iso(record.created),
            "auto_archive_duration": record.auto_archive,
            "locked": False,
            "create_timestamp": iso(record.created),
        },
        "member": {"id": str(record.id), "user_id": str(world.bot.id), "join_timestamp": iso(record.created), "flags": 0},
    }


def attachment(base: str, channel_id: int, file: StoredFile) -> Json:
    """An attachment with an address the fake serves."""
    url = f"{base}/attachments/{channel_id}/{file.id}/{file.filename}"
    shape: Json = {"id": str(file.id), "filename": file.filename, "size": len(file.data), "url": url, "proxy_url": url}
    shape["content_type"] = file.content_type
    return shape | ({"description": file.description} if file.description else {})


def message(world: World, record: Message, base: str) -> Json:
    """A message object; ``base`` is where attachments are served."""
    mentions: Mentions = record.mentions
    shape: Json = {
        "id": str(record.id),
        "type": 20 if record.interaction and record.interaction["type"] == 2 else 0,
        "channel_id": str(record.channel_id),
        "author": user(world.members[record.author]),
        "content": record.content,
        "timestamp": iso(record.created),
        "edited_timestamp": iso(record.edited) if record.edited else None,
        "tts": False,
        "mention_everyone": mentions.everyone or mentions.here,
        "mentions": [user(world.members[identity]) for identity in mentions.users],
        "mention_roles": [str(identity) for identity in mentions.roles],
        "attachments": [attachment(base, record.channel_id, file) for file in record.attachments],
        "embeds": record.embeds,
        "components": record.components,
        "flags": record.flags,
        "pinned": record.pinned,
    }
    if record.author == world.bot.id:
        shape["application_id"] = str(world.application_id)
    return shape | _message_extras(world, record)


def _message_extras(world: World, record: Message) -> Json:
    extras: Json = {}
    if record.nonce is not None:
        extras["nonce"] = record.nonce
    if record.through_webhook:
        extras["webhook_id"] = str(world.application_id)
    if record.interaction is not None:
        extras["interaction_metadata"] = record.interaction
    if record.reference is not None:
        extras |= {"message_reference": record.reference, "type": 6 if record.tells_pin else 19}
    if record.thread_id is not None:
        extras["thread"] = channel(world, world.channels[record.thread_id])
    return extras


def application(world: World) -> Json:
    """The application, for the bot itself."""
    nothing = ("icon", "role_connections_verification_url", "interactions_endpoint_url", "team", "type")
    counts = ("approximate_guild_count", "approximate_user_install_count", "approximate_user_authorization_count")
    shape: Json = dict.fromkeys(nothing) | dict.fromkeys(counts, 1)
    return shape | {
        "id": str(world.application_id),
        "name": world.bot.name,
        "description": "",
        "bot": user(world.bot),
        "bot_public": False,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": 0,
        "flags_new": "0",
        "redirect_uris": [],
        "owner": user(world.members[world.owner_id]),
        "explicit_content_filter": 0,
        "eligible_oauth2_scopes": [],
    }
