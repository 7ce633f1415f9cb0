"""The images, volumes and build cache the sandbox's engine shows, kept in a file so that what was pruned stays gone.

There are no layers behind them: they exist so that listing, tagging, keeping for rollback and pruning can be tried.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bot.sandbox.layout import PROJECT, SERVICES, private_write
from bot.sandbox.services import image_id

DAY = 86_400


@dataclass(slots=True)
class Image:
    id: str
    tags: list[str]
    created: float
    size: int
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def dangling(self) -> bool:
        return not self.tags


@dataclass(slots=True)
class CacheRecord:
    """One record of the build cache."""

    id: str
    created: float
    last_used: float
    size: int
    description: str


class Catalogue:
    """The image store. ``in_use`` of a call names the image ids of existing containers: those are never removed."""

    def __init__(self, path: Path, now: float) -> None:
        self._path = path
        try:
            raw = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            self.images, self.cache = _first_images(now), _first_cache(now)
        else:
            self.images = [Image(**image) for image in raw["images"]]
            self.cache = [CacheRecord(**record) for record in raw["cache"]]

    def find(self, name: str) -> Image | None:
        """By tag (``:latest`` when none is given), full id or the beginning of one."""
        wanted = full_tag(name)
        digest = name.removeprefix("sha256:")
        for image in self.images:
            if wanted in image.tags or (len(digest) >= 4 and image.id.removeprefix("sha256:").startswith(digest)):
                return image
        return None

    def tag(self, image: Image, tag: str) -> None:
        for other in self.images:
            if tag in other.tags:
                other.tags.remove(tag)
        image.tags.append(tag)
        self._save()

    def would_delete(self, image: Image, name: str) -> bool:
        return full_tag(name) not in image.tags or len(image.tags) == 1

    def remove(self, image: Image, name: str) -> list[dict[str, str]]:
        """Take one tag off, or delete the image with its last one (or when named by id)."""
        if not self.would_delete(image, name):
            wanted = full_tag(name)
            image.tags.remove(wanted)
            done = [{"Untagged": wanted}]
        else:
            done = [*({"Untagged": tag} for tag in image.tags), {"Deleted": image.id}]
            self.images.remove(image)
        self._save()
        return done

    def prune(self, before: float, in_use: set[str], *, dangling_only: bool) -> list[Image]:
        """Remove unused images created before a moment."""
        gone = [
            image for image in self.images if image.created < before and image.id not in in_use and (image.dangling or not dangling_only)
        ]
        self.images = [image for image in self.images if image not in gone]
        self._save()
        return gone

    def prune_cache(self, before: float) -> list[CacheRecord]:
        """Remove build cache not used since a moment."""
        gone = [record for record in self.cache if record.last_used < before]
        self.cache = [record for record in self.cache if record not in gone]
        self._save()
        return gone

    def _save(self) -> None:
        document = {"images": [asdict(image) for image in self.images], "cache": [asdict(record) for record in self.cache]}
        private_write(self._path, json.dumps(document, indent=1))


def full_tag(name: str) -> str:
    """``:latest`` is meant when no tag is given."""
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _first_images(now: float) -> list[Image]:
    tags = {
        "mongodb": "mongo:6.0.5",
        "redis": "redis:6.2-alpine",
        "backend": f"{PROJECT}-backend:latest",
        "frontend": f"{PROJECT}-frontend:latest",
    }
    sizes = {"mongodb": 695_000_000, "redis": 31_000_000, "backend": 412_000_000, "frontend": 54_000_000}
    built = {"com.docker.compose.project": PROJECT}
    images = [Image(image_id(name), [tags[name]], now - 20 * DAY, sizes[name]) for name in SERVICES]
    images.append(Image(f"sha256:{_digest('rollback')}", [f"{PROJECT}-backend:rollback-20260101"], now - 50 * DAY, 409_000_000, built))
    for number, days in enumerate((3, 41, 75)):
        images.append(Image(f"sha256:{_digest(f'dangling {number}')}", [], now - days * DAY, 380_000_000 + number * 7_000_000, built))
    return images


def _first_cache(now: float) -> list[CacheRecord]:
    return [
        CacheRecord(_digest("cache 1")[:25], now - 60 * DAY, now - 50 * DAY, 210_000_000, "RUN npm install --omit=dev"),
        CacheRecord(_digest("cache 2")[:25], now - 20 * DAY, now - 20 * DAY, 4_000_000, "COPY src ./src"),
    ]
