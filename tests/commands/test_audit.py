"""``audit``: the newest rows, the proof, and a copy that can be checked without us."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from bot.model import Outcome
from bot.testing.bot import a_bot
from tests.bot.demo import Demo


async def test_tail_shows_the_newest_first_in_words(tmp_path: Path) -> None:
    async with a_bot(tmp_path, *Demo().groups) as bot:
        await bot.types("slack:zed", "demo read")
        reply = await bot.types("slack:ada", "audit tail --lines 3")
        assert [row[2] for row in reply.tables[0].rows] == ["opened", "closed", "opened"]
        assert reply.tables[0].rows[1][5] == "refused"
        assert [row["seq"] for row in reply.data] == [3, 2, 1]
        assert isinstance(reply.data[0]["detail"], dict)


@pytest.mark.parametrize(("about", "count"), [("olga", 2), ("demo change", 2), ("slack:vera", 2), ("nobody", 0), ("%", 0), ("' OR 1=1", 0)])
async def test_tail_finds_by_person_account_line_or_reference(tmp_path: Path, about: str, count: int) -> None:
    async with a_bot(tmp_path, *Demo().groups) as bot:
        await bot.types("slack:olga", "demo change a")
        reference = (await bot.types("slack:vera", "demo read")).reference
        found = await bot.app.audit.tail(50, about)
        assert len(found) == count
        assert len(await bot.app.audit.tail(50, reference)) == 2


async def test_every_event_of_a_ticket_has_words(tmp_path: Path) -> None:
    demo = Demo()
    async with a_bot(tmp_path, *demo.groups) as bot:
        number = (await bot.types("local:olga", "demo wipe")).ticket
        demo.targets = ("other",)
        await bot.types("local:ada", f"approve {number}")
        await bot.types("local:ada", f"deny {(number or 0) + 1}")
        withdrawn = (await bot.types("local:olga", "demo wipe")).ticket
        await bot.types("local:olga", f"deny {withdrawn}")
        await bot.types("local:olga", "demo wipe")
        bot.forward(3_600)
        await bot.app.approvals.expire()
        reply = await bot.types("local:ada", "audit tail --lines 200")
        events = {row[2] for row in reply.tables[0].rows}
        assert events == {"opened", "closed", "asked", "granted", "void", "denied", "withdrawn", "expired"}


async def test_verify_proves_the_chain_or_names_the_row(tmp_path: Path) -> None:
    async with a_bot(tmp_path, *Demo().groups) as bot:
        await bot.types("slack:vera", "demo read")
        whole = await bot.types("slack:vera", "audit verify")
        assert (whole.outcome, whole.data) == (Outcome.DONE, {"rows": 3, "broken": None, "valid": True})
        await bot.app.store.write(lambda db: db.execute("UPDATE audit SET person = 'ada' WHERE seq = 2"))
        broken = await bot.types("slack:vera", "audit verify")
        assert (broken.outcome, broken.data) == (Outcome.FAILED, {"rows": 1, "broken": 2, "valid": False})
        assert "Row 2" in broken.text


async def test_an_exported_copy_can_be_checked_without_us(tmp_path: Path) -> None:
    async with a_bot(tmp_path, *Demo().groups) as bot:
        for _ in range(3):
            await bot.types("slack:vera", "demo read")
        reply = await bot.types("slack:ada", "audit export --since 1d")
        rows = [json.loads(line) for line in reply.files[0].path.read_text(encoding="utf-8").splitlines()]
    assert [row["seq"] for row in rows] == list(range(1, 8))
    columns = ("seq", "at", "event", "reference", "account", "person", "place", "line", "outcome", "detail")
    previous = ""
    for row in rows:
        content = json.dumps([row[name] for name in columns], ensure_ascii=False, separators=(",", ":"))
        assert row["hash"] == hashlib.sha256(f"{previous}\n{content}".encode()).hexdigest()
        previous = row["hash"]


async def test_only_an_admin_exports(tmp_path: Path) -> None:
    async with a_bot(tmp_path, *Demo().groups) as bot:
        assert (await bot.types("slack:olga", "audit export")).data["reason"] == "permissions.too_low"
