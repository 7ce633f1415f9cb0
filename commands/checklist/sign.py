"""``checklist sign``: a person's word on an item: well, or not. It stands in the report from then on, wherever that is shown."""

from __future__ import annotations

import re
from typing import Annotated

from bot.checklists import Result, Run, Signature, Verdict
from bot.command import Between, Rest
from bot.context import Context
from bot.errors import Conflict, Forbidden, Usage
from bot.model import Reply, Risk, Role, Tone
from bot.plain_text import harmless
from commands.checklist.group import about, group
from commands.checklist.page import Page

_OF_RUN = re.compile(r"#?(\d{1,12})-(.+)")
_NOTE = 400


@group.command(
    "sign",
    Risk.CHANGE,
    examples=("checklist sign security-log", "checklist sign 12-security-log", "checklist sign dependencies --fail CVE-2026-1234 남음"),
)
async def sign(
    ctx: Context, item: str, note: Rest = Rest(""), *, run: Annotated[int | None, Between(1, 10**12)] = None, fail: bool = False
) -> Reply:
    """Sign an item of the newest run that has it, or of the run named."""
    book, page = ctx.services.checklists, Page(ctx)
    found, result = await _meant(ctx, item, run)
    if result.signer is None:
        raise Conflict("checklist.measured", item=page.name(result), name=found.name)
    if result.signer == "admin" and ctx.person.role < Role.ADMIN:
        raise Forbidden("checklist.admins_only", item=page.name(result), admins=ctx.services.gate.who(Role.ADMIN))
    said = Signature(ctx.person.name, ctx.clock(), Verdict.FAIL if fail else Verdict.WELL, harmless(note, limit=_NOTE, newlines=False))
    signed = await book.sign(found.id, result.item, said)
    signed = await _shown(ctx, page, signed)
    newest = await book.newest(signed.name)
    if not signed.unsigned and newest is not None and newest.id == signed.id:
        await ctx.release(about(signed.name))
    return _answer(ctx, page, signed, result.item, await book.newest(signed.name, before=signed.id))


async def _shown(ctx: Context, page: Page, run: Run) -> Run:
    """The report says it too; again when somebody else signed meanwhile, so that the last to write knows of every signature."""
    book = ctx.services.checklists
    before, fault = await book.newest(run.name, before=run.id), await book.fault()
    while True:
        await ctx.services.revise(run.reference, page.report(run, before, fault))
        now = await book.run(run.id)
        if now is None or now == run:
            return run
        run = now


async def _meant(ctx: Context, item: str, number: int | None) -> tuple[Run, Result]:
    """The run and its item: ``12-security-log`` as buttons type it, or the item alone."""
    book, named = ctx.services.checklists, _OF_RUN.fullmatch(item.lower())
    if named is not None and number is not None and int(named[1]) != number:
        raise Usage("checklist.two_runs", item=item, run=number)
    wanted = named[2] if named is not None else item.lower()
    number = int(named[1]) if named is not None else number
    run = await (book.newest(item=wanted) if number is None else book.run(number))
    if run is None and number is not None:
        raise Conflict("checklist.no_run", run=number)
    result = run.result(wanted) if run is not None else None
    if run is None or result is None:
        waiting = " · ".join(each.item for each in run.unsigned) if run is not None else ""
        raise Usage("checklist.no_such_item", item=item, near=waiting or "/vcc checklist show")
    return run, result


def _answer(ctx: Context, page: Page, run: Run, item: str, before: Run | None) -> Reply:
    result = run.result(item)
    if result is None:
        raise TypeError("an item that was signed a moment ago")
    left = len(run.unsigned)
    key = "checklist.signed_all" if not left else "checklist.signed_left"
    return Reply(
        title=ctx.words("checklist.signed", item=page.name(result), person=ctx.person.name),
        text="\n".join(
            part for part in (result.signature.note if result.signature else "", ctx.words(key, count=left, run=run.id)) if part
        ),
        tone=Tone.GOOD if result.verdict is Verdict.WELL else Tone.WARN,
        data=page.raw(run, before),
    )
