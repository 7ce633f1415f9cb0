"""The world of the seeded deployment: its documents and files, in every state including the broken ones. Pure until ``write_files``."""

from __future__ import annotations

import json
import os
import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bson import ObjectId

from bot.sandbox.png import picture, png
from bot.sandbox.secrets import ADMIN_PASSWORD_HASH, PASSWORD_HASH

USERS = 12
WORKBOARDS = 6
JOBS = 3000
IMAGES = 400
UPLOADS = 60
SESSIONS = 25
WAITING, DELAYED, COMPLETED, FAILED = 60, 6, 50, 20
DOCUMENTS_WITHOUT_FILE = 18
FILES_WITHOUT_DOCUMENT = 14
VARIANTS = 24
STATUSES = ("completed",) * 76 + ("failed",) * 16 + ("cancelled",) * 8
PROMPTS = (
    "비 오는 서울 거리, 네온",
    "a quiet harbour at dawn",
    "한복을 입은 고양이",
    "hello error world, a neon sign",
    "isometric tea house",
)

Document = dict[str, Any]


@dataclass(slots=True)
class World:
    """Everything to be written. ``queue`` says which job documents have a Bull job, and in which state."""

    users: list[Document]
    workboards: list[Document]
    jobs: list[Document]
    images: list[Document] = field(default_factory=list)
    uploads: list[Document] = field(default_factory=list)
    sessions: list[Document] = field(default_factory=list)
    stray_files: list[str] = field(default_factory=list)
    missing_files: set[str] = field(default_factory=set)
    queue: Mapping[str, Sequence[Document]] = field(default_factory=dict)

    def collections(self) -> dict[str, list[Document]]:
        return {
            "users": self.users,
            "workboards": self.workboards,
            "imagegenerationjobs": self.jobs,
            "generatedimages": self.images,
            "uploadedimages": self.uploads,
            "sessions": self.sessions,
        }

    def write_files(self, uploads: Path) -> None:
        """Real PNG files, as old as their documents say."""
        variants = [picture(number) for number in range(VARIANTS)]
        for kind in ("generated", "reference"):
            (uploads / kind).mkdir(parents=True, exist_ok=True)
            (uploads / kind / ".gitkeep").touch()
        sizes: dict[str, int] = {}
        for number, (place, moment) in enumerate(self._files()):
            path = uploads / place
            sizes[place] = path.write_bytes(png(variants[number % VARIANTS], json.dumps({"file": place, "seed": number})))
            os.utime(path, (moment, moment))
        for document in (*self.images, *self.uploads):
            document["size"] = sizes.get(_place(document), len(variants[0]))

    def _files(self) -> list[tuple[str, float]]:
        found: dict[str, float] = {}
        for document in (*self.images, *self.uploads):
            if document["filename"] not in self.missing_files:
                found[_place(document)] = document["createdAt"].timestamp()
        oldest = min(found.values())
        found.update((f"generated/{name}", oldest + number * 3600) for number, name in enumerate(self.stray_files))
        return sorted(found.items())


def _place(document: Document) -> str:
    """Where its file is, below the uploads folder."""
    return str(document["path"]).removeprefix("/app/uploads/")


class _Maker:
    """Hands out ids, moments and choices from one dice, so that the same seed makes the same world."""

    def __init__(self, dice: random.Random, now: float) -> None:
        self.dice = dice
        self.now = datetime.fromtimestamp(int(now), UTC)

    def object_id(self, made: datetime) -> ObjectId:
        """An id tells when it was made."""
        return ObjectId(int(made.timestamp()).to_bytes(4, "big") + self.dice.randbytes(12)[4:])

    def days_ago(self, days: float) -> datetime:
        return self.now - timedelta(days=days)


def build_world(dice: random.Random, now: float) -> World:
    maker = _Maker(dice, now)
    world = World(_users(maker), [], [])
    world.workboards = _workboards(maker, world.users)
    world.jobs = [_job(maker, world, number) for number in range(JOBS)]
    _add_images(maker, world)
    _add_uploads(maker, world)
    world.sessions = [_session(maker, dice.choice(world.users)) for _ in range(SESSIONS)]
    world.queue = _queue(world)
    return world


