"""Says what nobody asked for: one message in each place, edited in place, with what belongs to it in the thread below.

Written in the same commit as the state it tells of (an alert, an incident), so that neither is there without the other.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence

from sqlite_utils import Database

from bot.model import Place, Reply
from bot.store import notice_rows


class Notices:
    """Shows notices. ``clean`` takes secrets and hidden signs out of each; let messages go out once the commit is done."""

    def __init__(self, clean: Callable[[Reply], Reply], clock: Callable[[], float] = time.time) -> None:
        self._clean = clean
        self._clock = clock

    def show(self, db: Database, key: str, places: Sequence[Place], reply: Reply) -> None:
        """A message in each place that has none under this key yet; those that stand are changed."""
        notice_rows.show(db, key, places, self._clean(reply), self._clock())

    def below(self, db: Database, key: str, reply: Reply, platforms: Collection[str] | None = None) -> None:
        """Something more, in the thread below each message of this key; on these platforms only, when given."""
        notice_rows.below(db, key, self._clean(reply), self._clock(), platforms)

    def say(self, db: Database, places: Sequence[Place], reply: Reply) -> None:
        """Something in each place that is never changed."""
        notice_rows.say(db, places, self._clean(reply), self._clock())

    def show_below(self, db: Database, key: str, above: str, platforms: Collection[str], reply: Reply) -> None:
        """As ``show``, in the thread below each message of the key ``above`` on these platforms."""
        notice_rows.show_below(db, key, above, platforms, self._clean(reply), self._clock())

    def hush(self, db: Database, key: str) -> None:
        """Nobody is to be called below this any more: what was not delivered yet calls nobody, and letters that only call are not sent."""
        notice_rows.hush(db, key)
