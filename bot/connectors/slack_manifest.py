"""The Slack app manifest, generated from the catalogue of commands. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.config import Settings

BOT_SCOPES = (
    "app_mentions:read",
    "channels:history",
    "chat:write",
    "commands",
    "files:write",
    "groups:history",
    "im:history",
    "usergroups:read",
)
# What a channel for each incident, and notes by pinning, take besides; without them an incident has a thread.
ROOM_SCOPES = ("channels:manage", "channels:read", "groups:read", "groups:write", "pins:read")
_HINT = 1000


def manifest(listing: Sequence[Mapping[str, Any]], settings: Settings) -> Mapping[str, Any]:
    """The manifest as JSON-able values, for Socket Mode when an app token is set or nothing is, else for HTTP."""
    socket_mode = bool(settings.slack_app_token.get_secret_value()) or not settings.slack_signing_secret.get_secret_value()
    url = {} if socket_mode else {"url": "https://your-host.example/slack/events"}
    request_url = {"request_url": url["url"]} if url else {}
    groups = sorted({command["path"].split()[0] for command in listing})
    return {
        "display_information": {"name": "VCC", "description": "VCC Manager operations"},
        "features": {
            "bot_user": {"display_name": "vcc", "always_online": True},
            "slash_commands": [
                {
                    "command": "/vcc",
                    "description": "VCC Manager operations",
                    "usage_hint": " | ".join(groups)[:_HINT],
                    "should_escape": False,
                    **url,
                }
            ],
        },
        "oauth_config": {"scopes": {"bot": sorted((*BOT_SCOPES, *ROOM_SCOPES))}},
        "settings": {
            "event_subscriptions": {**request_url, "bot_events": ["app_mention", "pin_added"]},
            "interactivity": {"is_enabled": True, **request_url},
            "socket_mode_enabled": socket_mode,
            "org_deploy_enabled": False,
            "token_rotation_enabled": False,
        },
    }
