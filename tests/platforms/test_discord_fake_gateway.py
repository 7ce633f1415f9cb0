"""The fake's gateway and its failures, seen through the real discord.py: resume, half-open sockets, 429. Knows nothing of our bot."""

from __future__ import annotations

import asyncio
import json
import math
import threading
import time
import zlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import discord
import pytest

from .discord import FakeDiscord
from .discord.library import make_client, pointed_at, running
from .discord.sample_bot import SampleBot
from .discord.transport import encoder_for


@pytest.fixture
async def fake() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as server:
        with pointed_at(server.api_url, server.gateway_url):
            yield server


async def _resumed(fake: FakeDiscord, times: int = 1) -> None:
    await fake.until(lambda: fake.gateway.resumes >= times and fake.gateway.listening)


async def test_an_interaction_missed_while_the_line_was_cut_is_replayed(fake: FakeDiscord) -> None:
    ada, ops = fake.add_member("ada"), fake.add_channel("ops")
    bot = SampleBot(fake)
    async with running(bot.client, fake, bot.tree):
        fake.drop_gateway()
        await fake.until(lambda: not fake.gateway.connections)
        delivery = await fake.slash(ada, ops, "vcc card")
        message = await delivery.until_finished()
    assert message.content == "a card"
    assert (fake.gateway.identifies, fake.gateway.resumes) == (1, 1)
    assert "zlib-stream" in fake.gateway.compressions or "zstd-stream" in fake.gateway.compressions


@pytest.mark.parametrize("code", [4000, 1001])
async def test_a_resumable_close_is_resumed(fake: FakeDiscord, code: int) -> None:
    async with running(make_client(), fake):
        await fake.close_gateway(code)
        await _resumed(fake)
    assert fake.gateway.identifies == 1


async def test_opcode_seven_is_resumed(fake: FakeDiscord) -> None:
    async with running(make_client(), fake):
        fake.ask_reconnect()
        await _resumed(fake)
    assert fake.gateway.identifies == 1


async def test_an_expired_session_identifies_anew(fake: FakeDiscord) -> None:
    async with running(make_client(), fake):
        await fake.close_gateway(4009)
        await fake.until(lambda: fake.gateway.identifies == 2 and fake.gateway.listening)
    assert fake.gateway.resumes == 1


async def test_an_invalidated_session_identifies_anew(fake: FakeDiscord) -> None:
    async with running(make_client(), fake):
        fake.invalidate_session()
        await fake.until(lambda: fake.gateway.identifies == 2 and fake.gateway.listening)


async def test_a_wrong_token_ends_the_client(fake: FakeDiscord) -> None:
    with pytest.raises(discord.LoginFailure):
        async with make_client() as client:
            await client.login("wrong")
    async with running(make_client(), fake) as task:
        await fake.close_gateway(4004)
        with pytest.raises(discord.ConnectionClosed):
            await asyncio.wait_for(asyncio.shield(task), 60)


async def test_privileged_intents_that_are_off_end_the_client(fake: FakeDiscord) -> None:
    fake.gateway.allowed_privileged = 0
    async with make_client() as client:
        await client.login(fake.token)
        with pytest.raises(discord.PrivilegedIntentsRequired):
            await asyncio.wait_for(client.connect(), 60)


async def test_a_half_open_line_is_found_by_its_missing_heartbeats(fake: FakeDiscord) -> None:
    ada, ops = fake.add_member("ada"), fake.add_channel("ops")
    fake.gateway.heartbeat_interval = 0.05
    bot = SampleBot(fake, heartbeat_timeout=0.4)
    async with running(bot.client, fake, bot.tree):
        await fake.until(lambda: fake.gateway.heartbeats > 2)
        assert math.isfinite(bot.client.latency)
        fake.half_open()
        delivery = await fake.slash(ada, ops, "vcc card")
        assert (await delivery.until_finished(2.9)).content == "a card"
    assert (fake.gateway.identifies, fake.gateway.resumes) == (1, 1)


async def test_a_gateway_outage_is_survived(fake: FakeDiscord) -> None:
    async with running(make_client(), fake):
        fake.block_gateway()
        fake.drop_gateway()
        await fake.until(lambda: fake.gateway.refused)
        fake.heal()
        await fake.until_connected()
    assert fake.gateway.identifies == 1


async def test_without_reconnect_a_drop_is_still_resumed_and_an_outage_ends_the_client(fake: FakeDiscord) -> None:
    async with make_client() as client:
        await client.login(fake.token)
        task = asyncio.create_task(client.connect(reconnect=False))
        await fake.until_connected()
        fake.drop_gateway()
        await _resumed(fake)
        fake.block_gateway()
        fake.drop_gateway()
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await asyncio.wait_for(task, 60)
        assert client.is_closed()


async def test_a_cancelled_client_leaves_nothing_behind(fake: FakeDiscord) -> None:
    async def supervised() -> None:
        async with make_client() as client:
            await client.start(fake.token)

    task = asyncio.create_task(supervised())
    await fake.until_connected()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await fake.until(lambda: not fake.gateway.connections)
    assert fake.gateway.sessions == {}
    heartbeats = [thread for thread in threading.enumerate() if thread.name.startswith("keep-alive-handler")]
    for thread in heartbeats:
        await asyncio.to_thread(thread.join, 5)
    assert not any(thread.is_alive() for thread in heartbeats)


