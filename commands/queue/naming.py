"""Which queue is meant, and lines that name one so that they read back as they were. Asks only for names and places of jobs."""

from __future__ import annotations

from collections.abc import Iterable

from bot.context import Context
from bot.errors import Conflict, Usage
from bot.line import closest, join, normalise
from bot.ops.bull_values import Where

_LONGEST = 500
_BEFORE = "x "  # a line is normalised, not a word: its beginning loses more


async def names_of(ctx: Context, name: str | None) -> tuple[str, ...]:
    """The queue a person named, or all there are. Usage with the nearest name, Conflict when there is none at all."""
    names = await ctx.ops.bull.names()
    if not names:
        raise Conflict("queue.none")
    return names if name is None else (_resolved(names, name),)


def _resolved(names: tuple[str, ...], wanted: str) -> str:
    if wanted in names:
        return wanted
    found = [name for name in names if _folded(name) == _folded(wanted)]
    if len(found) != 1:
        near = " · ".join(found or names)
        raise Usage("queue.unknown", name=wanted, near=near if found else closest(wanted, names) or near)
    return found[0]


def _folded(name: str) -> str:
    return typed(name).casefold()


def typed(word: str) -> str:
    """As it comes out of a typed line: a phone's quotes made plain, invisible signs gone."""
    return normalise(f"{_BEFORE}{word[:_LONGEST]}").removeprefix(_BEFORE)


async def holder_of(ctx: Context, job: str, queue: str | None) -> tuple[str, Where]:
    """The one queue that knows a job, and where it is there. Conflict when none does, Usage when several do."""
    names = await names_of(ctx, queue)
    found = await ctx.ops.bull.jobs.holders(names, job)
    if not found:
        raise Conflict("queue.no_job", job=job)
    if len(found) > 1:
        raise Usage("queue.which", job=job, names=" · ".join(found))
    return next(iter(found.items()))


def line(command: str, words: Iterable[str] = (), *, queue: str, **options: object) -> str:
    """A line that a button types: ``queue <command> …`` for this queue. Words and values may begin with dashes."""
    positional = list(words)
    named = [part for name, value in {"queue": queue, **options}.items() for part in _option(name, typed(str(value)))]
    ends = ["--"] if any(word.startswith("--") for word in positional) else []
    return join(["queue", command, *named, *ends, *positional] if ends else ["queue", command, *positional, *named])


def resume_line(queue: str) -> str:
    """The line that resumes this queue."""
    return join(["queue", "resume", *(["--"] if typed(queue).startswith("--") else []), typed(queue)])


def _option(name: str, value: str) -> tuple[str, ...]:
    return (f"--{name}={value}",) if value.startswith("--") else (f"--{name}", value)
