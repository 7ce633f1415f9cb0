"""The commands on logs, on the sandbox."""
