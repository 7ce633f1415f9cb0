"""The shape of the state file, as a list of steps. A step that has shipped is never changed; add another."""

from __future__ import annotations

from sqlite_utils import Database, Migrations

from bot.store.incident_tables import INCIDENTS

migrations = Migrations("vcc")


@migrations()
def first_house(db: Database) -> None:
    """Requests, the audit chain, tickets, messages, locks and instances."""
    for statement in _FIRST_HOUSE:
        db.execute(statement)


@migrations()
def promises(db: Database) -> None:
    """Lines to type after a crash."""
    db.execute(
        "CREATE TABLE promises (id INTEGER PRIMARY KEY AUTOINCREMENT, reference TEXT NOT NULL, line TEXT NOT NULL,"
        " invocation TEXT NOT NULL, due INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, next_at REAL NOT NULL DEFAULT 0)"
    )
    db.execute("CREATE INDEX promises_reference ON promises(reference)")


@migrations()
def threads(db: Database) -> None:
    """Messages below another, and wishes that a running request should end."""
    db.execute("ALTER TABLE messages ADD COLUMN parent INTEGER")
    db.execute("CREATE TABLE cancels (reference TEXT PRIMARY KEY, person TEXT NOT NULL, at REAL NOT NULL)")


@migrations()
def timed_promises(db: Database) -> None:
    """Lines to type at a time: what each is about, and what has to be known then."""
    for column in ("at REAL NOT NULL DEFAULT 0", "about TEXT NOT NULL DEFAULT ''", "note TEXT NOT NULL DEFAULT '{}'"):
        db.execute(f"ALTER TABLE promises ADD COLUMN {column}")


@migrations()
def history(db: Database) -> None:
    """Figures measured again and again: the names of the series, and their values, minutes and hours."""
    db.execute(
        "CREATE TABLE series (id INTEGER PRIMARY KEY, part TEXT NOT NULL, subject TEXT NOT NULL, figure TEXT NOT NULL,"
        " since INTEGER NOT NULL, latest INTEGER NOT NULL, UNIQUE (part, subject, figure))"
    )
    db.execute(
        "CREATE TABLE samples (series INTEGER NOT NULL, resolution INTEGER NOT NULL, at INTEGER NOT NULL, total REAL NOT NULL,"
        " count INTEGER NOT NULL DEFAULT 1, least REAL, most REAL, PRIMARY KEY (series, resolution, at)) WITHOUT ROWID"
    )


@migrations()
def error_index(db: Database) -> None:
    """Errors found in the services' logs, how often in each minute, and how far each log was read."""
    for statement in _ERROR_INDEX:
        db.execute(statement)


@migrations()
def schedules(db: Database) -> None:
    """Lines typed again and again: how far each schedule has come, and its runs that have not ended."""
    db.execute(
        "CREATE TABLE schedules (name TEXT PRIMARY KEY, timetable TEXT NOT NULL, last_due REAL NOT NULL,"
        " reference TEXT NOT NULL DEFAULT '', outcome TEXT NOT NULL DEFAULT '', ended_at REAL, skipped INTEGER NOT NULL DEFAULT 0,"
        " paused_by TEXT NOT NULL DEFAULT '', paused_at REAL NOT NULL DEFAULT 0, paused_until REAL)"
    )
    db.execute(
        "CREATE TABLE schedule_runs (reference TEXT PRIMARY KEY, schedule TEXT NOT NULL, due REAL NOT NULL, late REAL NOT NULL,"
        " skipped INTEGER NOT NULL, owner TEXT NOT NULL, places TEXT NOT NULL)"
    )


@migrations()
def checklists(db: Database) -> None:
    """Runs of checklists, what was found for each item, and every signature under one."""
    for statement in _CHECKLISTS:
        db.execute(statement)


@migrations()
def notices(db: Database) -> None:
    """Messages that answer no request, by their key."""
    db.execute("CREATE TABLE notices (message INTEGER PRIMARY KEY, key TEXT NOT NULL)")
    db.execute("CREATE INDEX notices_key ON notices(key)")


@migrations()
def alerts(db: Database) -> None:
    """Alerts, how far everything that is watched has come, mutes and maintenance windows."""
    for statement in _ALERTS:
        db.execute(statement)


@migrations()
def oncall(db: Database) -> None:
    """Who is on call by hand, who was told so, pages, and how far each escalation has come."""
    for statement in _ONCALL:
        db.execute(statement)


