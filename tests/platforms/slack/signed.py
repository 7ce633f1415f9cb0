"""Sends a delivery to the app's HTTP address, signed as Slack signs, or wrongly when a test wants that.

Knows no workspace.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import urlencode

import aiohttp

from tests.platforms.slack.deliveries import EVENTS, INTERACTIVE, Delivery, ack_body

STALE_SECONDS = 301
# A moment to come draws nearer while the request is on its way: by a second, and it would be inside the window.
FUTURE_SECONDS = 330


def body_of(delivery: Delivery) -> tuple[str, str]:
    """The body and its content type."""
    if delivery.kind == EVENTS:
        return json.dumps(delivery.payload), "application/json"
    fields = {"payload": json.dumps(delivery.payload)} if delivery.kind == INTERACTIVE else delivery.payload
    return urlencode(fields), "application/x-www-form-urlencoded"


def headers_for(secret: str, body: str, signature: str = "good") -> dict[str, str]:
    """Timestamp and signature. ``signature`` is good, tampered, stale, future or missing.

    The time is the real one: the app under test judges it by its own clock, which no test skips.
    """
    shift = {"stale": -STALE_SECONDS, "future": FUTURE_SECONDS}.get(signature, 0)
    stamp = str(int(time.time()) + shift)
    digest = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
    if signature == "missing":
        return {}
    if signature == "tampered":
        digest = digest[::-1]
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}


class Sender:
    """The side of Slack that calls the app."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._session = aiohttp.ClientSession()

    async def send(self, url: str, delivery: Delivery, retry: int = 0, reason: str = "") -> tuple[int, Any]:
        """Post once; the status and the answer in the body. A connection error is status 0."""
        body, content_type = body_of(delivery)
        headers = headers_for(self._secret, body, delivery.signature) | {"Content-Type": content_type}
        if retry:
            headers |= {"X-Slack-Retry-Num": str(retry), "X-Slack-Retry-Reason": reason}
        try:
            async with self._session.post(url, data=body.encode(), headers=headers) as answer:
                delivery.retries_stopped |= answer.headers.get("X-Slack-No-Retry") == "1"
                return answer.status, ack_body(await answer.text(), answer.content_type) if answer.status == 200 else None
        except aiohttp.ClientError:
            return 0, None
        except ValueError:
            delivery.problems.append("invalid_json")
            return 200, None

    async def close(self) -> None:
        """Let go of the connections."""
        await self._session.close()
