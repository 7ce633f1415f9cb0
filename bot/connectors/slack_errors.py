"""What slack_sdk and the network raise, as our own failures: for the outbox, and for everything else."""

from __future__ import annotations

from typing import Any

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.errors import Denied, OutsideError, Rejected, TimedOut, Unreachable
from bot.outbox import NotDelivered

# What a call to Slack can raise; the first is a subclass of the second.
VENDOR = (SlackApiError, SlackClientError, aiohttp.ClientError, TimeoutError, OSError)
TIMEOUT = 10
SYSTEM = "slack"

TOKEN_GONE = frozenset("invalid_auth not_authed account_inactive token_revoked token_expired not_allowed_token_type".split())
_BAD_TOKEN = TOKEN_GONE | frozenset(
    "no_permission missing_scope org_login_required ekm_access_denied access_denied team_access_not_granted".split()
)
# Trying the same again cannot help; a token or a scope can be put right, so those are not among them.
_FINAL = frozenset(
    "channel_not_found not_in_channel is_archived user_not_found user_not_in_channel message_not_found thread_not_found"
    " cant_update_message edit_window_closed restricted_action restricted_action_read_only_channel no_permission"
    " restricted_action_thread_only_channel restricted_action_non_threadable_channel posting_to_general_channel_denied"
    " messages_tab_disabled cannot_dm_bot as_user_not_supported invalid_thread_ts expired_url used_url no_text".split()
)
_MAYBE_DONE = frozenset("internal_error fatal_error request_timeout service_unavailable".split())
# The message itself is not to Slack's taste: said in plain words it still goes through.
BAD_BLOCKS = frozenset(
    "invalid_blocks invalid_blocks_format msg_blocks_too_long msg_too_long invalid_attachments invalid_arguments"
    " block_mismatch unsupported_block_type".split()
)


class ResponseUrlRefused(SlackClientError):
    """A response_url answered with something else than 200."""

    def __init__(self, status: int, body: str, retry_after: str = "") -> None:
        super().__init__(f"response_url: {status} {body[:100]}")
        self.status = status
        self.retry_after = retry_after


def code_of(error: BaseException) -> str:
    """Slack's own word for what is wrong; empty when it gave none."""
    data = getattr(getattr(error, "response", None), "data", None)
    return str(data.get("error") or "") if isinstance(data, dict) else ""


def _status_of(error: BaseException) -> int:
    if isinstance(error, ResponseUrlRefused):
        return error.status
    response: Any = getattr(error, "response", None)
    return int(getattr(response, "status_code", None) or getattr(response, "status", None) or 0)


def _retry_after(error: BaseException) -> float:
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    said = error.retry_after if isinstance(error, ResponseUrlRefused) else headers.get("Retry-After", "")
    return float(said) if str(said).replace(".", "", 1).isdigit() else 1.0


def undelivered(error: BaseException) -> NotDelivered:
    """Why a message was not delivered, and what that means for trying again."""
    code, status = code_of(error), _status_of(error)
    reason = code or f"{status or ''} {type(error).__name__}".strip()
    if status == 429 or code in ("ratelimited", "rate_limited"):
        return NotDelivered("rate limited", retry_after=_retry_after(error))
    if status >= 500 or code in _MAYBE_DONE:
        return NotDelivered(reason, in_doubt=True)
    if code in _FINAL or (isinstance(error, ResponseUrlRefused) and status < 500):
        return NotDelivered(reason, final=True)
    if code and code not in _BAD_TOKEN:
        return NotDelivered(reason, refused=True)
    # Without a connection nothing was sent; anything later may have arrived.
    lost = not status and not isinstance(error, aiohttp.ClientConnectorError)
    return NotDelivered(reason, in_doubt=lost)


def outside(error: BaseException, seconds: float = TIMEOUT) -> OutsideError:
    """The same for everything that is not a message."""
    code = code_of(error)
    if code in _BAD_TOKEN:
        return Denied(SYSTEM, code)
    if isinstance(error, TimeoutError):
        return TimedOut(SYSTEM, seconds)
    if code or _status_of(error):
        return Rejected(SYSTEM, code or str(_status_of(error)))
    return Unreachable(SYSTEM, type(error).__name__)
