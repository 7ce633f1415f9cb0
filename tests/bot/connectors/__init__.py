"""Tests of bot.connectors, file for file."""
