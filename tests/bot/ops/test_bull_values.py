"""Queue names are anything at all: spaces, colons, Korean."""

from __future__ import annotations

import pytest

from bot.ops.bull_values import QueueKeys, queue_of


@pytest.mark.parametrize(
    ("key", "owner"),
    [
        ("bull:image generation:id", ("image generation", "id")),
        ("bull:a:b:c:wait", ("a:b:c", "wait")),
        ("bull:이미지 생성:meta-paused", ("이미지 생성", "meta-paused")),
        ("bull:image generation:12", None),
        ("bull:image generation:12:lock", None),
        ("bull:image generation:12:logs", None),
        ("bull:image generation:stalled-check", None),
        ("bull:id", None),
        ("bull::id", None),
        ("cache:x:id", None),
    ],
)
def test_only_keys_of_the_queue_itself_prove_it(key: str, owner: tuple[str, str] | None) -> None:
    assert queue_of(key) == owner


def test_a_key_is_made_of_the_name_as_it_is() -> None:
    assert QueueKeys("image generation").key("wait") == "bull:image generation:wait"
