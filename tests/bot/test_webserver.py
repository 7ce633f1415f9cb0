"""The HTTP server says whether people can be heard, and tells when its port is taken."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from bot.errors import CannotStart, Misconfigured
from bot.testing.bot import settings_for
from bot.webserver import WebServer


async def health_of(home: Path, health: dict[str, bool]) -> tuple[int, object]:
    """What /healthz answers."""
    async with (
        WebServer(settings_for(home, vcc_http_port=0), lambda: health, ()) as server,
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{server.port}/healthz") as answer,
    ):
        return answer.status, await answer.json()


@pytest.mark.parametrize(
    ("health", "status"),
    [
        ({}, 200),
        ({"slack": True}, 200),
        ({"slack": False, "discord": True}, 200),
        ({"slack": False}, 503),
        ({"slack": False, "discord": False}, 503),
    ],
)
async def test_it_is_well_while_somebody_can_be_heard(tmp_path: Path, health: dict[str, bool], status: int) -> None:
    answered, body = await health_of(tmp_path, health)
    assert answered == status
    assert body == {"ok": status == 200, "connectors": health}


async def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    async with WebServer(settings_for(tmp_path, vcc_http_port=0), dict, ()) as server:
        with pytest.raises((Misconfigured, CannotStart)) as refusal:
            async with WebServer(settings_for(tmp_path, vcc_http_port=server.port), dict, ()):
                pass
        assert str(server.port) in str(refusal.value)
