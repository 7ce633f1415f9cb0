"""What is said of who is on call, of pages and of escalations, in the words of the house. Pure; tells no telephone number."""

from __future__ import annotations

from bot.figures import Figures
from bot.model import Button, Reply, Tone
from bot.oncall import Contact, Page, Shift
from bot.words import Words


class OnCallTelling:
    """Says it in ``words``, with times in ``zone``."""

    def __init__(self, words: Words, zone: str) -> None:
        self._words = words
        self.figures = Figures(words.language, zone)

    def handed_over(self, shift: Shift) -> Reply:
        """Somebody is on call from now on."""
        until = "" if shift.until is None else self._words("oncall.until", at=self.figures.moment(shift.until))
        by = self._words("oncall.set_by", person=shift.set_by) if shift.set_by else self._words("oncall.by_turn")
        text = " · ".join(part for part in (until, by) if part)
        return Reply(self._words("oncall.now", name=shift.contact.name), text, mentions=shift.contact.accounts)

    def nobody(self) -> Reply:
        """Nobody is known to be on call."""
        return Reply(self._words("oncall.nobody_now"), self._words("oncall.nobody"), tone=Tone.WARN)

    def page(self, page: Page, contact: Contact, following: Contact | None, seconds: float) -> Reply:
        """The message of a page: it calls one person, and says who is next."""
        if page.acknowledged_at is not None:
            return self._answered(page)
        words = self._words
        after = "oncall.next" if following is not None else "oncall.no_next"
        said = words(after, wait=self.figures.duration(seconds), name=following.name if following is not None else "")
        return Reply(
            words("oncall.page_title", name=page.called, person=page.person),
            page.message,
            tone=Tone.BAD,
            buttons=(self.button(page),),
            footer=f"{words('oncall.page_footer', number=page.id)} · {said}",
            mentions=contact.accounts,
        )

    def _answered(self, page: Page) -> Reply:
        lasted = self.figures.duration(max(0.0, (page.acknowledged_at or page.at) - page.at))
        title = self._words("oncall.page_answered", person=page.acknowledged_by, wait=lasted)
        return Reply(title, page.message, tone=Tone.GOOD, footer=self._words("oncall.page_footer", number=page.id))

    def button(self, page: Page) -> Button:
        """Says that somebody is at it."""
        return Button(self._words("oncall.ack_button"), f"oncall ack {page.id}", "primary")

    def page_name(self, page: Page) -> str:
        """What a page is called in an escalation."""
        return f"{self._words('oncall.page_footer', number=page.id)}: {page.message}"

    def calls(self, contact: Contact, about: str, waited: float, following: Contact | None, buttons: tuple[Button, ...]) -> Reply:
        """Nobody answered, so the next one is called."""
        title = self._words("oncall.escalated", wait=self.figures.duration(waited), name=contact.name)
        footer = "" if following is not None else self._words("oncall.last")
        return Reply(title, about, tone=Tone.BAD, buttons=buttons, footer=footer, mentions=contact.accounts)
