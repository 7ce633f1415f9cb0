"""Which platforms there are, and which of them the settings name. Imports none before it is wanted."""

from __future__ import annotations

import importlib
from collections.abc import Collection
from typing import Any

from pydantic import SecretStr

from bot.config import Settings
from bot.doors import Connector, Doors

# Imported only when their settings are present: each library costs a third of a second and 40 MB.
_SETTINGS = {"slack": ("slack_bot_token",), "discord": ("discord_token",), "mail": ("vcc_smtp_url", "vcc_alert_email")}
# It only speaks: whether people can be heard does not hang on it.
DEAF = frozenset({"mail"})


def configured(settings: Settings) -> Collection[str]:
    """The platforms whose settings are all present."""
    return [name for name, wanted in _SETTINGS.items() if all(_is_set(getattr(settings, each)) for each in wanted)]


def _is_set(value: Any) -> bool:
    return bool(value.get_secret_value() if isinstance(value, SecretStr) else value)


def build(platform: str, doors: Doors) -> Connector:
    """The connector of a platform."""
    connector: Connector = importlib.import_module(f"bot.connectors.{platform}").build(doors)
    return connector
