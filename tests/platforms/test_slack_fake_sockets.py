"""The fake's Socket Mode against the real client: one envelope to one connection, disconnects, cuts, half-open sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from slack_bolt.async_app import AsyncAck, AsyncApp

from tests.platforms.slack import FakeSlack
from tests.platforms.slack.app import app_of, client_of, connected, workspace


@pytest_asyncio.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with workspace() as fake:
        yield fake


def counting(slack: FakeSlack) -> tuple[AsyncApp, list[str]]:
    app, heard = app_of(slack), list[str]()

    @app.command("/vcc")
    async def run(ack: AsyncAck, command: dict[str, Any]) -> None:
        await ack()
        heard.append(command["text"])

    return app, heard


async def works(slack: FakeSlack, heard: list[str]) -> None:
    count = len(heard)
    delivery = await slack.slash("U1", "C1", text="again")
    await delivery.acked()
    assert len(heard) == count + 1


async def test_each_envelope_goes_to_one_connection_in_turn(slack: FakeSlack) -> None:
    (first, heard_first), (second, heard_second) = counting(slack), counting(slack)
    async with connected(slack, first), connected(slack, second):
        for number in range(4):
            await (await slack.slash("U1", "C1", text=str(number))).acked()
    assert (len(heard_first), len(heard_second)) == (2, 2)
    assert sorted(heard_first + heard_second) == ["0", "1", "2", "3"]


async def test_a_duplicate_can_come_by_the_other_connection(slack: FakeSlack) -> None:
    (first, heard_first), (second, heard_second) = counting(slack), counting(slack)
    async with connected(slack, first), connected(slack, second):
        delivery = await (await slack.slash("U1", "C1", text="once")).acked()
        other = next(one.number for one in slack.hub.open if one.number != delivery.connections[0])
        await slack.redeliver(delivery, connection=other)
        await slack.until(lambda: len(delivery.acks) == 2)
    assert heard_first == heard_second == ["once"]
    assert len(set(delivery.connections)) == 2


async def test_the_client_comes_back_after_a_cut(slack: FakeSlack) -> None:
    app, heard = counting(slack)
    async with connected(slack, app):
        slack.drop_sockets()
        await slack.until(lambda: slack.connections == 0)
        await slack.until(lambda: slack.connections == 1)
        await works(slack, heard)


@pytest.mark.parametrize("reason", ["refresh_requested", "warning"])
async def test_the_client_moves_when_asked_to(slack: FakeSlack, reason: str) -> None:
    app, heard = counting(slack)
    async with connected(slack, app):
        await slack.disconnect(reason)
        await slack.until(lambda: len(slack.calls_of("apps.connections.open")) == 2 and slack.connections == 1)
        await slack.until(lambda: slack.hub.closed)
        assert slack.hub.closed[0].closed_by_app
        await works(slack, heard)


async def test_the_client_notices_a_half_open_connection_by_missing_pongs(slack: FakeSlack) -> None:
    app, heard = counting(slack)
    async with connected(slack, app, ping_interval=0.3):
        slack.half_open()
        lost = await slack.slash("U1", "C1", text="lost")
        await slack.until(lambda: any(not one.muted for one in slack.hub.open))
        await works(slack, heard)
    assert not lost.acks
    assert "lost" not in heard


async def test_a_spent_address_holds_the_client_until_somebody_forgets_it(slack: FakeSlack) -> None:
    """slack_sdk retries the same one-use address for ever; its supervisor must take it away."""
    app, heard = counting(slack)
    async with connected(slack, app) as handler:
        slack.fail("socket", status=503)
        slack.drop_sockets()
        await slack.until(lambda: len(slack.calls_of("apps.connections.open")) == 2)
        with pytest.raises(TimeoutError):
            await slack.until(lambda: slack.connections == 1, within=1)
        assert len(slack.calls_of("apps.connections.open")) == 2
        handler.client.wss_uri = None
        await slack.until(lambda: slack.connections == 1)
        await works(slack, heard)


async def test_an_address_is_good_once_and_a_connection_greets_pings_and_answers_pings(slack: FakeSlack) -> None:
    slack.hub.ping_every = 0.02
    url = (await client_of(slack).apps_connections_open(app_token=slack.app_token))["url"]
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url, autoping=False) as socket:
            hello = await socket.receive_json()
            assert (hello["type"], hello["num_connections"]) == ("hello", 1)
            ping = await asyncio.wait_for(socket.receive(), 60)
            assert ping.type is aiohttp.WSMsgType.PING
            await socket.pong(ping.data)
            await slack.until(lambda: slack.hub.open[0].pongs == 1)
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)


async def test_the_eleventh_connection_is_turned_away(slack: FakeSlack) -> None:
    async with aiohttp.ClientSession() as session:
        sockets = [await session.ws_connect(slack.site.new_ticket()) for _ in range(11)]
        assert (await sockets[9].receive_json())["type"] == "hello"
        assert (await sockets[10].receive_json())["reason"] == "too_many_websockets"
        for socket in sockets:
            await socket.close()


async def test_closing_the_handler_leaves_no_task_and_no_connection(slack: FakeSlack) -> None:
    app, _ = counting(slack)
    async with connected(slack, app):
        pass
    await slack.until(lambda: slack.connections == 0)
    named = [task.get_coro() for task in asyncio.all_tasks()]
    assert not [coro for coro in named if "slack_sdk" in str(getattr(coro, "cr_code", ""))]


async def test_the_client_comes_back_after_slack_was_away(slack: FakeSlack) -> None:
    app, heard = counting(slack)
    async with connected(slack, app) as handler:
        await slack.stop()
        await slack.start()
        async with asyncio.timeout(60):
            while not slack.connections:  # as a supervisor does: see the spent address above
                handler.client.wss_uri = None
                await asyncio.sleep(0.05)
        await works(slack, heard)
