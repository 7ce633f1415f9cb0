"""Every error of the Docker client and its HTTP libraries has a meaning in our words."""

from __future__ import annotations

import aiohttp
import docker.errors
import pytest
import requests
import requests.exceptions

from bot.errors import Denied, NotFound, OutsideError, Rejected, TimedOut, Unreachable
from bot.ops.container_errors import DOCKER, translate
from tests.bot.ops.vendor_errors import instances_of

ALL = (
    *instances_of(docker.errors, docker.errors.DockerException),
    *instances_of(requests.exceptions, requests.exceptions.RequestException),
    *instances_of(aiohttp, aiohttp.ClientError),
)


@pytest.mark.parametrize("error", ALL, ids=lambda error: f"{type(error).__module__}.{type(error).__name__}")
def test_every_error_of_the_vendors_is_caught_and_translated(error: Exception) -> None:
    assert isinstance(error, DOCKER.errors)
    translated = translate(error, 2.5)
    assert isinstance(translated, OutsideError)
    assert translated.system == "docker"


def answered(status: int, message: str) -> docker.errors.APIError:
    response = requests.Response()
    response.status_code = status
    return docker.errors.APIError("no", response=response, explanation=message)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (answered(404, "No such container: abc"), NotFound),
        (answered(403, "authorization denied by plugin"), Denied),
        (answered(409, "container is not running"), Rejected),
        (answered(500, "driver failed"), Rejected),
        (requests.exceptions.ReadTimeout("slow"), TimedOut),
        (requests.exceptions.ConnectTimeout("slow"), TimedOut),
        (requests.exceptions.ConnectionError("aborted", PermissionError(13, "no")), Denied),
        (requests.exceptions.ConnectionError("aborted", FileNotFoundError(2, "no")), Unreachable),
        (ConnectionRefusedError(111, "refused"), Unreachable),
        (OSError(113, "no route to host"), Unreachable),
        (aiohttp.ClientPayloadError("cut off"), Unreachable),
        (docker.errors.InvalidVersion("too old"), Rejected),
    ],
)
def test_what_an_error_means_is_told_apart(error: Exception, kind: type[OutsideError]) -> None:
    assert type(translate(error, 2.5)) is kind


def test_a_cause_wrapped_twice_is_still_found() -> None:
    inner = requests.exceptions.ConnectionError("aborted", PermissionError(13, "no"))
    outer = docker.errors.DockerException("Error while fetching server API version")
    outer.__cause__ = inner
    assert isinstance(translate(outer, 1), Denied)


def test_only_the_name_is_said_of_what_is_missing_and_the_rest_is_for_the_log() -> None:
    error = translate(answered(404, "No such container: abc"), 1)
    assert (error.values["name"], error.detail) == ("abc", "404: No such container: abc")
    assert translate(answered(404, "something at redis://:secret@x"), 1).values["name"] == "?"
