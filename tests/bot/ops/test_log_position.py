"""A position comes out of a store as it went in, and nothing else passes for one."""

from __future__ import annotations

import json

import pytest

from bot.ops.log_position import LogPosition


def test_a_position_outlives_a_store() -> None:
    position = LogPosition("c", "file", mark="m", head=5, offset=7, inode=9, last="x", unfinished="stderr", gap=True)
    assert LogPosition.from_json(json.loads(json.dumps(position.to_json()))) == position


def test_one_of_an_older_version_is_understood() -> None:
    assert LogPosition.from_json({"container_id": "c", "source": "api", "something": "new"}) == LogPosition("c", "api")


@pytest.mark.parametrize("data", [{}, {"container_id": "c"}, {"container_id": "c", "source": "file", "offset": "7"}])
def test_what_is_none_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        LogPosition.from_json(data)
