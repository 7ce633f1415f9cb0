"""How we reach Redis, and what its client throws, in our words. Knows nothing of what is kept there."""

from __future__ import annotations

import redis.asyncio
import redis.exceptions
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from bot.errors import Denied, OutsideError, Rejected, TimedOut, Unreachable
from bot.ops.bounded import Vendor, describe

SYSTEM = "redis"

_DENIED = (redis.exceptions.AuthenticationError, redis.exceptions.AuthorizationError, redis.exceptions.NoPermissionError)


def translate(error: Exception, seconds: float) -> OutsideError:
    """One error of the client as ours. A wrong password is a kind of lost connection to the vendor; not to us."""
    if isinstance(error, _DENIED) or _says_no_password(error):
        return Denied(SYSTEM, describe(error))
    if isinstance(error, redis.exceptions.TimeoutError | TimeoutError):
        return TimedOut(SYSTEM, seconds, describe(error))
    if isinstance(error, redis.exceptions.ConnectionError | OSError):
        return Unreachable(SYSTEM, describe(error))
    return Rejected(SYSTEM, describe(error))


def _says_no_password(error: Exception) -> bool:
    return isinstance(error, redis.exceptions.ResponseError) and str(error).startswith(("NOAUTH", "WRONGPASS", "NOPERM"))


REDIS = Vendor(SYSTEM, (redis.exceptions.RedisError, OSError), translate)


def connect(url: str, deadline: float) -> redis.asyncio.Redis:
    """A client that connects when first asked, never retries by itself, and keeps odd bytes in names as they are.

    ValueError when ``url`` is none. The old protocol is asked for: servers before 6 know no other.
    """
    return redis.asyncio.Redis.from_url(
        url,
        protocol=2,
        socket_timeout=deadline,
        socket_connect_timeout=deadline,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
        encoding_errors="surrogateescape",
        client_name="vcc-ops-bot",
    )
