"""Backups as a whole."""
