"""Works the image queue as the backend does: takes jobs, draws a picture, keeps the documents in step. Knows nothing of HTTP."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pymongo
import pymongo.database
import pymongo.errors
from bson import ObjectId
from bson.errors import BSONError

from bot.sandbox.bull import BullQueue, Job
from bot.sandbox.png import picture, png
from bot.sandbox.stand_in import say

STEPS = 4
TAKE_SECONDS = 2
ENOUGH_WAITING = 30
FAILURE = "Failed to submit workflow: Request failed with status code 500"


class GenerationFailed(Exception):
    """The image server refused; Bull will try again."""


# Whatever is wrong with one job fails that job: a disk that is full, a database that is away, data nobody expected.
BAD_JOB = (GenerationFailed, pymongo.errors.PyMongoError, BSONError, OSError, LookupError, TypeError, ValueError, AttributeError)


class Worker:
    """Shared by the worker threads; each uses its own connection to Redis."""

    def __init__(
        self, url: str, database: pymongo.database.Database[dict[str, Any]], uploads: Path, seconds: float, lock_seconds: float = 30
    ) -> None:
        self._url = url
        self._jobs = database["imagegenerationjobs"]
        self._images = database["generatedimages"]
        self._uploads = uploads
        self._seconds = seconds
        self._lock_seconds = lock_seconds
        self._pause = threading.Event()  # never set: waiting on it is sleeping

    def work(self) -> None:
        """Take one job after the other, for ever. A broken connection to Redis is not caught: it ends the backend."""
        token = f"worker-{threading.get_ident()}"
        queue = BullQueue(self._url, token, self._lock_seconds)
        while True:
            job = queue.take(TAKE_SECONDS)
            if job is not None:
                self._attempt(queue, job)

    def tend(self, stalled_seconds: float) -> None:
        """What Bull does beside working: due jobs are promoted, stalled ones recovered at start and then at intervals."""
        queue = BullQueue(self._url, "tender")
        next_check = 0.0
        while True:
            queue.promote_due()
            if time.monotonic() >= next_check:
                next_check = time.monotonic() + stalled_seconds
                for job_id in queue.recover_stalled(int(stalled_seconds * 1000) - 100):
                    say(f"Job {job_id} stalled", "stderr")
            self._pause.wait(0.5)

    def invent_jobs(self, every: float) -> None:
        """People keep asking for pictures, as long as not too many wait: one in so many seconds."""
        queue = BullQueue(self._url, "people")
        dice = random.Random()
        while not self._pause.wait(every):
            try:
                model = self._jobs.find_one(sort=[("createdAt", -1)])
            except pymongo.errors.PyMongoError as problem:
                say(f"Error: {problem}", "stderr")
                continue
            if model and queue.counts()["waiting"] < ENOUGH_WAITING:
                self._invent(queue, model, dice.randrange(2**31))

    def _invent(self, queue: BullQueue, model: Mapping[str, Any], seed: int) -> None:
        now = datetime.now(UTC)
        fresh = {
            **{name: model[name] for name in ("userId", "workboardId", "workflowData")},
            "status": "pending",
            "priority": 0,
            "inputData": {**model["inputData"], "seed": seed, "referenceImages": []},
            "progress": 0,
            "resultImages": [],
            "retryCount": 0,
            "maxRetries": 3,
            "createdAt": now,
            "updatedAt": now,
        }
        made = self._jobs.insert_one(fresh).inserted_id
        data = {
            "jobId": str(made),
            "workboardData": {"serverUrl": "http://comfyui.vcc.example:8188", "workflowData": model["workflowData"]},
            "inputData": {"prompt": model["inputData"]["prompt"], "userId": str(model["userId"])},
        }
        say(f"Job {queue.add(data)} is waiting")

    def _attempt(self, queue: BullQueue, job: Job) -> None:
        say(f"Job {job.id} started processing")
        try:
            self._generate(queue, job)
        except BAD_JOB as problem:
            self._failed(queue, job, problem)
        else:
            queue.complete(job, {"success": True, "images": 1})
            say(f"Job {job.id} completed successfully")

    def _failed(self, queue: BullQueue, job: Job, problem: Exception) -> None:
        stack = f"Error: {problem}\n    at ComfyUIService.submitWorkflow (/app/src/services/comfyUIService.js:88:13)"
        say(f"Error processing job {job.data.get('jobId')}: {stack}", "stderr")
        queue.fail(job, str(problem), stack)
        say(f"Job {job.id} failed: {stack}", "stderr")
        try:
            # The event fires on every attempt, so the document says failed while Bull still tries.
            self._update(job, status="failed", error={"message": str(problem), "code": "COMFYUI_ERROR"})
        except BAD_JOB as second:
            say(f"Error: {second}", "stderr")

    def _generate(self, queue: BullQueue, job: Job) -> None:
        begin = datetime.now(UTC)
        self._update(job, status="processing", startedAt=begin, progress=0)
        for step in range(1, STEPS + 1):
            self._pause.wait(self._seconds / STEPS)
            if step == 2 and _will_fail(job):
                raise GenerationFailed(FAILURE)
            percent = 100 * step // STEPS
            queue.progress(job, percent)
            self._update(job, progress=min(percent, 90))
        image = self._draw(job)
        now = datetime.now(UTC)
        self._update(
            job,
            status="completed",
            progress=100,
            completedAt=now,
            resultImages=[image],
            actualTime=int((now - begin).total_seconds() * 1000),
        )

    def _draw(self, job: Job) -> ObjectId:
        """The file first, the document after it, as the real worker does."""
        name = f"generated_{int(time.time() * 1000)}_{job.number % 2}.png"
        body = png(picture(job.number), json.dumps({"job": job.id}))
        (self._uploads / "generated" / name).write_bytes(body)
        now = datetime.now(UTC)
        place = f"uploads/generated/{name}"
        document = {
            "filename": name,
            "originalName": name,
            "mimeType": "image/png",
            "size": len(body),
            "path": f"/app/{place}",
            "url": f"/{place}",
            "userId": ObjectId(job.data["inputData"]["userId"]),
            "jobId": ObjectId(job.data["jobId"]),
            "metadata": {"width": 96, "height": 96, "format": "png", "colorSpace": "srgb", "hasAlpha": False},
            "generationParams": {"prompt": job.data["inputData"]["prompt"]},
            "tags": [],
            "isPublic": False,
            "downloadCount": 0,
            "createdAt": now,
            "updatedAt": now,
        }
        made: ObjectId = self._images.insert_one(document).inserted_id
        return made

    def _update(self, job: Job, **changes: Any) -> None:
        # Nothing is said when the document is gone: the real one goes on as well.
        self._jobs.update_one({"_id": ObjectId(job.data["jobId"])}, {"$set": {**changes, "updatedAt": datetime.now(UTC)}})


def _will_fail(job: Job) -> bool:
    """Some jobs fail at first, a few for good; always the same ones."""
    number = job.number
    return number % 23 == 5 or (number % 11 == 3 and job.attempts_made == 0)
