"""What is misconfigured on Slack's side, each with its fix: token, scopes, the way in, channels, user groups."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from slack_sdk.web.async_client import AsyncWebClient

from bot.config import Settings
from bot.connectors.slack_errors import VENDOR, code_of, outside
from bot.connectors.slack_manifest import BOT_SCOPES, ROOM_SCOPES
from bot.connectors.slack_roster import SlackRoster, wanted_groups
from bot.errors import OutsideError
from bot.model import Account
from bot.services import Finding
from bot.words import Words


class SlackCheck:
    """Asks Slack about our own set-up."""

    def __init__(self, settings: Settings, client: AsyncWebClient, app_client: AsyncWebClient, roster: SlackRoster) -> None:
        self._settings = settings
        self._client = client
        self._app_client = app_client
        self._roster = roster

    async def findings(self, words: Words) -> Sequence[Finding]:
        """Everything that was looked at; only the token when that is no good."""
        token = await self._token(words)
        if token[0].state == "bad":
            return token
        settings = self._settings
        channels = sorted(
            {
                each
                for each in (*settings.vcc_channel_ops, *settings.vcc_channel_alerts, *settings.vcc_channel_incidents)
                if each.platform == "slack"
            },
            key=str,
        )
        looked = await asyncio.gather(
            self._way_in(words),
            *(self._channel(channel, words) for channel in channels),
            *(self._group(group, words) for group in wanted_groups(settings)),
        )
        return [*token, *looked]

    async def _token(self, words: Words) -> list[Finding]:
        try:
            answer = await self._client.auth_test()
        except VENDOR as error:
            return [_bad("slack", error, words, words("slack.check.token_fix" if code_of(error) else "slack.check.network_fix"))]
        found = [Finding("slack", "ok", words("slack.check.token", team=answer["team"], user=answer["user"]))]
        headers = {str(name).lower(): str(value) for name, value in answer.headers.items()}
        granted = {scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",")}
        missing = [scope for scope in BOT_SCOPES if scope not in granted]
        if missing and "x-oauth-scopes" in headers:
            text = words("slack.check.scopes", scopes=", ".join(missing))
            found.append(Finding("slack scopes", "bad", text, words("slack.check.scopes_fix")))
        rooms = [scope for scope in ROOM_SCOPES if scope not in granted]
        if rooms and "x-oauth-scopes" in headers:
            text = words("slack.check.room_scopes", scopes=", ".join(rooms))
            found.append(Finding("slack rooms", "warn", text, words("slack.check.scopes_fix")))
        return found

    async def _way_in(self, words: Words) -> Finding:
        if self._settings.slack_app_token.get_secret_value():
            try:
                await self._app_client.apps_connections_open(app_token=self._app_client.token or "")
            except VENDOR as error:
                return _bad("slack socket", error, words, words("slack.check.socket_fix"))
            return Finding("slack socket", "ok", words("slack.check.socket"))
        if self._settings.slack_signing_secret.get_secret_value():
            return Finding("slack http", "ok", words("slack.check.http"))
        return Finding("slack", "bad", words("slack.check.deaf"), words("slack.check.deaf_fix"))

    async def _channel(self, channel: Account, words: Words) -> Finding:
        """Reading one message needs what looking up a doubtful one needs."""
        part = f"slack {channel.id}"
        try:
            await self._client.conversations_history(channel=channel.id, limit=1)
        except VENDOR as error:
            if code_of(error) in ("not_in_channel", "channel_not_found"):
                text = words("slack.check.not_in_channel", channel=channel.id)
                return Finding(part, "bad", text, words("slack.check.not_in_channel_fix"))
            return _bad(part, error, words, words("slack.check.scopes_fix"))
        return Finding(part, "ok", words("slack.check.channel", channel=channel.id))

    async def _group(self, group: Account, words: Words) -> Finding:
        part, fix = f"slack {group.id}", words("slack.check.group_fix")
        try:
            members = await self._roster.members(group)
        except OutsideError as error:
            return Finding(part, "bad", _said(error, words), fix)
        if not members:
            return Finding(part, "warn", words("slack.check.group_empty", group=group.id), fix)
        return Finding(part, "ok", words("slack.check.group", group=group.id, count=len(members)))


def _bad(part: str, error: BaseException, words: Words, fix: str) -> Finding:
    return Finding(part, "bad", _said(outside(error), words), fix)


def _said(error: OutsideError, words: Words) -> str:
    """The sentence, and Slack's own word for it, which holds no secret and can be looked up."""
    sentence = words(error.key, **error.values)
    return f"{sentence} ({error.detail})" if error.detail else sentence
