"""Every error of the Redis client has a meaning in our words."""

from __future__ import annotations

import pytest
import redis.exceptions

from bot.errors import Denied, OutsideError, Rejected, TimedOut, Unreachable
from bot.ops.redis_errors import REDIS, connect, translate
from tests.bot.ops.vendor_errors import instances_of


@pytest.mark.parametrize("error", instances_of(redis.exceptions, redis.exceptions.RedisError), ids=lambda error: type(error).__name__)
def test_every_error_of_the_client_is_caught_and_translated(error: Exception) -> None:
    assert isinstance(error, REDIS.errors)
    assert isinstance(translate(error, 1), OutsideError)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (redis.exceptions.AuthenticationError("invalid username-password pair"), Denied),
        (redis.exceptions.NoPermissionError("this user has no permissions"), Denied),
        (redis.exceptions.ResponseError("NOAUTH Authentication required."), Denied),
        (redis.exceptions.ConnectionError("refused"), Unreachable),
        (redis.exceptions.BusyLoadingError("loading"), Unreachable),
        (redis.exceptions.TimeoutError("slow"), TimedOut),
        (redis.exceptions.OutOfMemoryError("OOM"), Rejected),
        (redis.exceptions.ResponseError("ERR unknown command"), Rejected),
        (ConnectionResetError(104, "reset"), Unreachable),
    ],
)
def test_what_an_error_means_is_told_apart(error: Exception, kind: type[OutsideError]) -> None:
    assert type(translate(error, 1)) is kind


def test_an_address_that_is_none_is_a_value_error_at_once() -> None:
    with pytest.raises(ValueError):
        connect("http://somewhere", 1)
