"""The tables of incidents, as a migration makes them. What has shipped is never changed."""

from __future__ import annotations

INCIDENTS = (
    """CREATE TABLE incidents (
        id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, title TEXT NOT NULL, service TEXT NOT NULL, lead TEXT NOT NULL,
        opened_at REAL NOT NULL, opened_by TEXT NOT NULL, invocation TEXT NOT NULL, runbook TEXT NOT NULL,
        alert INTEGER NOT NULL DEFAULT 0, resolved_at REAL NOT NULL DEFAULT 0, resolved_by TEXT NOT NULL DEFAULT '',
        summary TEXT NOT NULL DEFAULT '', audit_from INTEGER NOT NULL, audit_to INTEGER NOT NULL DEFAULT 0,
        next_status_at REAL NOT NULL DEFAULT 0)""",
    "CREATE INDEX incidents_open ON incidents(id) WHERE resolved_at = 0",
    """CREATE TABLE incident_steps (
        incident INTEGER NOT NULL, number INTEGER NOT NULL, state TEXT NOT NULL, person TEXT NOT NULL DEFAULT '',
        at REAL NOT NULL DEFAULT 0, note TEXT NOT NULL DEFAULT '', reminded_at REAL NOT NULL DEFAULT 0,
        PRIMARY KEY (incident, number)) WITHOUT ROWID""",
    """CREATE TABLE incident_rooms (
        incident INTEGER NOT NULL, platform TEXT NOT NULL, state TEXT NOT NULL, name TEXT NOT NULL,
        channel TEXT NOT NULL DEFAULT '', why TEXT NOT NULL DEFAULT '', PRIMARY KEY (incident, platform)) WITHOUT ROWID""",
    "CREATE INDEX incident_rooms_channel ON incident_rooms(platform, channel)",
    """CREATE TABLE incident_entries (
        id INTEGER PRIMARY KEY AUTOINCREMENT, incident INTEGER NOT NULL, at REAL NOT NULL, what TEXT NOT NULL,
        text TEXT NOT NULL, person TEXT NOT NULL, key TEXT)""",
    "CREATE UNIQUE INDEX incident_entries_key ON incident_entries(incident, key)",
    """CREATE TABLE incident_actions (
        id INTEGER PRIMARY KEY AUTOINCREMENT, incident INTEGER NOT NULL, at REAL NOT NULL, text TEXT NOT NULL,
        owner TEXT NOT NULL, person TEXT NOT NULL)""",
    "CREATE INDEX incident_actions_incident ON incident_actions(incident)",
)
