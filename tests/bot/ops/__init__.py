"""Tests of the adapters, file for file."""