async def test_two_hundred_members_come_in_a_chunk(fake: FakeDiscord) -> None:
    for number in range(200):
        fake.add_member(f"person-{number}")
    client = make_client()
    async with running(client, fake):
        guild = client.get_guild(fake.guild_id)
        assert guild is not None
        assert len(guild.members) == 202


@pytest.mark.parametrize("pattern", [r"POST /channels/\d+/messages$", r"POST /webhooks/"])
async def test_a_rate_limit_is_waited_out(fake: FakeDiscord, pattern: str) -> None:
    ada, ops = fake.add_member("ada"), fake.add_channel("ops")
    bot = SampleBot(fake)
    async with running(bot.client, fake, bot.tree):
        fake.fail(pattern, 429, retry_after=0.2)
        began = time.monotonic()
        channel = bot.client.get_channel(ops)
        assert isinstance(channel, discord.TextChannel)
        await channel.send("after all")
        await (await fake.slash(ada, ops, "vcc status")).until_followups(1)
    assert time.monotonic() - began >= 0.2
    assert [call.status for call in fake.calls if call.status == 429] == [429]


async def test_the_channel_limit_shows_in_the_headers_and_is_enforced(fake: FakeDiscord) -> None:
    ops = fake.add_channel("ops")
    answers = [await _post(fake, f"/channels/{ops}/messages", {"content": str(number)}) for number in range(6)]
    assert [status for status, _, _ in answers] == [200] * 5 + [429]
    assert [headers["X-RateLimit-Remaining"] for _, headers, _ in answers] == ["4", "3", "2", "1", "0", "0"]
    assert 0 < answers[5][2]["retry_after"] <= 5
    fake.clock.advance(5)
    assert (await _post(fake, f"/channels/{ops}/messages", {"content": "again"}))[0] == 200


async def test_fifty_requests_a_second_are_the_most(fake: FakeDiscord) -> None:
    fake.rest.limits.everywhere = 3
    answers = [await _post(fake, f"/channels/{fake.add_channel('c')}/typing", None) for _ in range(4)]
    assert [status for status, _, _ in answers] == [204, 204, 204, 429]
    assert answers[3][2]["global"] is True


async def test_a_lost_answer_is_repeated_without_a_second_message(fake: FakeDiscord) -> None:
    ops = fake.add_channel("ops")
    fake.fail("POST /channels", "lost")
    body = {"content": "once", "nonce": "row-1", "enforce_nonce": True}
    with pytest.raises(aiohttp.ClientError):
        await _post(fake, f"/channels/{ops}/messages", body)
    status, _, answer = await _post(fake, f"/channels/{ops}/messages", body)
    assert (status, [str(message.id) for message in fake.messages(ops)]) == (200, [answer["id"]])
    fake.clock.advance(600)
    await _post(fake, f"/channels/{ops}/messages", body)
    assert len(fake.messages(ops)) == 2


async def test_a_request_hangs_until_the_fake_is_healed(fake: FakeDiscord) -> None:
    ops = fake.add_channel("ops")
    fake.fail("POST /channels", "hang")
    task = asyncio.create_task(_post(fake, f"/channels/{ops}/messages", {"content": "x"}))
    done, _ = await asyncio.wait({task}, timeout=0.2)
    assert not done
    fake.heal()
    with pytest.raises(aiohttp.ClientError):
        await task
    assert fake.messages(ops) == []


@pytest.mark.parametrize("wanted", [None, "zlib-stream", "zstd-stream"])
async def test_the_gateway_speaks_each_compression(fake: FakeDiscord, wanted: str | None) -> None:
    if encoder_for(wanted) is None:
        pytest.skip("no zstandard library here")
    query = f"?v=10&encoding=json&compress={wanted}" if wanted else "?v=10&encoding=json"
    async with aiohttp.ClientSession() as session, session.ws_connect(fake.gateway_url + query) as line:
        inflate = _inflater(wanted)
        assert json.loads(inflate((await line.receive(5)).data))["op"] == 10
        await line.send_json({"op": 1, "d": None})
        assert json.loads(inflate((await line.receive(5)).data))["op"] == 11
        await line.send_json({"op": 8, "d": {}})
        assert (await line.receive(5)).data == 4003


def _inflater(wanted: str | None) -> Any:
    """What undoes each compression."""
    if wanted == "zlib-stream":
        return zlib.decompressobj().decompress
    if wanted == "zstd-stream":
        return pytest.importorskip("zstandard").ZstdDecompressor().decompressobj().decompress
    return str


async def _post(fake: FakeDiscord, path: str, body: Any) -> tuple[int, Any, Any]:
    headers = {"Authorization": f"Bot {fake.token}"}
    async with aiohttp.ClientSession() as session, session.post(fake.api_url + path, json=body, headers=headers) as answer:
        return answer.status, answer.headers, await answer.json() if answer.status != 204 else None
