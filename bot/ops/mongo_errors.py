"""What the MongoDB driver throws, in our words. Knows nothing of what was asked."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from pymongo import errors

from bot.errors import Denied, NotFound, OutsideError, Rejected, TimedOut, Unreachable
from bot.ops.bounded import Vendor, describe

SYSTEM = "mongodb"

# Unauthorized, AuthenticationFailed, AuthenticationAbandoned: the server's own numbers.
_DENIED_CODES = frozenset({13, 18, 8000})
_MISSING_CODES = frozenset({26, 27})
_SLOW = (errors.NetworkTimeout, errors.ExecutionTimeout, errors.WTimeoutError, errors.WaitQueueTimeoutError, TimeoutError)


def translate(error: Exception, seconds: float) -> OutsideError:
    """One error of the driver as ours."""
    if isinstance(error, errors.OperationFailure) and error.code in _DENIED_CODES:
        return Denied(SYSTEM, describe(error))
    if isinstance(error, errors.OperationFailure) and error.code in _MISSING_CODES:
        return NotFound(SYSTEM, "collection" if error.code == 26 else "index", describe(error))
    if isinstance(error, _SLOW) or _hangs(error):
        return TimedOut(SYSTEM, seconds, describe(error))
    if isinstance(error, errors.ConnectionFailure | OSError):
        return Unreachable(SYSTEM, describe(error))
    return Rejected(SYSTEM, describe(error))


@contextlib.contextmanager
def needing(role: str) -> Iterator[None]:
    """What the server denies inside is told with the role that the account lacks."""
    try:
        yield
    except Denied as denied:
        raise OutsideError("db.needs_role", system=SYSTEM, detail=denied.detail, role=role) from denied


def _hangs(error: Exception) -> bool:
    """The driver tells a server that does not answer from one that is not there in its wording only."""
    return isinstance(error, errors.ServerSelectionTimeoutError) and "timed out" in str(error) and "refused" not in str(error)


MONGODB = Vendor(SYSTEM, (errors.PyMongoError, OSError), translate)
