"""``queue``: Bull's queues and their jobs: looking, retrying, pausing, resuming."""

from __future__ import annotations

from commands.queue import job, jobs, retry, status, switch
from commands.queue.group import group

__all__ = ["group", "job", "jobs", "retry", "status", "switch"]
