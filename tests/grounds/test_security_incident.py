"""Somebody got in: the service is cut off, the traces are kept, their session and token are taken away, the service comes back."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from bot.connectors import plain
from bot.model import Outcome
from tests.approving import approved_by
from tests.grounds.conftest import Ask
from tests.grounds.ground import Ground
from tests.grounds.people import sign_in, variables


def answers(ground: Ground) -> bool:
    try:
        return ground.get("backend", "/health") == 200
    except OSError:
        return False


@pytest.fixture
async def incident(ask: Ask) -> int:
    opened = await ask("incident open security somebody got in --service backend", "olga")
    assert opened.outcome is Outcome.DONE, plain.text(opened)
    return int(opened.data["number"])


def whole_text(folder: Path) -> str:
    """All that a bundle holds."""
    read = (
        gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() for path in folder.rglob("*") if path.is_file()
    )
    return b"\n".join(read).decode("utf-8", "replace")


async def test_isolate_preserve_revoke_and_rejoin(ground: Ground, ask: Ask, incident: int, tmp_path: Path) -> None:
    ground.plant()
    intruder = sign_in(ground, "mallory@example.org")
    assert (intruder.by_token(ground), intruder.by_session(ground)) == (200, 200)
    before, told = ground.container("backend").attrs, variables(ground)

    isolated = await approved_by(ask, "incident isolate backend")
    assert isolated.outcome is Outcome.DONE, plain.text(isolated)
    assert not answers(ground)
    during = ground.container("backend").attrs
    assert (during["Id"], during["State"]["Pid"], during["State"]["Running"]) == (before["Id"], before["State"]["Pid"], True)

    kept = await ask("incident evidence", "olga")
    assert kept.outcome is Outcome.DONE, plain.text(kept)
    names = {file["name"] for file in kept.data["files"]}
    assert {"errors.json", "images.json", "mongodb/users.json", "audit.jsonl.gz", "access/addresses.json", "manifest.json"} <= names
    assert sum(name.startswith("logs/") for name in names) == 4
    assert kept.data["missing"] == []
    bundle = tmp_path / "evidence" / str(incident) / kept.data["bundle"]
    text = whole_text(bundle)
    assert [secret for secret in (*ground.secrets, told["JWT_SECRET"], told["SESSION_SECRET"]) if secret in text] == []
    assert "mallory@example.org" in text
    assert (await ask("incident evidence --verify", "olga")).outcome is Outcome.DONE

    revoked = await approved_by(ask, "incident revoke tokens")
    assert revoked.outcome is Outcome.DONE, plain.text(revoked)
    assert revoked.data["waiting"] == ["backend"]
    assert revoked.data["counts"]["sessions"] >= 1
    assert not answers(ground)

    rejoined = await approved_by(ask, "incident rejoin backend")
    assert rejoined.outcome is Outcome.DONE, plain.text(rejoined)
    assert answers(ground)
    now = variables(ground)
    assert now["JWT_SECRET"] != told["JWT_SECRET"]
    assert now["SESSION_SECRET"] != told["SESSION_SECRET"]
    assert (intruder.by_token(ground), intruder.by_session(ground)) == (401, 401)
    again = sign_in(ground, "mallory@example.org")
    assert (again.by_token(ground), again.by_session(ground)) == (200, 200)
    ground.wait_for_page()
    after = ground.container("backend").attrs
    assert after["HostConfig"]["RestartPolicy"] == before["HostConfig"]["RestartPolicy"]
    assert not list((tmp_path / "revoke").iterdir())

    bundle.chmod(0o700)
    (bundle / "errors.md").chmod(0o600)
    (bundle / "errors.md").write_text("nothing happened")
    changed = await ask("incident evidence --verify", "olga")
    assert changed.outcome is Outcome.FAILED
    assert changed.data["bundles"][0]["changed"] == ["errors.md"]


async def test_new_tokens_by_a_recreated_backend_and_the_old_ones_back(ground: Ground, ask: Ask, incident: int) -> None:
    intruder, told = sign_in(ground, "mallory@example.org"), variables(ground)
    revoked = await approved_by(ask, f"incident revoke tokens --incident {incident}")
    assert revoked.outcome is Outcome.DONE, plain.text(revoked)
    assert (revoked.data["left"], revoked.data["page"]) == ([], True)
    assert (intruder.by_token(ground), intruder.by_session(ground)) == (401, 401)
    environment = (Path(ground.environment["VCC_PROJECT_DIR"]) / ".env").read_text()
    assert f"JWT_SECRET={variables(ground)['JWT_SECRET']}\n" in environment
    assert variables(ground)["JWT_SECRET"] not in plain.text(revoked)
    back = await approved_by(ask, "incident revoke tokens --back")
    assert back.outcome is Outcome.DONE, plain.text(back)
    assert variables(ground)["JWT_SECRET"] == told["JWT_SECRET"]
    assert intruder.by_token(ground) == 200


async def test_one_user_is_locked_out_by_token_and_by_session(ground: Ground, ask: Ask, incident: int) -> None:
    intruder, other = sign_in(ground, "mallory@example.org"), sign_in(ground, "mina@example.org")
    revoked = await approved_by(ask, f"incident revoke user Mallory@Example.org --incident {incident}")
    assert revoked.outcome is Outcome.DONE, plain.text(revoked)
    assert (intruder.by_token(ground), intruder.by_session(ground)) == (401, 401)
    assert (other.by_token(ground), other.by_session(ground)) == (200, 200)


async def test_all_sessions_end_and_tokens_stay(ground: Ground, ask: Ask, incident: int) -> None:
    intruder = sign_in(ground, "mallory@example.org")
    revoked = await approved_by(ask, f"incident revoke sessions --incident {incident}")
    assert revoked.outcome is Outcome.DONE, plain.text(revoked)
    assert (intruder.by_token(ground), intruder.by_session(ground)) == (200, 401)
