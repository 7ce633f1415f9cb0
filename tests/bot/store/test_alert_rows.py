"""Rows of alerts: what is written comes back as it was; what is calm is not kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlite_utils import Database

from bot.alerts import Alert, AlertState, Mute, Severity, Window
from bot.model import Account
from bot.store import alert_rows
from bot.store.alert_rows import Monitor
from bot.store.migrations import migrations

ALERT = Alert(0, "disk", "/data", Severity.CRITICAL, "Disk", 100.0, 100.0)
FULL = replace(
    ALERT,
    state=AlertState.ACKNOWLEDGED,
    text="full",
    value=93.5,
    unit="percent",
    count=3,
    acknowledged_by="Ada",
    acknowledged_at=120.0,
    incident=4,
    escalated=2,
    flapping=True,
    announced_at=101.0,
    repeat_at=500.0,
    owed=True,
    remedy="restart backend",
    remedies=1,
    remedies_most=2,
    remedy_seq=9,
    verify_at=300.0,
    channels=(Account("slack", "C1"), Account("discord", "2")),
)


@pytest.fixture
def db() -> Iterator[Database]:
    """A state file in memory."""
    made = Database(memory=True)
    migrations.apply(made)
    yield made
    made.close()


@pytest.mark.parametrize("alert", [ALERT, FULL])
def test_an_alert_comes_back_as_it_was(db: Database, alert: Alert) -> None:
    kept = alert_rows.insert(db, alert)
    assert kept == replace(alert, id=1)
    assert alert_rows.get(db, 1) == kept
    changed = replace(FULL, id=1, state=AlertState.CLOSED, closed_at=900.0, owed=False)
    alert_rows.save(db, changed)
    assert alert_rows.get(db, 1) == changed
    assert alert_rows.get(db, 2) is None


def test_the_critical_ones_come_first_then_the_oldest(db: Database) -> None:
    for at, severity in ((3, "warning"), (2, "critical"), (1, "warning"), (4, "critical")):
        alert_rows.insert(db, replace(ALERT, opened_at=float(at), severity=Severity(severity)))
    assert [alert.opened_at for alert in alert_rows.all_open(db)] == [2, 4, 1, 3]


def test_what_was_open_in_a_period_is_found_by_its_end(db: Database) -> None:
    for closed in (50.0, 150.0, None):
        state = AlertState.OPEN if closed is None else AlertState.CLOSED
        alert_rows.insert(db, replace(ALERT, closed_at=closed, state=state))
    assert [alert.id for alert in alert_rows.since(db, 100.0)] == [2, 3]


@pytest.mark.parametrize("monitor", [Monitor("disk", "/", True, None, True, 5.0, (1.0, 2.0), True, 7), Monitor("disk", "/", since=4.0)])
def test_how_far_a_thing_has_come_is_known_again(db: Database, monitor: Monitor) -> None:
    alert_rows.put_monitor(db, monitor)
    assert alert_rows.monitors(db, "disk", ("/", "/data")) == {"/": monitor}
    alert_rows.put_monitor(db, Monitor("disk", "/", seen_at=9.0))
    assert alert_rows.monitors(db, "disk", ("/", "/data")) == {}


def test_mutes_and_windows_end_once(db: Database) -> None:
    mute = alert_rows.add_mute(db, Mute(0, "disk", "/", "Ada", 1.0, 9.0, 3))
    window = alert_rows.add_window(db, Window(0, "backend", "Ada", 1.0, 9.0))
    assert (alert_rows.mutes(db), alert_rows.windows(db)) == ([mute], [window])
    assert [alert_rows.end_mute(db, mute.id, 9.0), alert_rows.end_mute(db, mute.id, 9.0)] == [True, False]
    assert [alert_rows.end_window(db, window.id, 9.0), alert_rows.end_window(db, window.id, 9.0)] == [True, False]
    assert (alert_rows.mutes(db), alert_rows.windows(db)) == ([], [])
