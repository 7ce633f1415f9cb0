"""Lays the Bull queue of the seeded deployment into Redis: waiting, delayed, completed, failed, orphaned. Agrees with the documents."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bot.sandbox.bull import PREFIX, delayed_score, job_fields
from bot.sandbox.secrets import PROVIDER_KEY
from bot.sandbox.seed_documents import World

FAILURE = "Failed to submit workflow: Request failed with status code 500"


def job_data(job: Mapping[str, Any], server: str) -> dict[str, Any]:
    """What the backend puts into a job: the document's id, the workboard (with the provider's key in clear, as HEAD does), the input."""
    return {
        "jobId": str(job["_id"]),
        "workboardData": {"serverUrl": server, "workflowData": job["workflowData"], "apiKey": PROVIDER_KEY},
        "inputData": {
            "prompt": job["inputData"]["prompt"],
            "aiModel": job["inputData"]["aiModel"],
            "imageSize": job["inputData"]["imageSize"],
            "userId": str(job["userId"]),
        },
    }


def seed_queue(client: Any, world: World) -> None:
    """Ids count up from the oldest job, as they would have been given."""
    pipe = client.pipeline(transaction=False)
    number = 0
    for state, jobs in world.queue.items():
        for job in jobs:
            number += 1
            _lay(pipe, number, state, job)
    pipe.set(f"{PREFIX}id", str(number))
    pipe.execute()


def _lay(pipe: Any, number: int, state: str, job: Mapping[str, Any]) -> None:
    created = int(job["createdAt"].timestamp() * 1000)
    delay = 3_600_000 * (number % 5 + 2) if state == "delayed" else 0
    fields = job_fields(job_data(job, "http://comfyui.vcc.example:8188"), created, job["priority"], delay)
    if state == "wait":
        _lay_waiting(pipe, number, job["priority"])
    elif state == "delayed":
        pipe.zadd(f"{PREFIX}delayed", {str(number): delayed_score(created + delay, number)})
    elif state in ("completed", "failed"):
        finished = created + 9000 + number
        fields |= {"processedOn": str(created + 2000), "finishedOn": str(finished), **_ending(state)}
        pipe.zadd(PREFIX + state, {str(number): finished})
    pipe.hset(f"{PREFIX}{number}", mapping=dict(fields))


def _lay_waiting(pipe: Any, number: int, priority: int) -> None:
    # Jobs with a priority are taken from the right end before those without; the document's order keeps them sorted.
    if priority:
        pipe.rpush(f"{PREFIX}wait", str(number))
        pipe.zadd(f"{PREFIX}priority", {str(number): priority})
    else:
        pipe.lpush(f"{PREFIX}wait", str(number))


def _ending(state: str) -> dict[str, str]:
    if state == "completed":
        return {"progress": "100", "returnvalue": json.dumps({"success": True, "images": 1})}
    stack = f"Error: {FAILURE}\n    at ComfyUIService.submitWorkflow (/app/src/services/comfyUIService.js:88:13)"
    return {"attemptsMade": "3", "failedReason": FAILURE, "stacktrace": json.dumps([stack] * 3)}
