"""The Slack manifest follows from the catalogue and the settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.connectors.slack_manifest import BOT_SCOPES, ROOM_SCOPES, manifest
from bot.registry import Registry
from bot.testing.bot import settings_for
from tests.bot.demo import CORRIDOR

LISTING = Registry(CORRIDOR).listing("en")


@pytest.mark.parametrize(
    ("settings", "socket"),
    [({}, True), ({"slack_app_token": "xapp-1"}, True), ({"slack_signing_secret": "s"}, False)],
)
def test_the_door_is_a_socket_unless_only_a_signing_secret_is_set(tmp_path: Path, settings: dict[str, str], socket: bool) -> None:
    made = manifest(LISTING, settings_for(tmp_path, **settings))
    assert made["settings"]["socket_mode_enabled"] is socket
    (command,) = made["features"]["slash_commands"]
    assert ("url" in command) is not socket
    assert ("request_url" in made["settings"]["interactivity"]) is not socket


def test_the_manifest_asks_for_the_scopes_the_connector_needs_and_names_the_groups(tmp_path: Path) -> None:
    made = manifest(LISTING, settings_for(tmp_path))
    assert made["oauth_config"]["scopes"]["bot"] == sorted((*BOT_SCOPES, *ROOM_SCOPES))
    assert {"chat:write", "commands", "usergroups:read"} <= set(BOT_SCOPES)
    hint = made["features"]["slash_commands"][0]["usage_hint"]
    assert hint == "access | approvals | approve | audit | deny | help"


def test_a_manifest_holds_no_token(tmp_path: Path) -> None:
    assert "xoxb-1" not in str(manifest(LISTING, settings_for(tmp_path, slack_bot_token="xoxb-1", slack_app_token="xapp-2")))
