"""A wire-level fake of Discord for tests; start with ``FakeDiscord``. Knows nothing of our bot."""

from .clock import Clock
from .deliveries import Delivery
from .errors import ApiError, NotOffered
from .fake import FakeDiscord
from .oracle import Oracle
from .records import Call, Mentions, Message, StoredFile

__all__ = ["ApiError", "Call", "Clock", "Delivery", "FakeDiscord", "Mentions", "Message", "NotOffered", "Oracle", "StoredFile"]
