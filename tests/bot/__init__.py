"""Tests of the bot itself, file for file."""