def _users(maker: _Maker) -> list[Document]:
    users: list[Document] = []
    for number in range(USERS):
        created = maker.days_ago(200 - number)
        user: Document = {
            "_id": maker.object_id(created),
            "email": "admin@vcc.example" if number == 0 else f"user{number}@vcc.example",
            "nickname": "관리자" if number == 0 else f"사용자 {number}",
            "password": ADMIN_PASSWORD_HASH if number == 0 else PASSWORD_HASH,
            "authProvider": "google" if number % 5 == 4 else "local",
            "isAdmin": number == 0,
            "isActive": number != 11,
            "isEmailVerified": True,
            "lastLogin": maker.days_ago(number),
            "preferences": {"language": "ko", "theme": "light"},
            "createdAt": created,
            "updatedAt": created,
        }
        if number % 5 == 4:
            user["googleId"] = f"1000000000000000{number:04d}"
        users.append(user)
    return users


def _workboards(maker: _Maker, users: Sequence[Document]) -> list[Document]:
    workflow = json.dumps({"3": {"class_type": "KSampler", "inputs": {"seed": 0, "steps": 20}}})
    return [
        {
            "_id": maker.object_id(maker.days_ago(180)),
            "name": f"워크보드 {number + 1}",
            "serverUrl": "http://comfyui.vcc.example:8188",
            "isActive": number != 5,
            "baseInputFields": {
                "aiModel": [{"key": "SDXL", "value": "sdxl.safetensors"}],
                "imageSizes": [{"key": "1:1", "value": "96x96"}],
            },
            "additionalInputFields": [],
            "workflowData": workflow,
            "createdBy": users[0]["_id"],
            "version": 1,
            "usageCount": 40 * number,
            "createdAt": maker.days_ago(180),
            "updatedAt": maker.days_ago(20),
        }
        for number in range(WORKBOARDS)
    ]


def _job(maker: _Maker, world: World, number: int) -> Document:
    """Number 0 is the oldest; the last ones are those still in the queue."""
    dice = maker.dice
    left = JOBS - number
    pending = left <= WAITING + DELAYED
    status = "pending" if pending else dice.choice(STATUSES)
    created = maker.days_ago(0.002 + left * 0.00003) if pending else maker.days_ago(0.05 + left * 0.04)
    workboard = dice.choice(world.workboards)
    job: Document = {
        "_id": maker.object_id(created),
        "userId": dice.choice(world.users)["_id"],
        "workboardId": workboard["_id"],
        "status": status,
        "priority": 1 if pending and left % 12 == 0 else 0,
        "inputData": {
            "prompt": dice.choice(PROMPTS),
            "aiModel": "sdxl.safetensors",
            "imageSize": "96x96",
            "referenceImages": [],
            "additionalParams": {},
            "seed": dice.randrange(2**31),
        },
        "workflowData": workboard["workflowData"],
        "progress": 100 if status == "completed" else 0,
        "resultImages": [],
        "retryCount": 0,
        "maxRetries": 3,
        "createdAt": created,
        "updatedAt": created + timedelta(seconds=9),
    }
    if status in ("completed", "failed"):
        job["startedAt"] = created + timedelta(seconds=2)
        job["completedAt"] = created + timedelta(seconds=9)
        job["actualTime"] = 7000
    if status == "failed":
        job["error"] = {"message": "Failed to submit workflow: Request failed with status code 500", "code": "COMFYUI_ERROR"}
    return job


