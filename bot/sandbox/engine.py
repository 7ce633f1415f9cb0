"""The engine: its four containers, their order of starting and stopping, the commands run inside them. Knows nothing of HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time
from collections.abc import Sequence

from bot.sandbox import health
from bot.sandbox.container import Container, NotModified
from bot.sandbox.events import Events
from bot.sandbox.execution import Execution, Sink
from bot.sandbox.images import Catalogue
from bot.sandbox.layout import Layout
from bot.sandbox.services import Service, image_id

KEPT_EXECUTIONS = 200


class Engine:
    """Owns the containers for the life of the engine process."""

    def __init__(self, layout: Layout, services: Sequence[Service]) -> None:
        self.layout = layout
        self.events = Events()
        self.containers = [Container(service, layout, self.events) for service in services]
        self.catalogue = Catalogue(layout.root / "images.json", time.time())
        self.executions: dict[str, Execution] = {}
        self._watchers: dict[Container, asyncio.Task[None]] = {}
        self._commands: set[asyncio.Task[None]] = set()

    def find(self, name: str) -> Container | None:
        """By name, full id or the beginning of one, as Docker looks it up."""
        wanted = name.removeprefix("/")
        for container in self.containers:
            if wanted == container.service.container_name or (wanted and container.id.startswith(wanted)):
                return container
        return None

    def service(self, name: str) -> Container:
        return next(container for container in self.containers if container.service.name == name)

    def images_in_use(self) -> set[str]:
        return {image_id(container.service.name) for container in self.containers}

    def watch_health(self) -> None:
        for container in self.containers:
            self._watch(container)

    def _watch(self, container: Container) -> None:
        if container.service.health_url:
            self._watchers[container] = asyncio.create_task(health.watch(container), name=f"health {container.service.name}")

    def add(self, service: Service) -> Container:
        """One more container, not started."""
        container = Container(service, self.layout, self.events)
        self.containers.append(container)
        self._watch(container)
        return container

    def drop(self, container: Container) -> None:
        """Forget one that is stopped; another of its service stays. Its log goes with it."""
        self.containers.remove(container)
        if container in self._watchers:
            self._watchers.pop(container).cancel()
        shutil.rmtree(container.log.path.parent, ignore_errors=True)

    def register(self, execution: Execution) -> None:
        """Remember a command for its inspection; the oldest finished ones are forgotten."""
        finished = [one.id for one in self.executions.values() if one.exit_code is not None]
        for identity in finished[:-KEPT_EXECUTIONS]:
            del self.executions[identity]
        self.executions[execution.id] = execution

    def run(self, execution: Execution, sink: Sink) -> asyncio.Task[None]:
        """Start a command; it runs to its end even when whoever asked for it leaves."""
        execution.started = True
        task = asyncio.create_task(execution.run(sink))
        self._commands.add(task)
        task.add_done_callback(self._commands.discard)
        return task

    async def close(self, timeout: float = 8) -> None:
        """Stop everything: those who use the databases first."""
        for watcher in self._watchers.values():
            watcher.cancel()
        await asyncio.gather(*self._watchers.values(), return_exceptions=True)
        for execution in self.executions.values():
            execution.kill()
        for pair in (("frontend", "backend"), ("redis", "mongodb")):
            await asyncio.gather(*(self._stop(one, timeout) for one in self.containers if one.service.name in pair))

    async def _stop(self, container: Container, timeout: float) -> None:
        with contextlib.suppress(NotModified):
            await container.stop(timeout)
