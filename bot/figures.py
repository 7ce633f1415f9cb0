"""Figures as people read them: sizes, durations, shares, counts and moments, in one language and time zone. Pure."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from zoneinfo import ZoneInfo

NONE = "-"
_HALF_A_DAY = 43_200
_SIZES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_SPANS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))
_MANY_DAYS = 10
_SPAN_NAMES = {"ko": {"d": "일", "h": "시간", "m": "분", "s": "초"}, "en": {"d": "d", "h": "h", "m": "m", "s": "s"}}
_AGO = {"ko": "{} 전", "en": "{} ago"}


@dataclass(frozen=True, slots=True)
class Figures:
    """How ``language`` (``ko`` or ``en``) writes figures, with moments in the time zone ``zone``."""

    language: str
    zone: str

    def size(self, count: float) -> str:
        """Bytes, in powers of 1024: ``1.5 GiB``."""
        value, unit = float(count), 0
        while abs(value) >= 1023.95 and unit < len(_SIZES) - 1:
            value, unit = value / 1024, unit + 1
        return f"{value:.0f} B" if unit == 0 else f"{value:.1f} {_SIZES[unit]}"

    def percent(self, share: float | None) -> str:
        """A share of a hundred: one digit behind the point below ten, none above; never rounded up to 100."""
        if share is None:
            return NONE
        if 99.5 <= share < 100:
            return f"{min(share, 99.9):.1f}%"
        return f"{share:.1f}%" if abs(share) < 9.95 else f"{share:.0f}%"

    def count(self, number: int) -> str:
        """A number with its thousands apart."""
        return f"{number:,}"

    def duration(self, seconds: float | None) -> str:
        """A length of time by its two largest units: ``3일 4시간``, ``12초``, ``0.4초``; from ten days on by its days."""
        if seconds is None:
            return NONE
        names = _SPAN_NAMES[self.language]
        if seconds < 9.95:
            return f"{max(0.0, seconds):.1f}{names['s']}".replace(".0", "")
        left, parts = round(seconds), list[str]()
        for length, name in _SPANS:
            whole, left = divmod(left, length)
            if whole or parts:
                parts.append(f"{whole}{names[name]}" if whole else "")
            if len(parts) == 2 or (name == "d" and whole >= _MANY_DAYS):
                break
        return " ".join(part for part in parts if part)

    def milliseconds(self, number: float) -> str:
        """A short time: ``0.8 ms``, ``12 ms``."""
        return f"{number:.1f} ms" if number < 9.95 else f"{number:.0f} ms"

    def moment(self, at: float | None) -> str:
        """A moment of the past weeks: ``11-22 21:05``."""
        return NONE if at is None else self._local(at).strftime("%m-%d %H:%M")

    def clock(self, at: float, now: float) -> str:
        """A moment to the second: ``21:05:03``; with its date when that may not be today's."""
        return self._local(at).strftime("%H:%M:%S" if abs(now - at) < _HALF_A_DAY else "%m-%d %H:%M:%S")

    def exact(self, at: float) -> str:
        """A moment whole, for what is read later and elsewhere: ``2026-01-22 19:00:01.250``."""
        return self._local(at).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]

    def since(self, at: float | None, now: float) -> str:
        """How long ago: ``5분 전``."""
        return NONE if at is None else _AGO[self.language].format(self.duration(max(0.0, now - at)))

    def _local(self, at: float) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(at, ZoneInfo(self.zone))
