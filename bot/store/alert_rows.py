"""Rows of alerts, of how far each thing that is watched has come, of mutes and of maintenance windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from sqlite_utils import Database

from bot.alerts import Alert, AlertState, Mute, Severity, Window
from bot.model import Account
from bot.store.codec import dumps, loads

KEPT = 400 * 86_400.0
_COLUMNS = tuple(each.name for each in fields(Alert))
_ALERT = f"SELECT {', '.join(_COLUMNS)} FROM alerts"
_MUTE = "SELECT id, rule, subject, person, at, until, alert FROM alert_mutes"
_WINDOW = "SELECT id, service, person, begun_at, until, ended_at FROM maintenance"
_WORST_FIRST = "ORDER BY severity = 'critical' DESC, opened_at, id"


@dataclass(frozen=True, slots=True)
class Monitor:
    """How far one thing under one rule has come. ``since``: from when on the opposite of ``firing`` is seen, None while it is not;
    ``bad`` is what was seen last, at ``seen_at``; ``flips`` are the moments it turned bad lately. ``alert``: the one that tells of it.
    """

    rule: str
    subject: str
    firing: bool = False
    since: float | None = None
    bad: bool = False
    seen_at: float = 0.0
    flips: tuple[float, ...] = ()
    flapping: bool = False
    alert: int = 0

    @property
    def is_blank(self) -> bool:
        """Whether it is calm and has no past, so that there is nothing to keep."""
        return not self.firing and not self.bad and not self.flips and self.since is None


# ------------------------------------------------------------ alerts
def insert(db: Database, alert: Alert) -> Alert:
    """Write a new one; the same with its number."""
    names = _COLUMNS[1:]
    made = db.execute(f"INSERT INTO alerts ({', '.join(names)}) VALUES ({','.join('?' * len(names))})", _values(alert)[1:])
    return replace(alert, id=int(made.lastrowid or 0))


def save(db: Database, alert: Alert) -> None:
    """Write an alert as it is now."""
    names = ", ".join(f"{name} = ?" for name in _COLUMNS[1:])
    db.execute(f"UPDATE alerts SET {names} WHERE id = ?", (*_values(alert)[1:], alert.id))


def _values(alert: Alert) -> tuple[Any, ...]:
    values = {name: getattr(alert, name) for name in _COLUMNS}
    values["channels"] = dumps([str(each) for each in alert.channels])
    return tuple(values.values())


def _alert(row: Sequence[Any]) -> Alert:
    values: dict[str, Any] = dict(zip(_COLUMNS, row, strict=True))
    values |= {name: bool(values[name]) for name in ("flapping", "owed")}
    values |= {"severity": Severity(values["severity"]), "state": AlertState(values["state"])}
    values["channels"] = tuple(Account.parse(each) for each in loads(values["channels"]))
    return Alert(**values)


def _alerts(db: Database, rest: str, values: Sequence[object] = ()) -> list[Alert]:
    return [_alert(row) for row in db.execute(f"{_ALERT} {rest}", tuple(values)).fetchall()]


def get(db: Database, number: int) -> Alert | None:
    """One alert as it stands."""
    return next(iter(_alerts(db, "WHERE id = ?", (number,))), None)


def all_open(db: Database) -> list[Alert]:
    """What goes on: critical ones first, then the oldest."""
    return _alerts(db, f"WHERE state <> 'closed' {_WORST_FIRST}")


def open_of(db: Database, rule: str) -> list[Alert]:
    """What goes on under a rule, the oldest first."""
    return _alerts(db, "WHERE rule = ? AND state <> 'closed' ORDER BY id", (rule,))


def owed(db: Database) -> list[Alert]:
    """Whose evidence is still to be gathered, critical ones first."""
    return _alerts(db, f"WHERE owed = 1 {_WORST_FIRST}")


def since(db: Database, at: float) -> list[Alert]:
    """Every alert that was open at some time since then, the oldest first."""
    return _alerts(db, "WHERE closed_at IS NULL OR closed_at >= ? ORDER BY id", (at,))


def crowd(db: Database, rule: str, since: float) -> tuple[int, int]:
    """How many alerts of a rule, none that stands for many, began since then, and how many are open."""
    wanted = "SELECT COALESCE(SUM(opened_at >= ?), 0), COALESCE(SUM(state <> 'closed'), 0) FROM alerts WHERE rule = ? AND folded = 0"
    row = db.execute(f"{wanted} AND (state <> 'closed' OR opened_at >= ?)", (since, rule, since)).fetchone()
    return int(row[0]), int(row[1])


def folding(db: Database, rule: str) -> list[Alert]:
    """The open alerts that stand for many of a rule, the newest first."""
    return _alerts(db, "WHERE rule = ? AND folded > 0 AND state <> 'closed' ORDER BY id DESC", (rule,))


def prune(db: Database, before: float) -> None:
    """Forget what was over before this, and what is no longer watched."""
    db.execute("DELETE FROM alerts WHERE closed_at < ?", (before,))
    db.execute("DELETE FROM alert_mutes WHERE ended_at < ?", (before,))
    db.execute("DELETE FROM maintenance WHERE ended_at < ?", (before,))
    db.execute("DELETE FROM alert_monitors WHERE firing = 0 AND seen_at < ?", (before,))


# ------------------------------------------------------------ what is watched
def monitors(db: Database, rule: str, subjects: Sequence[str]) -> dict[str, Monitor]:
    """How far these have come under a rule, by subject; those of which nothing is known are left out."""
    rest = f"rule = ? AND subject IN ({','.join('?' * len(subjects))})"
    return {each.subject: each for each in _monitors(db, rest, (rule, *subjects))}


def unseen(db: Database, rule: str, seen: tuple[float, float]) -> list[Monitor]:
    """What is watched under a rule and was not seen in this time."""
    return _monitors(db, "rule = ? AND (seen_at <= ? OR seen_at > ?)", (rule, *seen))


def _monitors(db: Database, rest: str, values: Sequence[object]) -> list[Monitor]:
    wanted = f"SELECT rule, subject, firing, since, bad, seen_at, flips, flapping, alert FROM alert_monitors WHERE {rest} ORDER BY subject"
    return [
        Monitor(str(name), str(subject), bool(firing), since, bool(bad), float(seen_at), tuple(loads(flips)), bool(flapping), int(alert))
        for name, subject, firing, since, bad, seen_at, flips, flapping, alert in db.execute(wanted, tuple(values)).fetchall()
    ]


def put_monitor(db: Database, each: Monitor) -> None:
    """Write how far it has come; what is calm and has no past is not kept."""
    if each.is_blank:
        db.execute("DELETE FROM alert_monitors WHERE rule = ? AND subject = ?", (each.rule, each.subject))
        return
    values = (each.rule, each.subject, each.firing, each.since, each.bad, each.seen_at, dumps(list(each.flips)), each.flapping, each.alert)
    db.execute(f"INSERT OR REPLACE INTO alert_monitors VALUES ({','.join('?' * len(values))})", values)


def drop_monitor(db: Database, rule: str, subject: str) -> None:
    """Nothing is known of it any more."""
    db.execute("DELETE FROM alert_monitors WHERE rule = ? AND subject = ?", (rule, subject))


def drop_monitors(db: Database, rule: str) -> None:
    """Nothing is watched under this rule any more."""
    db.execute("DELETE FROM alert_monitors WHERE rule = ?", (rule,))


def watched_rules(db: Database) -> list[str]:
    """The rules that anything is known under."""
    return [str(row[0]) for row in db.execute("SELECT DISTINCT rule FROM alert_monitors ORDER BY rule")]


def firing_under(db: Database, alert: int) -> list[str]:
    """The subjects that an alert stands for now."""
    wanted = "SELECT subject FROM alert_monitors WHERE alert = ? AND firing = 1 ORDER BY subject"
    return [str(row[0]) for row in db.execute(wanted, (alert,))]


# ------------------------------------------------------------ mutes
def add_mute(db: Database, mute: Mute) -> Mute:
    """Write a mute in the place of one of the same; the same with its number."""
    db.execute(
        "UPDATE alert_mutes SET ended_at = ? WHERE rule = ? AND subject = ? AND ended_at IS NULL", (mute.at, mute.rule, mute.subject)
    )
    made = db.execute(
        "INSERT INTO alert_mutes (rule, subject, person, at, until, alert) VALUES (?,?,?,?,?,?)",
        (mute.rule, mute.subject, mute.person, mute.at, mute.until, mute.alert),
    )
    return replace(mute, id=int(made.lastrowid or 0))


def mutes(db: Database) -> list[Mute]:
    """Those that have not ended, the one that ends first first."""
    return [Mute(*row) for row in db.execute(f"{_MUTE} WHERE ended_at IS NULL ORDER BY until, id").fetchall()]


def end_mute(db: Database, number: int, at: float) -> bool:
    """End one; False when it was over."""
    return db.execute("UPDATE alert_mutes SET ended_at = ? WHERE id = ? AND ended_at IS NULL", (at, number)).rowcount == 1


# ------------------------------------------------------------ maintenance
def add_window(db: Database, window: Window) -> Window:
    """Write a window; the same with its number."""
    made = db.execute(
        "INSERT INTO maintenance (service, person, begun_at, until) VALUES (?,?,?,?)",
        (window.service, window.person, window.begun_at, window.until),
    )
    return replace(window, id=int(made.lastrowid or 0))


def windows(db: Database) -> list[Window]:
    """Those that have not ended, the oldest first."""
    return [Window(*row) for row in db.execute(f"{_WINDOW} WHERE ended_at IS NULL ORDER BY id").fetchall()]


def end_window(db: Database, number: int, at: float) -> bool:
    """End one; False when it was over."""
    return db.execute("UPDATE maintenance SET ended_at = ? WHERE id = ? AND ended_at IS NULL", (at, number)).rowcount == 1


def ended_since(db: Database, at: float) -> list[tuple[Mute | Window, float]]:
    """Mutes and windows that ended since then, and when."""
    mutes = db.execute(f"{_MUTE.replace(' FROM', ', ended_at FROM')} WHERE ended_at >= ?", (at,)).fetchall()
    windows = db.execute(f"{_WINDOW} WHERE ended_at >= ?", (at,)).fetchall()
    return [*((Mute(*row[:-1]), float(row[-1])) for row in mutes), *((Window(*row), float(row[-1])) for row in windows)]