@migrations()
def incidents(db: Database) -> None:
    """Incidents, their steps, rooms, timelines and what is to be done afterwards."""
    for statement in INCIDENTS:
        db.execute(statement)


_FIRST_HOUSE = (
    """CREATE TABLE requests (
        reference TEXT PRIMARY KEY, key TEXT UNIQUE, invocation TEXT NOT NULL, state TEXT NOT NULL,
        outcome TEXT NOT NULL DEFAULT '', instance TEXT NOT NULL, message INTEGER,
        opened_at REAL NOT NULL, closed_at REAL)""",
    "CREATE INDEX requests_open ON requests(instance) WHERE state = 'open'",
    """CREATE TABLE audit (
        seq INTEGER PRIMARY KEY, at REAL NOT NULL, event TEXT NOT NULL, reference TEXT NOT NULL,
        account TEXT NOT NULL, person TEXT NOT NULL, place TEXT NOT NULL, line TEXT NOT NULL,
        outcome TEXT NOT NULL, detail TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL)""",
    "CREATE INDEX audit_reference ON audit(reference)",
    "CREATE TABLE audit_head (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL)",
    "INSERT INTO audit_head VALUES (1, 0, '')",
    """CREATE TABLE tickets (
        id INTEGER PRIMARY KEY AUTOINCREMENT, state TEXT NOT NULL, invocation TEXT NOT NULL, asker TEXT NOT NULL,
        plan TEXT NOT NULL, digest TEXT NOT NULL, code TEXT NOT NULL, command TEXT NOT NULL,
        created_at REAL NOT NULL, expires_at REAL NOT NULL, decided_by TEXT NOT NULL DEFAULT '',
        decided_at REAL, successor INTEGER, reference TEXT NOT NULL DEFAULT '')""",
    "CREATE INDEX tickets_open ON tickets(expires_at) WHERE state = 'open'",
    """CREATE TABLE messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT, platform TEXT NOT NULL, place TEXT NOT NULL, account TEXT NOT NULL,
        handle TEXT NOT NULL, content TEXT, version INTEGER NOT NULL DEFAULT 0, delivered INTEGER NOT NULL DEFAULT 0,
        sending INTEGER NOT NULL DEFAULT 0, posted TEXT NOT NULL DEFAULT '{}', attempts INTEGER NOT NULL DEFAULT 0,
        next_at REAL NOT NULL DEFAULT 0, dead INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '',
        ticket INTEGER, created_at REAL NOT NULL)""",
    "CREATE INDEX messages_due ON messages(platform, next_at) WHERE version > delivered AND dead = 0",
    "CREATE INDEX messages_ticket ON messages(ticket) WHERE ticket IS NOT NULL",
    """CREATE TABLE locks (
        target TEXT PRIMARY KEY, reference TEXT NOT NULL, person TEXT NOT NULL, line TEXT NOT NULL,
        instance TEXT NOT NULL, since REAL NOT NULL)""",
)

_ERROR_INDEX = (
    """CREATE TABLE error_groups (
        fingerprint TEXT PRIMARY KEY, service TEXT NOT NULL, kind TEXT NOT NULL, example TEXT NOT NULL, trace TEXT NOT NULL,
        first_seen REAL NOT NULL, last_seen REAL NOT NULL, total INTEGER NOT NULL)""",
    "CREATE INDEX error_groups_service ON error_groups(service, last_seen)",
    """CREATE TABLE error_counts (
        fingerprint TEXT NOT NULL, begin INTEGER NOT NULL, span INTEGER NOT NULL, count INTEGER NOT NULL,
        PRIMARY KEY (fingerprint, begin, span)) WITHOUT ROWID""",
    "CREATE INDEX error_counts_age ON error_counts(span, begin)",
    """CREATE TABLE error_services (
        service TEXT PRIMARY KEY, forgotten INTEGER NOT NULL DEFAULT 0, overflow INTEGER NOT NULL DEFAULT 0, gap_at REAL)""",
    "CREATE TABLE error_positions (container TEXT PRIMARY KEY, position TEXT NOT NULL, at REAL NOT NULL)",
)

