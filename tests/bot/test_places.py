"""Where the house speaks by itself: in the channels meant for it, where it can be heard."""

from __future__ import annotations

from pathlib import Path

from bot.model import Account, Place
from bot.places import Places, places_of
from bot.testing.bot import settings_for

OPS, ALERTS, INCIDENTS = Account("slack", "OPS"), Account("discord", "7"), Account("slack", "INC")


def test_channels_are_places() -> None:
    assert places_of([Account("slack", "C1")]) == (Place("slack", "C1"),)


def test_each_purpose_has_its_own_channels(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, vcc_channel_ops=(OPS,), vcc_channel_alerts=(ALERTS,), vcc_channel_incidents=(INCIDENTS,))
    places = Places(settings, lambda: {"slack", "discord"})
    assert (places.ops(), places.alerts(), places.incidents()) == (places_of([OPS]), places_of([ALERTS]), places_of([INCIDENTS]))


def test_a_purpose_without_a_channel_that_is_heard_takes_the_next_wider_one(tmp_path: Path) -> None:
    places = Places(settings_for(tmp_path, vcc_channel_ops=(OPS,), vcc_channel_alerts=(ALERTS,)), lambda: {"slack"})
    assert places.alerts() == places.incidents() == (Place("slack", "OPS"),)
