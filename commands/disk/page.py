"""What ``disk`` shows: tables of file systems and uploads, lines on growth and on what Docker keeps. Asks nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.context import Context
from bot.errors import VccError
from bot.figures import NONE, Figures
from bot.model import Table
from bot.ops.container_values import DockerDisk
from bot.ops.host import FileSystem
from bot.ops.trend import DAY, Course, Growth
from bot.ops.uploads import AGES, OLDER, Amount, UploadsUsage
from bot.plain_text import harmless
from commands.disk.filling import Filling
from commands.disk.root import DockerRoot

_AGES = (*(name for name, _ in AGES), OLDER)
# Further ahead than this no estimate of a week reaches.
_FAR = 3650.0
_NAME = 80


class Page:
    """The tables and fields, in the words and figures of one reader."""

    def __init__(self, ctx: Context) -> None:
        self._words = ctx.words
        self._figures = Figures(ctx.words.language, ctx.settings.vcc_tz)
        self._now = ctx.clock()

    def file_systems(self, systems: Sequence[FileSystem]) -> tuple[Table, ...]:
        """The fullest first."""
        if not systems:
            return ()
        size = self._figures.size
        rows = tuple(
            (
                entry.path,
                self._figures.percent(entry.percent),
                size(entry.used_bytes),
                size(entry.free_bytes),
                size(entry.total_bytes),
                self._figures.percent(entry.inodes_percent),
            )
            for entry in sorted(systems, key=lambda entry: -entry.percent)
        )
        return (Table(self._columns("path", "percent", "used", "free", "total", "inodes"), rows, self._words("disk.file_systems")),)

    def growth(self, filled: Mapping[str, Filling] | VccError) -> tuple[tuple[str, str], ...]:
        """One line for each file system: how fast it fills, when it is full, and what that is based on."""
        if isinstance(filled, VccError):
            return ((self._words("disk.field.growth"), self._words(filled.key, **filled.values)),)
        lines = [f"{harmless(path, limit=_NAME, newlines=False)}: {self._filling(each)}" for path, each in filled.items()]
        return ((self._words("disk.field.growth"), "\n".join(lines)),) if lines else ()

    def _filling(self, filled: Filling) -> str:
        growth, words = filled.growth, self._words
        if filled.since is None:
            return words("disk.growth_never")
        if growth.per_day is None or growth.confidence is None:
            return words("disk.growth_unknown", span=self._figures.duration(self._now - filled.since))
        basis = words(
            "disk.basis",
            span=self._figures.duration(growth.span_s),
            values=growth.values,
            confidence=words(f"disk.confidence.{growth.confidence.value}"),
        )
        return f"{self._course(growth, growth.per_day)} ({basis}{self._left_out(growth)})"

    def _course(self, growth: Growth, per_day: float) -> str:
        size = self._figures.size(abs(per_day))
        if growth.course is not Course.GROWING or growth.days_until_full is None:
            return self._words("disk.stable" if growth.course is Course.STABLE else "disk.shrinking", size=size)
        if growth.days_until_full > _FAR:
            return self._words("disk.growing_far", size=size)
        return self._words("disk.growing", size=size, left=self._figures.duration(growth.days_until_full * DAY))

    def _left_out(self, growth: Growth) -> str:
        """What of the record the estimate does not go by."""
        drops = self._words("disk.drops", count=growth.drops, size=self._figures.size(growth.dropped)) if growth.drops else ""
        return drops + (self._words("disk.jumped", size=self._figures.size(growth.jumped)) if growth.jumped else "")

    def root(self, root: DockerRoot | VccError) -> tuple[tuple[str, str], ...]:
        """Where Docker's data lies, and how full that is."""
        if isinstance(root, VccError):
            return ()
        at = harmless(root.engine_path or root.path, limit=_NAME, newlines=False)
        if root.file_system is None:
            told = self._words("disk.root_unseen", path=at or NONE)
        else:
            under, percent = root.file_system.path, self._figures.percent(root.file_system.percent)
            told = self._words("disk.root", path=at, under=under, percent=percent, free=self._figures.size(root.file_system.free_bytes))
        return ((self._words("disk.field.root"), told),)

    def docker(self, docker: DockerDisk | VccError) -> tuple[tuple[str, str], ...]:
        """What the engine keeps, and what of it nothing uses."""
        if isinstance(docker, VccError):
            return ()
        words, size = self._words, self._figures.size
        unused = words("disk.images", count=docker.images, size=size(docker.layers_bytes), unused=size(docker.images_unused_bytes))
        largest = sorted(docker.volumes, key=lambda volume: -(volume.size_bytes or 0))[:5]
        volumes = "\n".join(f"{each.name} {NONE if each.size_bytes is None else size(each.size_bytes)}" for each in largest)
        cache = words("disk.cache", size=size(docker.build_cache_bytes), unused=size(docker.build_cache_unused_bytes))
        return (
            (words("disk.field.images"), unused),
            (words("disk.field.volumes"), volumes or NONE),
            (words("disk.field.containers"), size(docker.containers_written_bytes)),
            (words("disk.field.cache"), cache),
        )

    def uploads(self, uploads: UploadsUsage | VccError) -> tuple[Table, ...]:
        """Files of each kind, and how many of what size are how old."""
        if isinstance(uploads, VccError) or not uploads.kinds:
            return ()
        rows = tuple(
            (self._words(f"disk.kind.{kind.kind}"), self._amount(kind.total), *(self._amount(kind.by_age[age]) for age in _AGES))
            for kind in uploads.kinds
        )
        columns = self._columns("kind", "files", *_AGES)
        return (Table(columns, rows, self._words("disk.uploads", path=uploads.path)),)

    def _amount(self, amount: Amount) -> str:
        return f"{self._figures.count(amount.count)} ({self._figures.size(amount.bytes)})" if amount.count else NONE

    def _columns(self, *names: str) -> tuple[str, ...]:
        return tuple(self._words(f"disk.column.{name}") for name in names)
