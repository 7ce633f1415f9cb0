"""Where the house speaks by itself: the channels of the settings, on every platform that is connected."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from bot.config import Settings
from bot.model import Account, Place


class Places:
    """Channels by their purpose; one that has none takes the next wider purpose. ``speaks`` gives the platforms that are connected."""

    def __init__(self, settings: Settings, speaks: Callable[[], Collection[str]]) -> None:
        self._settings = settings
        self._speaks = speaks

    def ops(self) -> tuple[Place, ...]:
        """Where commands are typed, and cards are shown."""
        return self._spoken(self._settings.vcc_channel_ops)

    def alerts(self) -> tuple[Place, ...]:
        """Where alerts are shown: their channels, and the mailboxes of the settings."""
        return (*self.alert_channels(), *self.mail(self._settings.vcc_alert_email))

    def alert_channels(self) -> tuple[Place, ...]:
        """Where alerts are shown and can be answered."""
        return self._spoken(self._settings.vcc_channel_alerts) or self.ops()

    def incidents(self) -> tuple[Place, ...]:
        """Where incidents are announced."""
        return self._spoken(self._settings.vcc_channel_incidents) or self.alert_channels()

    def mail(self, addresses: Iterable[str]) -> tuple[Place, ...]:
        """Mailboxes; none while no mail is sent."""
        return self._spoken(Account("mail", address) for address in addresses)

    def _spoken(self, channels: Iterable[Account]) -> tuple[Place, ...]:
        speaking = self._speaks()
        return tuple(place for place in places_of(channels) if place.platform in speaking)


def places_of(channels: Iterable[Account]) -> tuple[Place, ...]:
    """Channels of the settings as places."""
    return tuple(Place(channel.platform, channel.id) for channel in channels)
