"""The payloads Slack sends for what people do: commands, button presses, submitted modals, events.

Pure: it builds dictionaries and remembers nothing.
"""

from __future__ import annotations

import secrets
from typing import Any

from tests.platforms.slack.site import as_json
from tests.platforms.slack.world import APP, BOT_USER, TEAM, Channel, Message, User

TEAM_JSON = {"id": TEAM, "domain": "vcc"}


def _channel_name(channel: Channel) -> str:
    if channel.direct_with:
        return "directmessage"
    return "privategroup" if channel.private else channel.name


def _user_json(user: User) -> dict[str, Any]:
    return {"id": user.id, "username": user.name, "name": user.name, "team_id": TEAM}


def slash(user: User, channel: Channel, command: str, text: str) -> dict[str, Any]:
    """A slash command, still without its response_url and trigger_id."""
    where = {"channel_id": channel.id, "channel_name": _channel_name(channel), "user_id": user.id, "user_name": user.name}
    team = {"token": "fake", "team_id": TEAM, "team_domain": "vcc", "api_app_id": APP, "is_enterprise_install": "false"}
    return team | where | {"command": command, "text": text}


def block_action(user: User, channel: Channel, message: Message, button: dict[str, Any]) -> dict[str, Any]:
    """A pressed button. The message itself is left out of presses on ephemeral ones."""
    container = {"type": "message", "message_ts": message.ts, "channel_id": channel.id, "is_ephemeral": bool(message.ephemeral_to)}
    if message.thread_ts:
        container["thread_ts"] = message.thread_ts
    action: dict[str, Any] = {key: button[key] for key in ("block_id", "text", "value", "style", "confirm") if key in button}
    action |= {"type": "button", "action_id": button.get("action_id", "generated"), "action_ts": f"{float(message.ts) + 1:.6f}"}
    payload = _interaction("block_actions", user) | {"container": container, "actions": [action], "state": {"values": {}}}
    payload["channel"] = {"id": channel.id, "name": _channel_name(channel)}
    if not message.ephemeral_to:
        payload["message"] = as_json(message)
    return payload


def view_submission(user: User, view: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """A submitted modal. ``values`` is ``{block_id: {action_id: {...}}}``."""
    return _interaction("view_submission", user) | {"view": {**view, "state": {"values": values}}, "response_urls": []}


def _interaction(kind: str, user: User) -> dict[str, Any]:
    base = {"type": kind, "user": _user_json(user), "team": TEAM_JSON, "api_app_id": APP, "token": "fake"}
    return base | {"enterprise": None, "is_enterprise_install": False}


def event(inner: dict[str, Any], at: float) -> dict[str, Any]:
    """The outer event around ``inner``; every one has its own event_id."""
    authorization = {"enterprise_id": None, "team_id": TEAM, "user_id": BOT_USER, "is_bot": True, "is_enterprise_install": False}
    outer = {"token": "fake", "team_id": TEAM, "api_app_id": APP, "type": "event_callback", "authorizations": [authorization]}
    return outer | {"event": inner, "event_id": f"Ev{secrets.token_hex(5).upper()}", "event_time": int(at)}


def message_event(message: Message, channel: Channel) -> dict[str, Any]:
    """What a person said: an app_mention when it names the bot, otherwise a message."""
    named = f"<@{BOT_USER}>" in message.text and not channel.direct_with
    inner = {"type": "app_mention" if named else "message", "channel": channel.id, "user": message.user, "text": message.text}
    inner |= {"ts": message.ts, "event_ts": message.ts, "team": TEAM, "client_msg_id": secrets.token_hex(8)}
    if not named:
        inner["channel_type"] = "im" if channel.direct_with else "group" if channel.private else "channel"
    return inner | ({"thread_ts": message.thread_ts} if message.thread_ts else {})


def pin_event(user: str, message: Message, at: str) -> dict[str, Any]:
    """Somebody pinned a message."""
    item = {"type": "message", "channel": message.channel, "message": as_json(message), "created": int(float(at)), "created_by": user}
    return {"type": "pin_added", "user": user, "channel_id": message.channel, "item": item, "event_ts": at}
