"""A whole deployment backed up, drilled, spoiled and restored, on real containers: the data, the files and the queue as they were."""

from __future__ import annotations

from pathlib import Path

from bson import ObjectId

from bot.connectors import plain
from bot.model import Outcome
from tests.approving import approved_by
from tests.commands.backup.restore_parts import QUEUE, client_of, database_of, tree_of
from tests.grounds.conftest import Ask
from tests.grounds.ground import Ground
from tests.grounds.jobs import Jobs


def _fill(ground: Ground) -> None:
    with client_of(ground.environment) as live:
        live["notes"].insert_many([{"_id": number, "text": "한글 🙂" * number} for number in range(50)])
        live["notes"].create_index("text", name="by_text", sparse=True)


async def test_what_is_restored_is_what_was_backed_up(ground: Ground, ask: Ask, still: Jobs) -> None:
    uploads = Path(ground.environment["VCC_UPLOADS_DIR"])
    extra = uploads / "generated" / "later.png"
    _fill(ground)
    made = await ask("backup create --wait 5s")
    assert made.outcome is Outcome.DONE, plain.text(made)
    drilled = await ask("backup drill")
    assert drilled.outcome is Outcome.DONE, plain.text(drilled)
    before = database_of(ground.environment), tree_of(uploads)
    later = ObjectId()
    with client_of(ground.environment) as live:
        live["notes"].delete_many({"_id": {"$lt": 10}})
        live["imagegenerationjobs"].insert_one({"_id": later, "status": "pending"})
    extra.parent.mkdir(exist_ok=True)
    extra.write_bytes(b"later")
    (job,) = still.bull.add({"jobId": str(later), "ms": 1, "workboardData": {}, "inputData": {"prompt": "고양이"}})
    assert job in str(await ask(f"queue job {job}"))
    started = ground.started_at("backend")
    reply = await approved_by(ask, "backup restore")
    assert reply.outcome is Outcome.DONE, plain.text(reply)
    assert (database_of(ground.environment), tree_of(uploads)) == before
    assert ground.started_at("backend") > started
    assert ground.get("backend", "/health") == 200
    assert ground.get("frontend", "/api/health") == 404  # the backend's own answer, through the page
    assert (await ask(f"queue job {job} --queue '{QUEUE}'")).outcome is not Outcome.DONE
    assert (await ask("backup list")).data["backups"][0]["reason"] == "safety"
    with client_of(ground.environment) as live:
        live["notes"].drop()
