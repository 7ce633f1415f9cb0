"""Tests of what is done when somebody broke in, file for file."""
