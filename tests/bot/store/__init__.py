"""Tests of bot.store, file for file."""
