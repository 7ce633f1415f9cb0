"""For everyone who writes a command: a chat in memory, and the real bot on a directory of its own. Used by tests only."""
