"""A second person approves what somebody asked for; once more where a job began meanwhile, as then the card is void and a new one asks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.connectors import plain
from bot.model import Outcome, Reply

_CARDS = 4
Ask = Callable[[str, str], Awaitable[Reply]]


async def approved_by(ask: Ask, line: str, asker: str = "olga", approver: str = "ada", *, not_own: bool = True) -> Reply:
    """The outcome. On a deployment that works, jobs end and begin between two lines. ``not_own``: the asker's own approval is refused."""
    reply = await ask(line, asker)
    assert reply.outcome is Outcome.PENDING, plain.text(reply)
    for _ in range(_CARDS):
        if not_own:
            assert (await ask(f"approve {reply.ticket}", asker)).outcome is Outcome.REFUSED
        reply = await ask(f"approve {reply.ticket}", approver)
        if reply.outcome is not Outcome.PENDING:
            break
    return reply
