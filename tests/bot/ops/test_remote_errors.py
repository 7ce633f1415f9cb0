"""Every error of the S3 library has a meaning in our words."""

from __future__ import annotations

import re
from typing import Any

import botocore.exceptions
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, NoCredentialsError, ReadTimeoutError

from bot.errors import Denied, NotFound, OutsideError, Rejected, TimedOut, Unreachable
from bot.ops.remote_errors import ERRORS, translate
from bot.ops.remote_faults import Overloaded, SkewedClock, midway
from tests.bot.ops.vendor_errors import classes_of


def made(kind: type[Exception]) -> Exception:
    """An error of this class, whatever its message wants."""
    if issubclass(kind, ClientError):
        return kind({"Error": {"Code": "X"}}, "PutObject")
    values: dict[str, Any] = {}
    for _ in range(12):
        try:
            return kind(**values)
        except (KeyError, TypeError) as missing:
            values.update(dict.fromkeys(re.findall(r"'(\w+)'", str(missing)), "x"))
    raise AssertionError(f"cannot make {kind}")


KINDS = [*classes_of(botocore.exceptions, botocore.exceptions.BotoCoreError), ClientError]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_of_the_library_is_caught_and_translated(kind: type[Exception]) -> None:
    error = made(kind)
    assert isinstance(error, ERRORS)
    assert isinstance(translate(error, 1), OutsideError)


def refused(code: str, status: int) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "PutObject")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (refused("AccessDenied", 403), Denied),
        (refused("403", 403), Denied),
        (refused("ExpiredToken", 400), Denied),
        (refused("InvalidAccessKeyId", 403), Denied),
        (refused("RequestTimeTooSkewed", 403), SkewedClock),
        (refused("NoSuchBucket", 404), NotFound),
        (refused("404", 404), NotFound),
        (refused("SlowDown", 503), Overloaded),
        (refused("", 429), Overloaded),
        (refused("InternalError", 500), Overloaded),
        (refused("RequestTimeout", 400), TimedOut),
        (refused("BadDigest", 400), Rejected),
        (NoCredentialsError(), Denied),
        (ConnectTimeoutError(endpoint_url="x"), TimedOut),
        (ReadTimeoutError(endpoint_url="x"), TimedOut),
        (EndpointConnectionError(endpoint_url="x"), Unreachable),
    ],
    ids=str,
)
def test_what_an_error_means_is_told_apart(error: Exception, kind: type[OutsideError]) -> None:
    assert type(translate(error, 1)) is kind


@pytest.mark.parametrize("kind", [Denied, Unreachable])
def test_a_failure_midway_is_of_the_same_kind_and_tells_how_far_it_went(kind: type[Denied] | type[Unreachable]) -> None:
    told = midway(kind("s3", "the vendor's words"), 3, 8)
    assert isinstance(told, kind)
    assert (told.values["done"], told.values["total"], told.detail) == (3, 8, "the vendor's words")
    before = kind("s3")
    assert midway(before, 0, 8) is before
