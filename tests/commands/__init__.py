"""Tests of the commands, each through the real corridor."""
