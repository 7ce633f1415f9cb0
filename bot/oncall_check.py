"""What is wrong with who is called: contacts that cannot answer, because they may not, or that no letter reaches. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from bot.gate import Gate
from bot.model import Role
from bot.oncall import Contact
from bot.oncall_book import OnCallBook
from bot.services import Finding
from bot.words import Words

PART = "oncall"


class OnCallCheck:
    """Looks at every contact of ``book``; what one may do, ``gate`` knows."""

    def __init__(self, book: OnCallBook, gate: Gate) -> None:
        self._book = book
        self._gate = gate

    async def findings(self, words: Words) -> Sequence[Finding]:
        """Each contact that would be called in vain; one finding when all is well."""
        state = await self._book.state()
        if state.now is None:
            return [Finding(PART, "warn", words("oncall.nobody_now"), words("oncall.nobody"))]
        faults = [Finding(PART, "warn", text, fix) for each in state.roster.contacts for text, fix in await self._faults(each, words)]
        return faults or [Finding(PART, "ok", words("oncall.now", name=state.now.contact.name))]

    async def _faults(self, contact: Contact, words: Words) -> Sequence[tuple[str, str]]:
        people = [await self._gate.person_of(account) for account in contact.accounts]
        faults = []
        if not any(person.role >= Role.OPERATOR for person in people):
            faults.append((words("oncall.check.no_right", name=contact.name), words("oncall.check.no_right_fix")))
        if contact.mail and not self._book.mailboxes(contact):
            faults.append((words("oncall.check.no_mail", name=contact.name), words("oncall.check.no_mail_fix")))
        return faults
