"""What the S3 library throws, in our words. Knows nothing of what was asked. Imports the library: only for who uses it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from boto3.exceptions import Boto3Error
from botocore import exceptions

from bot.errors import Denied, NotFound, OutsideError, Rejected, TimedOut, Unreachable
from bot.ops.bounded import describe
from bot.ops.remote_faults import Overloaded, SkewedClock
from bot.ops.remote_values import SYSTEM

ERRORS: tuple[type[Exception], ...] = (exceptions.BotoCoreError, exceptions.ClientError, Boto3Error)

_DENIED = frozenset(
    "AccessDenied AccountProblem AllAccessDisabled AuthFailure ExpiredToken ExpiredTokenException InvalidAccessKeyId InvalidSecurity "
    "InvalidToken NotSignedUp SignatureDoesNotMatch TokenRefreshRequired UnrecognizedClientException".split()
)
_MISSING = {"NoSuchBucket": "bucket", "NoSuchKey": "object", "NoSuchUpload": "upload"}
_BUSY = frozenset("SlowDown ServiceUnavailable Throttling ThrottlingException TooManyRequests RequestLimitExceeded InternalError".split())
_NO_LOGIN = (
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.CredentialRetrievalError,
    exceptions.TokenRetrievalError,
    exceptions.ProfileNotFound,
    exceptions.UnauthorizedSSOTokenError,
    exceptions.RefreshWithMFAUnsupportedError,
)
_LATE = (exceptions.ConnectTimeoutError, exceptions.ReadTimeoutError)
# What may end a stream before its end.
CUT = (exceptions.HTTPClientError, exceptions.IncompleteReadError)
_LOST = (exceptions.ConnectionError, *CUT)


def translate(error: Exception, seconds: float) -> OutsideError:
    """One error of the library as ours."""
    if isinstance(error, exceptions.ClientError):
        return _answered(error, seconds)
    if isinstance(error, _NO_LOGIN):
        return Denied(SYSTEM, describe(error))
    if isinstance(error, _LATE):
        return TimedOut(SYSTEM, seconds, describe(error))
    if isinstance(error, _LOST):
        return Unreachable(SYSTEM, describe(error))
    return Rejected(SYSTEM, describe(error))


def status_of(error: exceptions.ClientError) -> int:
    """The HTTP status of an answer that is a refusal; 0 when it had none."""
    answer: Any = error.response.get("ResponseMetadata") or {}
    return int(answer.get("HTTPStatusCode") or 0)


def _answered(error: exceptions.ClientError, seconds: float) -> OutsideError:
    code, status, detail = str(error.response.get("Error", {}).get("Code", "")), status_of(error), describe(error)
    if code == "RequestTimeTooSkewed":
        return SkewedClock(detail)
    if code in _MISSING or status == 404:
        return NotFound(SYSTEM, _MISSING.get(code, "object"), detail)
    if code == "RequestTimeout":
        return TimedOut(SYSTEM, seconds, detail)
    if code in _BUSY or status == 429 or status >= 500:
        return Overloaded(status, detail)
    if code in _DENIED or status in (401, 403):
        return Denied(SYSTEM, detail)
    return Rejected(SYSTEM, detail)


@contextlib.contextmanager
def asking(seconds: float) -> Iterator[None]:
    """What the library throws inside leaves in our words."""
    try:
        yield
    except ERRORS as error:
        raise translate(error, seconds) from error
