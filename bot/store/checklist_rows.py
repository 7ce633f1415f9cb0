"""Rows of checklists: runs, what was found for each item, and every signature; the latest one under an item is the one that counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sqlite_utils import Database

from bot.checklists import Result, Run, Signature, Title, Verdict
from bot.errors import Conflict

DAY = 86_400.0
KEPT = 400 * DAY
_RUN = "SELECT id, name, title, at, person, reference FROM checklist_runs"
_RESULTS = "SELECT item, title, measured, value, unit, detail, signer FROM checklist_results WHERE run = ? ORDER BY position"


def keep(db: Database, run: Run, before: float = 0.0) -> int:
    """Write a run with its results, and let go of those older than ``before``; its number."""
    forget(db, before)
    made = db.execute(
        "INSERT INTO checklist_runs (name, title, at, person, reference) VALUES (?,?,?,?,?)",
        (run.name, run.title.model_dump_json(), run.at, run.person, run.reference),
    )
    number = int(made.lastrowid or 0)
    for position, each in enumerate(run.results):
        db.execute(
            "INSERT INTO checklist_results (run, position, item, title, measured, value, unit, detail, signer) VALUES (?,?,?,?,?,?,?,?,?)",
            (number, position, each.item, each.title.model_dump_json(), each.measured, each.value, each.unit, each.detail, each.signer),
        )
    return number


def get(db: Database, number: int) -> Run | None:
    """A run as it stands."""
    return next(_runs(db, f"{_RUN} WHERE id = ?", (number,)), None)


def newest(db: Database, name: str, item: str, before: int) -> Run | None:
    """The newest run of a list, with an item, older than another; each unless empty."""
    wanted = (
        f"{_RUN} WHERE (?1 = '' OR name = ?1) AND (?3 = 0 OR id < ?3)"
        " AND (?2 = '' OR EXISTS (SELECT 1 FROM checklist_results WHERE run = checklist_runs.id AND item = ?2))"
        " ORDER BY id DESC LIMIT 1"
    )
    return next(_runs(db, wanted, (name, item, before)), None)


def since(db: Database, at: float, name: str, limit: int) -> list[Run]:
    """Runs not older than ``at``, the newest first."""
    wanted = f"{_RUN} WHERE at >= ?1 AND (?2 = '' OR name = ?2) ORDER BY id DESC LIMIT ?3"
    return list(_runs(db, wanted, (at, name, limit)))


def _runs(db: Database, query: str, values: tuple[object, ...]) -> Iterator[Run]:
    for number, name, title, at, person, reference in db.execute(query, values).fetchall():
        yield Run(int(number), name, Title.model_validate_json(title), float(at), person, reference, _results(db, number))


def _results(db: Database, run: int) -> tuple[Result, ...]:
    signed = _signatures(db, run)
    return tuple(
        Result(item, Title.model_validate_json(title), Verdict(measured), value, unit, detail, signer, signed.get(item))
        for item, title, measured, value, unit, detail, signer in db.execute(_RESULTS, (run,)).fetchall()
    )


def _signatures(db: Database, run: int) -> dict[str, Signature]:
    """The latest under each item."""
    rows = db.execute("SELECT item, person, at, verdict, note FROM checklist_signatures WHERE run = ? ORDER BY id", (run,))
    return {item: Signature(person, float(at), Verdict(verdict), note) for item, person, at, verdict, note in rows.fetchall()}


def sign(db: Database, run: int, item: str, signature: Signature) -> Run:
    """Add a signature, those before it stay on record; the run as it stands then. Conflict when the same was said before."""
    found = get(db, run)
    result = found.result(item) if found is not None else None
    if found is None or result is None:
        raise Conflict("checklist.no_item", run=run, item=item)
    earlier = result.signature
    if earlier is not None and earlier.verdict is signature.verdict:
        raise Conflict("checklist.signed_before", person=earlier.person)
    db.execute(
        "INSERT INTO checklist_signatures (run, item, person, at, verdict, note) VALUES (?,?,?,?,?,?)",
        (run, item, signature.person, signature.at, signature.verdict, signature.note),
    )
    return replace(found, results=_results(db, run))


def forget(db: Database, before: float) -> None:
    """Let go of runs older than this, with all that belongs to them."""
    old = "(SELECT id FROM checklist_runs WHERE at < ?)"
    db.execute(f"DELETE FROM checklist_results WHERE run IN {old}", (before,))
    db.execute(f"DELETE FROM checklist_signatures WHERE run IN {old}", (before,))
    db.execute("DELETE FROM checklist_runs WHERE at < ?", (before,))
