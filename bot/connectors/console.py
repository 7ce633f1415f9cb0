"""The terminal's door: one line for ``vcc do``, or a prompt for ``vcc console``. What it says goes to the caller's stream."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import threading
import time
from typing import TextIO

from bot.connectors import plain
from bot.dispatch import Dispatch
from bot.errors import RecordUnwritable
from bot.model import Account, Invocation, Outcome, Place, Reply, Tone
from bot.words import Words

PLACE = Place("local", "console", direct=True)


async def ask(dispatch: Dispatch, words: Words, line: str, account: Account) -> Reply:
    """One line through the corridor; the answer."""
    invocation = Invocation(line=line, account=account, place=PLACE, key="", at=time.time(), account_name=account.id)
    try:
        accepted = await dispatch.accept(invocation)
        if accepted is not None:
            return await dispatch.run(accepted)
    except RecordUnwritable as error:
        return Reply(words("dispatch.refused"), words(error.key, **error.values), Outcome.REFUSED, Tone.BAD, data={"reason": error.key})
    raise AssertionError("a line without a key cannot have been taken before")


def print_reply(reply: Reply, *, as_json: bool, out: TextIO | None = None) -> int:
    """Say a reply on a stream; the exit code it means."""
    said = json.dumps(plain.as_json(reply), ensure_ascii=False, indent=2, default=str) if as_json else plain.text(reply)
    out = out or sys.stdout
    out.write(said + "\n")
    out.flush()
    return plain.exit_code(reply)


async def _typed() -> str:
    """The next line; empty at the end of the input. A thread that may be left behind reads it, so that Ctrl-C ends us at once."""
    loop = asyncio.get_running_loop()
    line: asyncio.Future[str] = loop.create_future()

    def hand_over(text: str) -> None:
        if not line.done():
            line.set_result(text)

    def read() -> None:
        text = sys.stdin.readline()
        with contextlib.suppress(RuntimeError):  # nobody waits any more
            loop.call_soon_threadsafe(hand_over, text)

    threading.Thread(target=read, name="console", daemon=True).start()
    return await line


def say(reply: Reply) -> None:
    """Something said while a line still runs."""
    print_reply(reply, as_json=False)


async def converse(dispatch: Dispatch, words: Words, account: Account, out: TextIO | None = None) -> None:
    """Read lines and answer them until the input ends or somebody types ``exit``."""
    out = out or sys.stdout
    out.write(words("console.welcome", account=str(account)) + "\n")
    while True:
        out.write("vcc> ")
        out.flush()
        line = await _typed()
        if not line or line.strip() in ("exit", "quit"):
            return
        if line.strip():
            print_reply(await ask(dispatch, words, line, account), as_json=False, out=out)
