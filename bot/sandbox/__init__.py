"""A small but real VCC deployment on loopback, with a Docker Engine API in front: for trying and for tests. Knows nothing of the bot."""
