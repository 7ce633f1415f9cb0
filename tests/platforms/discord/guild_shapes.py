"""The guild as JSON: for REST, and as the larger GUILD_CREATE event. Decides nothing."""

from __future__ import annotations

from . import shapes
from .clock import iso
from .errors import Json
from .records import DIRECT, VIEW_CHANNEL
from .world import World

_EMPTY_LISTS = ("emojis", "stickers", "features")
_NULL_IDS = ("application_id", "afk_channel_id", "system_channel_id", "widget_channel_id", "rules_channel_id", "public_updates_channel_id")
_NULL_LOOKS = ("icon", "description", "home_header", "splash", "discovery_splash", "banner", "vanity_url_code")
_NULLS = (*_NULL_IDS, *_NULL_LOOKS, "safety_alerts_channel_id", "max_presences", "incidents_data")
_LEVELS = ("verification_level", "default_message_notifications", "mfa_level", "explicit_content_filter", "nsfw_level")
_ZEROS = (*_LEVELS, "system_channel_flags", "premium_tier", "premium_subscription_count")
_FALSES = ("widget_enabled", "premium_progress_bar_enabled", "nsfw")


def guild(world: World) -> Json:
    """The guild without its members and channels."""
    shape: Json = {name: [] for name in _EMPTY_LISTS}
    shape |= dict.fromkeys(_NULLS) | dict.fromkeys(_ZEROS, 0) | dict.fromkeys(_FALSES, False)
    return shape | {
        "id": str(world.guild_id),
        "name": world.guild_name,
        "owner_id": str(world.owner_id),
        "region": "seoul",
        "preferred_locale": "ko",
        "afk_timeout": 300,
        "max_members": 500_000,
        "max_video_channel_users": 25,
        "max_stage_video_channel_users": 50,
        "roles": [shapes.role(world, role) for role in world.roles.values()],
    }


def visible_channels(world: World) -> list[Json]:
    """The guild's channels the bot sees, without threads."""
    return [
        shapes.channel(world, channel)
        for channel in world.channels.values()
        if channel.type != DIRECT and not channel.is_thread and world.permissions_of(world.bot.id, channel) & VIEW_CHANNEL
    ]


def guild_create(world: World, *, all_members: bool) -> Json:
    """GUILD_CREATE. Without the presence intent Discord lists only the bot here, and the rest comes in chunks."""
    members = list(world.members.values()) if all_members else [world.bot]
    threads = [channel for channel in world.channels.values() if channel.is_thread and not channel.archived]
    return guild(world) | {
        "joined_at": iso(world.bot.joined),
        "large": False,
        "unavailable": False,
        "member_count": len(world.members),
        "members": [shapes.member(member) for member in members],
        "channels": visible_channels(world),
        "threads": [shapes.channel(world, thread) for thread in threads],
        "voice_states": [],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }
