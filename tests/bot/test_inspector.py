"""What is misconfigured is named with its fix; a part that fails or hangs hides no other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from bot import inspector
from bot.errors import Denied
from bot.inspector import SetUpInspector
from bot.model import Account
from bot.ops.bundle import Ops
from bot.services import Finding
from bot.testing.bot import settings_for
from bot.words import Words


async def findings(
    home: Path, extra: Callable[[Words], Awaitable[Sequence[Finding]]] | None = None, **settings: Any
) -> dict[str, list[Finding]]:
    """What is found, by part."""
    chosen = settings_for(home, **settings)
    ops = Ops(chosen)
    try:
        looking = SetUpInspector(chosen, ops)
        if extra is not None:
            looking.add("slack", extra)
        found: dict[str, list[Finding]] = {}
        for finding in await looking.faults(Words("en")):
            found.setdefault(finding.part, []).append(finding)
        return found
    finally:
        await ops.close()


def worst(found: Sequence[Finding]) -> str:
    """The worst state of a part."""
    return max((each.state for each in found), key=("ok", "warn", "bad").index)


async def test_everything_that_is_not_well_has_a_fix(tmp_path: Path) -> None:
    found = await findings(tmp_path)
    faults = [finding for part in found.values() for finding in part if finding.state != "ok"]
    assert {"docker", "mongodb", "redis", "health"} <= {finding.part for finding in faults}
    assert all(finding.fix and "inspector." not in finding.fix for finding in faults)


@pytest.mark.parametrize(
    ("settings", "state", "says"),
    [
        ({}, "ok", "2 admin"),
        ({"vcc_admins": ()}, "bad", "no admin"),
        ({"vcc_admins": ((Account("slack", "A"),),)}, "warn", "only one admin"),
        ({"vcc_admins": ((Account("slack", "A"),),), "vcc_approvals": "solo"}, "ok", "1 admin"),
        ({"vcc_admins": ((Account("slack-group", "S"),),)}, "ok", "1 admin"),
        ({"slack_bot_token": "xoxb-1", "vcc_channel_ops": ()}, "bad", "No channel"),
    ],
)
async def test_a_team_that_cannot_work_is_told(tmp_path: Path, settings: dict[str, Any], state: str, says: str) -> None:
    people = (await findings(tmp_path, **settings))["people"]
    assert worst(people) == state
    assert any(says in finding.text for finding in people)


async def test_a_directory_that_is_missing_is_named(tmp_path: Path) -> None:
    found = await findings(tmp_path, vcc_uploads_dir=tmp_path / "gone", vcc_backup_dir=tmp_path)
    assert found["VCC_HOME"][0].state == "ok"
    assert found["VCC_BACKUP_DIR"][0].state == "ok"
    assert (found["VCC_UPLOADS_DIR"][0].state, found["VCC_PROJECT_DIR"][0].state) == ("bad", "warn")
    assert "VCC_UPLOADS_DIR" in found["VCC_UPLOADS_DIR"][0].fix


async def test_a_part_that_hangs_is_given_up_and_hides_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspector, "_DEADLINE", 0.2)

    async def hang(words: Words) -> Sequence[Finding]:
        await asyncio.Event().wait()
        return ()

    found = await findings(tmp_path, hang)
    assert worst(found["slack"]) == "bad"
    assert worst(found["people"]) == "ok"


async def test_a_connector_adds_its_own_check_and_its_failure_is_a_finding(tmp_path: Path) -> None:
    async def refuse(words: Words) -> Sequence[Finding]:
        raise Denied("slack", "xoxb-secret is revoked")

    (finding,) = (await findings(tmp_path, refuse))["slack"]
    assert finding.state == "bad"
    assert "xoxb" not in finding.text
    assert finding.fix == "Check the tokens and the network."
