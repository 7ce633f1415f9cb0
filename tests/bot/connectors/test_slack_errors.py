"""Everything slack_sdk and aiohttp can raise becomes one of our own failures, and says rightly whether to try again."""

from __future__ import annotations

import inspect
from typing import Any

import aiohttp
import pytest
import slack_sdk.errors
from aiohttp.client_reqrep import ConnectionKey
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.connectors.slack_errors import VENDOR, ResponseUrlRefused, outside, undelivered
from bot.errors import Denied, OutsideError, Rejected, TimedOut, Unreachable
from bot.outbox import NotDelivered


def refused(error: str = "", status: int = 200, headers: dict[str, str] | None = None, data: Any = None) -> slack_sdk.errors.SlackApiError:
    body = {"ok": False, "error": error} if data is None else data
    response = AsyncSlackResponse(
        client=None, http_verb="POST", api_url="chat.postMessage", req_args={}, data=body, headers=headers or {}, status_code=status
    )
    return slack_sdk.errors.SlackApiError("no", response)  # type: ignore[no-untyped-call]


def not_connected() -> aiohttp.ClientConnectorError:
    return aiohttp.ClientConnectorError(ConnectionKey("h", 1, False, True, None, None, None), OSError(111, "refused"))


@pytest.mark.parametrize("module", [slack_sdk.errors, aiohttp.client_exceptions])
def test_every_error_of_the_vendors_is_translated(module: Any) -> None:
    found = [
        each
        for _, each in inspect.getmembers(module, inspect.isclass)
        if issubclass(each, Exception) and each.__module__ == module.__name__
    ]
    strange = [each.__name__ for each in found if not issubclass(each, VENDOR)]
    # Raised while an app or its blocks are built, or by reading a WebSocket by hand; never by a call.
    assert set(strange) <= {"BotUserAccessError", "SlackTokenRotationError", "SlackObjectFormationError", "WSMessageTypeError"}
    assert len(found) > 5


@pytest.mark.parametrize(
    ("error", "retry_after", "final", "in_doubt"),
    [
        (refused("ratelimited", 429, {"Retry-After": "7"}), 7.0, False, False),
        (refused("ratelimited", 429), 1.0, False, False),
        (refused("", 500, data={}), None, False, True),
        (refused("", 503, data="upstream error"), None, False, True),
        (refused("internal_error"), None, False, True),
        (refused("channel_not_found"), None, True, False),
        (refused("not_in_channel"), None, True, False),
        (refused("message_not_found"), None, True, False),
        (refused("token_revoked"), None, False, False),
        (refused("missing_scope"), None, False, False),
        (TimeoutError(), None, False, True),
        (aiohttp.ServerDisconnectedError(), None, False, True),
        (ConnectionResetError(), None, False, True),
        (not_connected(), None, False, False),
        (ResponseUrlRefused(404, "expired_url"), None, True, False),
        (ResponseUrlRefused(500, "oops"), None, False, True),
        (ResponseUrlRefused(429, "slow down", "3"), 3.0, False, False),
    ],
)
def test_a_failed_delivery_says_whether_and_when_to_try_again(
    error: Exception, retry_after: float | None, final: bool, in_doubt: bool
) -> None:
    failure = undelivered(error)
    assert isinstance(failure, NotDelivered)
    assert (failure.retry_after, failure.final, failure.in_doubt) == (retry_after, final, in_doubt)


@pytest.mark.parametrize(
    ("error", "ours"),
    [
        (refused("invalid_auth"), Denied),
        (refused("missing_scope"), Denied),
        (refused("plan_upgrade_required"), Rejected),
        (refused("", 500, data={}), Rejected),
        (TimeoutError(), TimedOut),
        (not_connected(), Unreachable),
    ],
)
def test_a_failed_question_is_an_outside_error(error: Exception, ours: type[OutsideError]) -> None:
    assert type(outside(error)) is ours
    assert outside(error).system == "slack"
