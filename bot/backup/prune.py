"""Which backups may go, by keep rules; and their going, one by one. What is chosen is pure; removing is the adapter's.

Backups of the same parts are weighed among themselves: one of the database alone never takes the place of a whole one.
"""

from __future__ import annotations

import datetime
import enum
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.backup.pins import pinned
from bot.backup.shelf import Backup, Shelf
from bot.errors import NotFound
from bot.ops.snapshot_remove import finish_removals, remove

_FORMS = {"daily": "%Y-%m-%d", "weekly": "%G-%V", "monthly": "%Y-%m"}


class Why(enum.StrEnum):
    """Why a backup stays."""

    LAST = "last"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    NEWEST_GOOD = "newest_good"
    NEWEST_RESTORABLE = "newest_restorable"
    RESTORING = "restoring"
    UNREADABLE = "unreadable"
    NOTHING_BETTER = "nothing_better"


@dataclass(frozen=True, slots=True)
class Rules:
    """How many to keep: of the last ones, and one for each of the last days, weeks and months that have any."""

    last: int = 7
    daily: int = 14
    weekly: int = 8
    monthly: int = 12


@dataclass(frozen=True, slots=True)
class Choice:
    """What goes, oldest first, and why each of the others stays."""

    going: tuple[Backup, ...]
    staying: tuple[tuple[Backup, Why], ...]


def choose(backups: Sequence[Backup], rules: Rules, zone: str, restoring: Collection[str] = ()) -> Choice:
    """``backups`` are the newest first. Damaged ones keep no place; they go once there is a newer one that is good."""
    why: dict[str, Why] = {}
    for group in _alike(backups):
        for reason, kept in _kept(group, rules, ZoneInfo(zone)):
            why.setdefault(kept.id, reason)
    for each in backups:
        if each.manifest is None:
            why[each.id] = Why.UNREADABLE
        elif each.id in restoring:
            why[each.id] = Why.RESTORING
    going = tuple(each for each in reversed(backups) if each.id not in why)
    return Choice(going, tuple((each, why[each.id]) for each in backups if each.id in why))


def _alike(backups: Iterable[Backup]) -> list[list[Backup]]:
    """Those that can be read, by the parts they have."""
    groups: dict[tuple[bool, bool], list[Backup]] = {}
    for each in backups:
        if each.manifest is not None:
            groups.setdefault((each.manifest.database is not None, each.manifest.uploads is not None), []).append(each)
    return list(groups.values())


def _kept(group: Sequence[Backup], rules: Rules, zone: ZoneInfo) -> Iterator[tuple[Why, Backup]]:
    good = [each for each in group if is_good(each)]
    restorable = [each for each in good if each.proof.restorable_at is not None]
    yield from ((Why.NEWEST_RESTORABLE, each) for each in restorable[:1])
    yield from ((Why.NEWEST_GOOD, each) for each in good[:1])
    if not good:  # the only ones of their kind
        yield from ((Why.NOTHING_BETTER, each) for each in group)
        return
    yield from ((Why.NOTHING_BETTER, each) for each in group[: group.index(good[0])])
    yield from ((Why.LAST, each) for each in good[: rules.last])
    for reason, count in ((Why.DAILY, rules.daily), (Why.WEEKLY, rules.weekly), (Why.MONTHLY, rules.monthly)):
        yield from ((reason, each) for each in _newest_of_each(good, _FORMS[reason], count, zone))


def is_good(backup: Backup) -> bool:
    """Compared with its source, and nothing known against it."""
    return backup.is_sound and backup.proof.good_at is not None


def _newest_of_each(backups: Sequence[Backup], form: str, count: int, zone: ZoneInfo) -> list[Backup]:
    """The newest of each of the last so many periods that have any, as the calendar of ``zone`` has them."""
    newest: dict[str, Backup] = {}
    for each in backups:
        if each.manifest is not None:
            period = datetime.datetime.fromtimestamp(each.manifest.started_at, zone).strftime(form)
            newest.setdefault(period, each)
    return list(newest.values())[:count]


@dataclass(frozen=True, slots=True)
class Removed:
    """What went, what was gone before, and what stays as it is being restored from by now."""

    ids: tuple[str, ...]
    gone: tuple[str, ...]
    needed: tuple[str, ...] = ()


def remove_all(shelf: Shelf, identities: Sequence[str], say: Callable[[int], None], stopping: Callable[[], bool]) -> Removed:
    """Remove exactly these; each is whole or gone, whatever ends this. What an earlier one left half removed goes too. Blocks."""
    finish_removals(shelf.directory)
    removed, gone, needed = list[str](), list[str](), list[str]()
    for number, identity in enumerate(identities):
        if stopping():
            break
        say(number)
        if identity in pinned(shelf.directory):  # since it was approved, by whatever process
            needed.append(identity)
            continue
        try:
            remove(Path(shelf.directory, identity), shelf.directory)
            removed.append(identity)
        except NotFound:
            gone.append(identity)
    return Removed(tuple(removed), tuple(gone), tuple(needed))