_CHECKLISTS = (
    """CREATE TABLE checklist_runs (
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, title TEXT NOT NULL, at REAL NOT NULL,
        person TEXT NOT NULL, reference TEXT NOT NULL)""",
    "CREATE INDEX checklist_runs_name ON checklist_runs(name, id)",
    "CREATE INDEX checklist_runs_at ON checklist_runs(at)",
    """CREATE TABLE checklist_results (
        run INTEGER NOT NULL, position INTEGER NOT NULL, item TEXT NOT NULL, title TEXT NOT NULL, measured TEXT NOT NULL,
        value REAL, unit TEXT NOT NULL, detail TEXT NOT NULL, signer TEXT, PRIMARY KEY (run, position)) WITHOUT ROWID""",
    """CREATE TABLE checklist_signatures (
        id INTEGER PRIMARY KEY AUTOINCREMENT, run INTEGER NOT NULL, item TEXT NOT NULL, person TEXT NOT NULL, at REAL NOT NULL,
        verdict TEXT NOT NULL, note TEXT NOT NULL)""",
    "CREATE INDEX checklist_signatures_run ON checklist_signatures(run, item)",
)

_ALERTS = (
    """CREATE TABLE alerts (
        id INTEGER PRIMARY KEY AUTOINCREMENT, rule TEXT NOT NULL, subject TEXT NOT NULL, severity TEXT NOT NULL, title TEXT NOT NULL,
        opened_at REAL NOT NULL, last_at REAL NOT NULL, state TEXT NOT NULL, text TEXT NOT NULL, value REAL, unit TEXT NOT NULL,
        closed_at REAL, count INTEGER NOT NULL, acknowledged_by TEXT NOT NULL, acknowledged_at REAL, incident INTEGER,
        escalated INTEGER NOT NULL, flapping INTEGER NOT NULL, folded INTEGER NOT NULL, announced_at REAL, repeat_at REAL,
        owed INTEGER NOT NULL, remedy TEXT NOT NULL, remedies INTEGER NOT NULL, remedies_most INTEGER NOT NULL,
        remedy_seq INTEGER NOT NULL, verify_at REAL, channels TEXT NOT NULL)""",
    "CREATE INDEX alerts_open ON alerts(rule) WHERE state <> 'closed'",
    "CREATE INDEX alerts_rule ON alerts(rule, opened_at)",
    "CREATE INDEX alerts_closed ON alerts(closed_at)",
    "CREATE INDEX alerts_owed ON alerts(id) WHERE owed = 1",
    """CREATE TABLE alert_monitors (
        rule TEXT NOT NULL, subject TEXT NOT NULL, firing INTEGER NOT NULL, since REAL, bad INTEGER NOT NULL, seen_at REAL NOT NULL,
        flips TEXT NOT NULL, flapping INTEGER NOT NULL, alert INTEGER NOT NULL, PRIMARY KEY (rule, subject)) WITHOUT ROWID""",
    "CREATE INDEX alert_monitors_alert ON alert_monitors(alert) WHERE firing = 1",
    """CREATE TABLE alert_mutes (
        id INTEGER PRIMARY KEY AUTOINCREMENT, rule TEXT NOT NULL, subject TEXT NOT NULL, person TEXT NOT NULL, at REAL NOT NULL,
        until REAL NOT NULL, alert INTEGER NOT NULL, ended_at REAL)""",
    "CREATE INDEX alert_mutes_open ON alert_mutes(until) WHERE ended_at IS NULL",
    """CREATE TABLE maintenance (
        id INTEGER PRIMARY KEY AUTOINCREMENT, service TEXT NOT NULL, person TEXT NOT NULL, begun_at REAL NOT NULL, until REAL NOT NULL,
        ended_at REAL)""",
)

_ONCALL = (
    """CREATE TABLE oncall_overrides (
        id INTEGER PRIMARY KEY AUTOINCREMENT, contact TEXT NOT NULL, person TEXT NOT NULL, begun_at REAL NOT NULL, until REAL,
        ended_at REAL)""",
    "CREATE TABLE oncall_shifts (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, at REAL NOT NULL)",
    """CREATE TABLE oncall_pages (
        id INTEGER PRIMARY KEY AUTOINCREMENT, message TEXT NOT NULL, person TEXT NOT NULL, at REAL NOT NULL, called TEXT NOT NULL,
        acknowledged_by TEXT NOT NULL DEFAULT '', acknowledged_at REAL)""",
    "CREATE INDEX oncall_pages_waiting ON oncall_pages(id) WHERE acknowledged_at IS NULL",
    "CREATE TABLE escalations (key TEXT PRIMARY KEY, level INTEGER NOT NULL, at REAL NOT NULL)",
    "CREATE TABLE heartbeat (id INTEGER PRIMARY KEY CHECK (id = 1), at REAL NOT NULL, taken_at REAL)",
)
