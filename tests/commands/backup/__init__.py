"""The commands on backups, on the sandbox."""
