"""Every error of the MongoDB driver has a meaning in our words."""

from __future__ import annotations

import pymongo.errors
import pytest

from bot.errors import Denied, NotFound, OutsideError, Rejected, TimedOut, Unreachable
from bot.ops.mongo_errors import MONGODB, translate
from tests.bot.ops.vendor_errors import instances_of


@pytest.mark.parametrize("error", instances_of(pymongo.errors, pymongo.errors.PyMongoError), ids=lambda error: type(error).__name__)
def test_every_error_of_the_driver_is_caught_and_translated(error: Exception) -> None:
    assert isinstance(error, MONGODB.errors)
    assert isinstance(translate(error, 1), OutsideError)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (pymongo.errors.OperationFailure("Authentication failed.", 18), Denied),
        (pymongo.errors.OperationFailure("not authorized on admin", 13), Denied),
        (pymongo.errors.OperationFailure("ns not found", 26), NotFound),
        (pymongo.errors.ExecutionTimeout("operation exceeded time limit", 50), TimedOut),
        (pymongo.errors.NetworkTimeout("timed out"), TimedOut),
        (pymongo.errors.ServerSelectionTimeoutError("h:1: timed out"), TimedOut),
        (pymongo.errors.ServerSelectionTimeoutError("h:1: [Errno 111] Connection refused"), Unreachable),
        (pymongo.errors.AutoReconnect("closed"), Unreachable),
        (pymongo.errors.DuplicateKeyError("E11000"), Rejected),
    ],
)
def test_what_an_error_means_is_told_apart(error: Exception, kind: type[OutsideError]) -> None:
    assert type(translate(error, 1)) is kind
