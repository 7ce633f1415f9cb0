"""Jobs in Redis for tests that take them away and bring them back: some that Bull made, in every state, and many plain ones."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.bull import QUEUE, Bull
from tests.real_parts import BullMaker
from tests.servers import RealRedis

Keys = dict[bytes, bytes]


def raw(server: RealRedis) -> contextlib.closing[redis.Redis]:
    """A client that speaks bytes."""
    return contextlib.closing(redis.Redis("127.0.0.1", server.port, password=server.password, retry=Retry(NoBackoff(), 0)))


def dumped(server: RealRedis) -> Keys:
    """Every key as Redis dumps it, without the locks and guards that end by themselves."""
    with raw(server) as client:
        keys = _lasting(client)
        pipe = client.pipeline(transaction=False)
        for key in keys:
            pipe.dump(key)
        return dict(zip(keys, pipe.execute(), strict=True))


def keyspace(server: RealRedis) -> Keys:
    """Every key's content, byte for byte. Redis keeps hashes and sets in whatever order it likes, and changes that by itself."""
    with raw(server) as client:
        kinds = _lasting(client)
        pipe = client.pipeline(transaction=False)
        for key, kind in kinds.items():
            {b"hash": pipe.hgetall, b"set": pipe.smembers}.get(kind, pipe.dump)(key)
        return {key: _in_order(content) for key, content in zip(kinds, pipe.execute(), strict=True)}


def _lasting(client: redis.Redis) -> dict[bytes, bytes]:
    """The keys that do not end by themselves, with their kind."""
    keys: list[bytes] = list(client.scan_iter(count=10_000))
    pipe = client.pipeline(transaction=False)
    for key in keys:
        pipe.ttl(key)
        pipe.type(key)
    answers = pipe.execute()
    return {key: kind for key, left, kind in zip(keys, answers[::2], answers[1::2], strict=True) if left == -1}


def _in_order(content: bytes | dict[bytes, bytes] | set[bytes]) -> bytes:
    if isinstance(content, bytes):
        return content
    return repr(sorted(content.items() if isinstance(content, dict) else content)).encode()


def waiting(server: RealRedis, count: int, name: str = QUEUE, data: str = "{}") -> list[str]:
    """So many plain jobs that wait, the first one next; their ids."""
    ids = [f"plain{number}" for number in range(count)]
    with raw(server) as client:
        pipe = client.pipeline(transaction=False)
        for job in ids:
            pipe.hset(f"bull:{name}:{job}", mapping={"name": "x", "data": data, "opts": "{}", "timestamp": "1"})
        pipe.lpush(f"bull:{name}:wait", *ids)
        pipe.execute()
    return ids


@dataclass
class Stock:
    """Jobs that Bull made in every state, with priorities, a log, a custom id and odd bytes: made once, for many servers."""

    keys: Keys = field(default_factory=dict)
    ids: list[str] = field(default_factory=list)
    locked: str = ""

    def fill(self, server: RealRedis, bull_node: BullMaker, name: str = QUEUE) -> list[str]:
        """Put them into this queue; their ids."""
        if not self.keys:
            self._make(bull_node(server.url), server)
        with raw(server) as client:
            for key, dump in self.keys.items():
                client.restore(key.replace(QUEUE.encode(), name.encode()), 0, dump, replace=True)
            client.set(f"bull:{name}:{self.locked}:lock", "worker", px=600_000)
        return self.ids

    def _make(self, bull: Bull, server: RealRedis) -> None:
        ended = bull.add({"fail": True}, {}, {"fail": True}, {})
        bull.run("work")
        # Those of the lowest numbers are taken first: three stay.
        options = [*({} for _ in range(5)), *({"priority": number} for number in (3, 2, 3, 1, 2, 1)), {"jobId": "사용자 지정:1"}]
        options += [{"delay": 600_000}, {"delay": 500_000, "priority": 2}]
        more = bull.run("add", jobs=[{"opts": each} for each in options])
        active = bull.run("take", count=3)
        with raw(server) as client:
            client.rpush(f"bull:{QUEUE}:{ended[0]}:logs", "한 줄", b"\xff")
            client.hset(f"bull:{QUEUE}:{more[0]}", b"odd \xff\x00", b"\xfe\x80 bytes")
            client.lpush(f"bull:{QUEUE}:wait", b"odd \xff")
            client.hset(f"bull:{QUEUE}:".encode() + b"odd \xff", b"data", b"{}")
        self.ids, self.locked, self.keys = [*ended, *more, "odd \udcff"], active[1], dumped(server)


def line_of(server: RealRedis, place: str = "wait", name: str = QUEUE) -> list[str]:
    """The ids of a list, the next one first."""
    with contextlib.closing(server.client()) as client:
        return [str(job) for job in client.lrange(f"bull:{name}:{place}", 0, -1)][::-1]
