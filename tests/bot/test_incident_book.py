"""The book of incidents: names of rooms, entries kept once, alerts that belong to one, and what survives a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.alerts import Alert, AlertState, Severity
from bot.errors import Conflict
from bot.incident_book import room_name
from bot.incidents import Entry, Opening, What
from bot.model import Account, Invocation, Outcome, Place
from bot.runbooks import Kind
from bot.store import alert_rows
from bot.testing.bot import Bot, a_bot
from bot.testing.clock import DAWN, Clock

ASKED = Invocation("incident open service", Account("slack", "olga"), Place("slack", "OPS"), "", DAWN, reference="R-TEST")


def opening(service: str = "", kind: Kind = Kind.SERVICE, alert: int = 0) -> Opening:
    return Opening(kind, "it is down", service, alert, "olga", DAWN, ASKED)


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("backend", "inc-7-backend-20260202"),
        ("Back_End.v2", "inc-7-back-end-v2-20260202"),
        ("결제", "inc-7-service-20260202"),
        ("x" * 100, f"inc-7-{'x' * 65}-20260202"),
        ("", "inc-7-service-20260202"),
    ],
)
def test_a_rooms_name_keeps_the_platforms_rules(service: str, name: str) -> None:
    assert room_name(7, opening(service)) == name
    assert len(name) <= 80


async def test_of_two_entries_with_one_key_the_first_stays(tmp_path: Path) -> None:
    async with a_bot(tmp_path, running=False) as bot:
        book = bot.app.incidents.book
        incident = await book.open(opening())
        for text in ("first", "second"):
            await book.add(incident.number, Entry(DAWN + 1, What.NOTE, text, "ada", "pin:1"))
        await book.add(incident.number, Entry(DAWN + 2, What.NOTE, "third", "ada"))
        assert [each.text for each in await book.timeline(incident) if each.what is What.NOTE] == ["first", "third"]
        with pytest.raises(Conflict):
            await book.add(99, Entry(DAWN, What.NOTE, "nowhere"))


async def an_alert(bot: Bot) -> Alert:
    made = Alert(0, "disk", "/data", Severity.CRITICAL, "Disk", DAWN - 600, DAWN - 600, announced_at=DAWN - 600)
    return await bot.app.store.write(lambda db: alert_rows.insert(db, made))


async def test_an_incident_opened_from_an_alert_acknowledges_it_and_tells_of_it(tmp_path: Path) -> None:
    async with a_bot(tmp_path, running=False) as bot:
        alert = await an_alert(bot)
        opened = await bot.types("slack:olga", f"incident open service --alert {alert.id}")
        assert (opened.data["title"], opened.data["alerts"]) == ("Disk /data", [alert.id])
        linked = await bot.app.alerts.get(alert.id)
        assert linked is not None
        assert (linked.incident, linked.state, linked.acknowledged_by) == (1, AlertState.ACKNOWLEDGED, "olga")
        told = (await bot.types("slack:vera", "incident status 1")).data["timeline"]
        assert [entry["what"] for entry in told[:2]] == ["alert", "opened"]
        report = await bot.types("slack:vera", "incident report 1")
        assert report.data["figures"]["answered_after_seconds"] == 600
        twice = await bot.types("slack:ada", f"incident open service --alert {alert.id}")
        assert (twice.outcome, twice.data["reason"]) == (Outcome.REFUSED, "incident.alert_has_one")
        missing = await bot.types("slack:olga", "incident open service --alert 99")
        assert (missing.outcome, missing.data["reason"]) == (Outcome.REFUSED, "alerts.no_alert")
        assert len((await bot.types("slack:vera", "incident list")).data["incidents"]) == 1


async def test_everything_is_there_after_a_restart_also_the_steps_it_began_with(tmp_path: Path) -> None:
    clock = Clock()
    async with a_bot(tmp_path, running=False, clock=clock) as bot:
        await bot.types("slack:olga", "incident open security somebody got in --service backend")
        await bot.types("slack:olga", "incident step 1 skip")
        await bot.types("slack:olga", "incident followup change the locks --owner ada")
        before = (await bot.types("slack:vera", "incident status")).data
    async with a_bot(tmp_path, running=False, clock=clock) as bot:
        assert (await bot.types("slack:vera", "incident status")).data == before
