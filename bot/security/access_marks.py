"""Access lines that tell of trouble, counted by address: signed-out, forbidden, not found, too many, server errors. Pure, bounded.

An address is the client's own as the proxy passed it on; a client may write anything there, so it is a trace and no proof.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from bot.ops.error_kinds import ACCESS

WATCHED = frozenset({"401", "403", "404", "429"})
ADDRESSES_AT_MOST = 20_000
_LAST_QUOTED = re.compile(r'"([^"]*)"\s*$')
_ADDRESS = re.compile(r"[0-9A-Fa-f.:]{2,45}")


@dataclass(slots=True)
class AccessMarks:
    """Feed it lines. ``addresses`` holds for each how often which status; ``overflow`` counts lines of addresses beyond the most."""

    addresses: dict[str, Counter[str]] = field(default_factory=dict)
    lines: int = 0
    overflow: int = 0

    def feed(self, text: str) -> bool:
        """Take one line; whether it is one to keep."""
        found = ACCESS.match(text)
        if found is None:
            return False
        self.lines += 1
        status = found["status"]
        if status not in WATCHED and status[0] != "5":
            return False
        address = address_of(text)
        if address not in self.addresses and len(self.addresses) >= ADDRESSES_AT_MOST:
            self.overflow += 1
            return True
        self.addresses.setdefault(address, Counter())[status if status in WATCHED else "5xx"] += 1
        return True

    def worst(self) -> list[tuple[str, dict[str, int]]]:
        """Every address with its counts, most first."""
        ranked = sorted(self.addresses.items(), key=lambda item: (-item[1].total(), item[0]))
        return [(address, dict(sorted(counts.items()))) for address, counts in ranked]


def address_of(text: str) -> str:
    """Whom a line is from: the first address that was forwarded, else who connected."""
    forwarded = _LAST_QUOTED.search(text)
    first = forwarded[1].partition(",")[0].strip() if forwarded else ""
    return first if _ADDRESS.fullmatch(first) else text.partition(" ")[0]
