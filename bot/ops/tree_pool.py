"""Work done by two threads, whose answers come back in the order in which it was handed in; never too much of it at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Job = TypeVar("Job")
Answer = TypeVar("Answer")
THREADS = 2
BATCH = 48
HEAVY = 4 << 20
WAITING = 8
MOST_KNOWN = 4_096


class Ordered(Generic[Job, Answer]):
    """``work`` answers one job; ``take`` gets each answer, in order and in the caller's thread. Heavy jobs make small batches."""

    def __init__(self, work: Callable[[Job], Answer], take: Callable[[Answer], None]) -> None:
        self._work = work
        self._take = take
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="tree")
        self._batch: list[Job] = []
        self._weight = 0
        self._running: deque[Future[list[Answer]] | list[Answer]] = deque()
        self._known = 0

    def put(self, answer: Answer) -> None:
        """An answer that needs no work: it waits for its turn too."""
        if not self._batch and not self._running:
            self._take(answer)
            return
        self._send()
        last = self._running[-1]
        if isinstance(last, list):
            last.append(answer)
        else:
            self._running.append([answer])
        self._known += 1
        if self._known >= MOST_KNOWN or len(self._running) > WAITING:
            self._receive()

    def add(self, job: Job, weight: int) -> None:
        """Hand in a job; waits when there are too many."""
        self._batch.append(job)
        self._weight += weight
        if len(self._batch) >= BATCH or self._weight >= HEAVY:
            self._send()
            while len(self._running) > WAITING:
                self._receive()

    def drain(self) -> None:
        """Wait for everything that was handed in."""
        self._send()
        while self._running:
            self._receive()

    def close(self) -> None:
        """End the threads; what has not begun never does."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _send(self) -> None:
        if self._batch:
            self._running.append(self._pool.submit(self._all, self._batch))
            self._batch, self._weight = [], 0

    def _receive(self) -> None:
        """The oldest answers, and whatever stood behind them only."""
        self._all_of(self._running.popleft())
        while self._running and isinstance(self._running[0], list):
            self._all_of(self._running.popleft())

    def _all_of(self, answers: Future[list[Answer]] | list[Answer]) -> None:
        if isinstance(answers, list):
            self._known -= len(answers)
        for answer in answers if isinstance(answers, list) else answers.result():
            self._take(answer)

    def _all(self, jobs: list[Job]) -> list[Answer]:
        return [self._work(job) for job in jobs]