def _add_images(maker: _Maker, world: World) -> None:
    completed = [job for job in world.jobs if job["status"] == "completed"]
    chosen = sorted(maker.dice.sample(completed, IMAGES), key=lambda job: job["createdAt"])
    for number, job in enumerate(chosen):
        image = _image(maker, job, number)
        job["resultImages"].append(image["_id"])
        world.images.append(image)
    # Two workers in one millisecond share a name: two documents, one file.
    world.images[10].update({name: world.images[11][name] for name in ("filename", "originalName", "path", "url")})
    broken = maker.dice.sample(world.images[20:], DOCUMENTS_WITHOUT_FILE)
    world.missing_files = {image["filename"] for image in broken}
    world.stray_files = [f"generated_{1_760_000_000_000 + number * 7919}_0.png" for number in range(FILES_WITHOUT_DOCUMENT)]


def _image(maker: _Maker, job: Document, number: int) -> Document:
    moment = job["completedAt"]
    return _picture_document(maker, job["userId"], f"generated_{int(moment.timestamp() * 1000) + number}_0.png", moment) | {
        "jobId": job["_id"],
        "generationParams": {"prompt": job["inputData"]["prompt"], "seed": job["inputData"]["seed"]},
        "tags": ["서울"] if number % 7 == 0 else [],
        "isPublic": False,
        "downloadCount": number % 4,
    }


def _picture_document(maker: _Maker, user: ObjectId, filename: str, moment: datetime, folder: str = "generated") -> Document:
    return {
        "_id": maker.object_id(moment),
        "filename": filename,
        "originalName": filename,
        "mimeType": "image/png",
        "size": 0,
        "path": f"/app/uploads/{folder}/{filename}",
        "url": f"/uploads/{folder}/{filename}",
        "userId": user,
        "metadata": {"width": 96, "height": 96, "format": "png", "colorSpace": "srgb", "hasAlpha": False},
        "createdAt": moment,
        "updatedAt": moment,
    }


def _add_uploads(maker: _Maker, world: World) -> None:
    dice = maker.dice
    for number in range(UPLOADS):
        name = f"{uuid.UUID(bytes=dice.randbytes(16), version=4)}{'.jpg' if number % 4 == 0 else '.png'}"
        document = _picture_document(maker, dice.choice(world.users)["_id"], name, maker.days_ago(2 * number + 1), "reference")
        document |= {"originalName": f"photo {number}{name[-4:]}", "isReferenced": number % 3 == 0, "referencedBy": []}
        if document["isReferenced"]:
            job = dice.choice(world.jobs)
            job["inputData"]["referenceImages"].append({"imageId": document["_id"], "method": "img2img", "strength": 0.6})
            document["referencedBy"].append({"jobId": job["_id"], "addedAt": job["createdAt"]})
        world.uploads.append(document)


def _session(maker: _Maker, user: Document) -> Document:
    cookie = {"originalMaxAge": 86400000, "secure": True, "httpOnly": True, "path": "/"}
    session = {"cookie": cookie, "passport": {"user": str(user["_id"])}}
    identity = maker.dice.randbytes(24).hex()
    return {"_id": identity, "expires": maker.now + timedelta(hours=12 + maker.dice.random() * 12), "session": json.dumps(session)}


def _queue(world: World) -> dict[str, list[Document]]:
    """Oldest first. Some jobs disagree with the queue on purpose, as happens in the field."""
    by_status: dict[str, list[Document]] = {"completed": [], "failed": [], "pending": [], "cancelled": []}
    for job in world.jobs:
        by_status[job["status"]].append(job)
    failed, pending = by_status["failed"][-FAILED:], by_status["pending"]
    for raced in failed[-3:]:  # Bull gave up, the document never heard of it
        raced.update(status="processing", progress=20)
    for lost in by_status["failed"][-FAILED - 4 : -FAILED]:  # the queue lost these, the documents still wait
        lost.update(status="pending")
    return {
        "completed": by_status["completed"][-COMPLETED:],
        "failed": failed,
        "stuck": by_status["completed"][-COMPLETED - 2 : -COMPLETED],  # a hash in no list, as careless deleting leaves it
        "delayed": pending[:DELAYED],
        "wait": pending[DELAYED:],
    }
