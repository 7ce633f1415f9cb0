"""Which copies in the second place may go: of backups that no keep rule wants, wherever they are; never the newest proven ones.

What is only over there says itself which parts it has, and counts as good, as only such are sent; what does not say so, as an older
bot sent it, takes nobody's place. Either goes only once a newer good whole one stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bot.backup.manifest import DatabasePart, Manifest, UploadsPart
from bot.backup.prune import Rules, choose, is_good
from bot.backup.remote_copy import DATABASE, UPLOADS, is_damaged
from bot.backup.shelf import Backup, Proof, order_of, time_of
from bot.errors import NotFound, VccError
from bot.ops.remote import Remote
from bot.ops.remote_values import Collected, RemoteBackup

_NEWEST = Rules(1, 0, 0, 0)
_SOME_DATABASE, _SOME_UPLOADS = DatabasePart("", "", "none", (), None, 0.0), UploadsPart(0, 0, 0, 0, "directory", 0, 0.0)


def choose_there(
    here: Sequence[Backup], there: Sequence[RemoteBackup], rules: Rules, zone: str, staying: Collection[str]
) -> tuple[RemoteBackup, ...]:
    """What goes over there, oldest first. Nothing goes of what is ``staying`` here. Of what was sent the newest good and the newest
    restorable one stay, even when the rules want only newer ones that were never sent."""
    copies = {each.id: each for each in there}
    known = {each.id: _as_stored(each) if each.id in copies else each for each in here if each.manifest is not None}
    alone = {each.id: _only_there(each, at) for each in there if each.id not in known and (at := time_of(each.id)) is not None}
    both = sorted((*known.values(), *alone.values()), key=lambda each: order_of(each.id), reverse=True)
    sent = [each for each in both if each.id in copies]
    unsaid = [alone[each.id] for each in sent if each.id in alone and not copies[each.id].labels]
    said, said_there = ([each for each in several if each not in unsaid] for several in (both, sent))
    kept = {each.id for some in ((said, rules), (said_there, _NEWEST), (unsaid, rules)) for each, _ in choose(*some, zone).staying}
    wholes = [order_of(each.id) for each in here if is_good(each) and _is_whole(each)]
    going = [each.id for each in reversed(sent) if each.id not in kept and each.id not in staying]
    return tuple(copies[each] for each in going if each in known or any(order_of(each) < whole for whole in wholes))


def _as_stored(backup: Backup) -> Backup:
    """Damage that was found here has not reached the copy over there."""
    return replace(backup, proof=replace(backup.proof, fault="", fault_at=None)) if is_damaged(backup) else backup


def _only_there(backup: RemoteBackup, at: float) -> Backup:
    database = _SOME_DATABASE if DATABASE in backup.labels or not backup.labels else None
    uploads = _SOME_UPLOADS if UPLOADS in backup.labels or not backup.labels else None
    manifest = Manifest(backup.id, "", at, at, "asked", "", "", "", (), database, uploads)
    return Backup(backup.id, Path(backup.id), manifest, Proof(good_at=at))


def _is_whole(backup: Backup) -> bool:
    return backup.manifest is not None and backup.manifest.database is not None and backup.manifest.uploads is not None


@dataclass(frozen=True, slots=True)
class RemovedThere:
    """What went over there, and what was gone before. ``collected`` is what that freed; ``failure`` what ended it early."""

    ids: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    collected: Collected | None = None
    failure: VccError | None = None


async def remove_there(remote: Remote, identities: Sequence[str], say: Callable[[int], None]) -> RemovedThere:
    """Delete exactly these, each wholly a backup or none, and then what nothing refers to any more. The same again goes on from there."""
    removed, gone = list[str](), list[str]()
    try:
        for number, identity in enumerate(identities):
            say(number)
            try:
                await remote.delete(identity)
                removed.append(identity)
            except NotFound:
                gone.append(identity)
        say(len(identities))
        return RemovedThere(tuple(removed), tuple(gone), await remote.collect())
    except VccError as failure:
        return RemovedThere(tuple(removed), tuple(gone), failure=failure)
