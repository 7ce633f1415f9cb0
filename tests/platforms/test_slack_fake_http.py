"""The fake's signed HTTP deliveries against the real Bolt behind aiohttp, and the Web API's tokens and faults."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.errors import SlackApiError

from tests.platforms.slack import FakeSlack
from tests.platforms.slack.app import app_of, client_of, workspace


@pytest_asyncio.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with workspace() as fake:
        yield fake


@asynccontextmanager
async def served(slack: FakeSlack, app: AsyncApp) -> AsyncIterator[None]:
    async def handle(request: web.Request) -> web.Response:
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    application = web.Application()
    application.router.add_post("/slack/events", handle)
    runner = web.AppRunner(application, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.events_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    try:
        yield
    finally:
        await runner.cleanup()


def answering(slack: FakeSlack) -> AsyncApp:
    app = app_of(slack)

    @app.command("/vcc")
    async def run(ack: AsyncAck, command: dict[str, Any]) -> None:
        await ack(f"heard {command['text']}")

    return app


async def test_a_signed_command_is_taken_and_its_answer_shown(slack: FakeSlack) -> None:
    async with served(slack, answering(slack)):
        delivery = await (await slack.slash("U1", "C1", text="상태 & more", transport="http")).acked()
    assert delivery.statuses == [200]
    assert [message.text for message in slack.ephemerals("U1")] == ["heard 상태 & more"]


@pytest.mark.parametrize("signature", ["tampered", "stale", "future", "missing"])
async def test_a_badly_signed_command_is_refused_by_bolt(slack: FakeSlack, signature: str) -> None:
    async with served(slack, answering(slack)):
        delivery = await slack.slash("U1", "C1", transport="http", signature=signature)
        await slack.until(lambda: delivery.statuses)
    assert delivery.statuses == [401]
    assert delivery.error == "dispatch_failed"


async def test_an_event_over_http_is_retried_with_its_number_and_reason(slack: FakeSlack) -> None:
    seen: list[tuple[str, str]] = []

    async def refuse_once(request: web.Request) -> web.Response:
        seen.append((request.headers.get("X-Slack-Retry-Num", ""), request.headers.get("X-Slack-Retry-Reason", "")))
        return web.Response(status=500 if len(seen) == 1 else 200)

    application = web.Application()
    application.router.add_post("/", refuse_once)
    runner = web.AppRunner(application, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    slack.events_url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    delivery = await slack.event({"type": "app_mention", "channel": "C1", "user": "U1", "text": "x"}, transport="http")
    await slack.until(lambda: delivery.statuses)
    slack.clock.advance(3.1)
    await delivery.acked()
    await runner.cleanup()
    assert seen == [("", ""), ("1", "http_error")]


async def error_of(call: Any) -> str:
    with pytest.raises(SlackApiError) as refused:
        await call
    return str(refused.value.response["error"])


async def test_tokens_are_told_apart(slack: FakeSlack) -> None:
    assert await error_of(client_of(slack, "xoxb-other").auth_test()) == "invalid_auth"
    assert await error_of(client_of(slack, slack.app_token).auth_test()) == "not_allowed_token_type"
    assert await error_of(client_of(slack).apps_connections_open(app_token=slack.bot_token)) == "not_allowed_token_type"
    slack.site.token_error = "token_revoked"
    assert await error_of(client_of(slack).auth_test()) == "token_revoked"


async def test_a_missing_scope_is_named_and_auth_test_lists_what_there_is(slack: FakeSlack) -> None:
    slack.scopes.intersection_update({"commands", "chat:write"})
    answer = await client_of(slack).auth_test()
    assert answer.headers["x-oauth-scopes"] == "chat:write,commands"
    with pytest.raises(SlackApiError) as refused:
        await client_of(slack).usergroups_list()
    assert refused.value.response["needed"] == "usergroups:read"


async def test_a_server_error_and_a_dropped_connection_reach_the_client(slack: FakeSlack) -> None:
    client = client_of(slack)
    client.retry_handlers.clear()
    slack.fail("chat.postMessage", status=500)
    with pytest.raises(SlackApiError):
        await client.chat_postMessage(channel="C1", text="x")
    slack.fail("chat.postMessage", status="drop")
    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(channel="C1", text="x")
    assert slack.messages("C1") == []


async def test_a_lost_answer_leaves_the_message_posted(slack: FakeSlack) -> None:
    client = client_of(slack)
    client.retry_handlers.clear()
    slack.fail("chat.postMessage", status="drop", after=True)
    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(channel="C1", text="x", metadata={"event_type": "vcc", "event_payload": {"row": 7}})
    history = await client.conversations_history(channel="C1", include_all_metadata=True)
    assert [message["metadata"]["event_payload"] for message in history["messages"]] == [{"row": 7}]


async def test_the_default_retries_post_twice_when_only_the_answer_was_lost(slack: FakeSlack) -> None:
    """Why an outbox gives its client no retry handlers and looks at the history instead."""
    slack.fail("chat.postMessage", status="drop", after=True)
    await client_of(slack).chat_postMessage(channel="C1", text="x")
    assert [message.text for message in slack.messages("C1")] == ["x", "x"]


async def test_a_hanging_call_is_let_go_by_healing(slack: FakeSlack) -> None:
    client = client_of(slack)
    client.retry_handlers.clear()
    slack.fail("*", status="hang")
    waiting = asyncio.create_task(client.auth_test())
    await slack.until(lambda: slack.calls_of("auth.test"))
    slack.heal()
    with pytest.raises(aiohttp.ClientError):
        await waiting
    assert (await client.auth_test())["ok"]
