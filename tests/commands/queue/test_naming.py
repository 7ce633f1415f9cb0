"""Lines that name a queue or a job read back as they were, whatever the names."""

from __future__ import annotations

import pytest

from bot.binding import bind
from bot.line import normalise, split
from bot.model import Outcome
from bot.registry import Registry, discover
from commands.queue.naming import line, resume_line, typed
from tests.commands.conftest import Bot
from tests.commands.queue.conftest import QUEUE, Shelf

NAMES = ("image generation", "a:b:c", "이미지 생성", 'it\'s "so"', "“둘”", "--queue", "—긴", "  two  ", "vcc", "/x", "*", "a\\b", "$(id)")


@pytest.mark.parametrize("name", NAMES)
def test_what_a_button_types_names_the_same_queue_and_job(name: str) -> None:
    registry = Registry(discover())
    command, words = registry.resolve(split(normalise(line("job", [typed(name)], queue=name))))
    assert bind(command, words) == {"id": typed(name), "queue": typed(name), "data": False}
    command, words = registry.resolve(split(normalise(resume_line(name))))
    assert bind(command, words) == {"name": typed(name)}


async def test_a_name_that_means_two_queues_is_asked_about(bot: Bot, shelf: Shelf) -> None:
    shelf.waiting(1)
    twin = Shelf(shelf.client, QUEUE.replace("“", '"').replace("”", '"'))
    twin.waiting(1)
    assert (await bot(f"queue pause '{QUEUE}'")).data[0]["name"] == twin.queue
    loud, quiet = Shelf(shelf.client, "ABC"), Shelf(shelf.client, "abc")
    loud.waiting(1)
    quiet.waiting(1)
    assert (await bot("queue pause Abc")).outcome is Outcome.REFUSED
    assert (await bot("queue pause abc")).data[0]["name"] == "abc"
