"""The composition root: the only file that knows every room. Builds them from the settings, starts, supervises and stops them."""

from __future__ import annotations

import asyncio
import fcntl
import importlib
import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path

from aiohttp import web

from bot import checklist_book, checklists, line, outbox, scheduler_data
from bot.alert_book import AlertBook, AlertDesk
from bot.alert_telling import AlertTelling
from bot.approvals import Approvals
from bot.attachments import Attachments
from bot.audit import Audit
from bot.cards import Cards
from bot.checklist_book import ChecklistBook
from bot.command import Group
from bot.config import Settings
from bot.context import Context
from bot.dispatch import Corridor, Dispatch, redacted
from bot.doors import Connector, Doors
from bot.error_index import ErrorIndex
from bot.errors import CannotStart, RecordUnwritable, Refusal, VccError
from bot.figures import Figures
from bot.gate import Gate
from bot.history import History
from bot.incident_house import IncidentHouse
from bot.inspector import SetUpInspector
from bot.locks import Locks
from bot.model import Invocation, Person, Progress, Reply
from bot.notices import Notices
from bot.ops.bundle import Ops
from bot.ops.log_text import LogText
from bot.ops.measures import sources
from bot.outbox import Outbox
from bot.permissions import Permissions
from bot.pictures import Pictures
from bot.places import Places
from bot.redact import Redactor
from bot.registry import Registry, discover
from bot.sampler import Sampler
from bot.scheduler import Desk, Scheduler
from bot.scheduler_owners import Owners
from bot.scheduler_telling import ScheduleTelling
from bot.services import Services
from bot.store.engine import Store
from bot.store.instances import Instance
from bot.supervisor import supervise
from bot.team_files import TeamFile
from bot.tending import House, Tending
from bot.words import Sentences, Words, catalogue

_LOG = logging.getLogger("vcc.app")
_NAMES_EVERY = 15.0
_GRACE = 5.0


# Imported only when their settings are present: each library costs a third of a second and 40 MB.
_CONNECTORS = {"slack": "slack_bot_token", "discord": "discord_token"}


class App:
    """The bot without any platform; connectors are added. ``open`` before use, ``close`` after.

    ``groups`` and ``sentences`` are other commands, and other words, than the house's own.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], float] = time.time,
        groups: Sequence[Group] | None = None,
        sentences: Sentences = catalogue,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.words = Words(settings.vcc_lang, sentences)
        self.redactor = Redactor(settings.secrets)
        self.registry = Registry(discover() if groups is None else groups, sentences)
        self.permissions = Permissions(settings)
        self.gate = Gate(self.permissions, rooms=lambda place: self.incidents.book.is_room(place))
        self.places = Places(settings, self._speaking)
        self.store = Store(settings.vcc_home / "vcc.db")
        self.instance = Instance(settings.vcc_home)
        self.ops = Ops(settings)
        self.attachments = Attachments(settings.vcc_home, self.redactor)
        self.pictures = Pictures(settings.vcc_home, settings.vcc_lang, settings.vcc_tz, self.redactor)
        self.inspector = SetUpInspector(settings, self.ops)
        self.history = History(self.store, clock)
        self.sampler = Sampler(sources(self.ops), self.history, clock)
        self.errors = ErrorIndex(self.store, self.ops.containers.services, self.ops.logs, LogText(settings.secrets), clock)
        self.connectors: dict[str, Connector] = {}
        self._outboxes: dict[str, Outbox] = {}
        self._service_names: tuple[str, ...] = ()
        self.say_at_terminal: Callable[[Reply], None] = _say_nothing
        self._schedule_telling = ScheduleTelling(self.words, settings.vcc_tz)
        self.audit = Audit(self.store, self.redactor, self.instance.id, clock, self._schedule_telling)
        self.locks = Locks(self.store, self.instance.id, self.instance.alive, Figures(settings.vcc_lang, settings.vcc_tz), clock)
        self.notices = Notices(self._clean, clock)
        self.alert_desk = self._alert_desk()
        self.alerts = AlertBook(self.alert_desk)
        cards = Cards(self.words, settings.vcc_tz, self._clean)
        self.approvals = Approvals(self.store, self.audit, self.permissions, cards, self.places.ops, clock)
        corridor = Corridor(self.audit, self.gate, self.registry, self.approvals, self.locks, self.redactor, self.words)
        self.dispatch = Dispatch(corridor, self._context, self.wake)
        house = House(self.store, self.audit, self.approvals, self.dispatch, self.attachments, self.instance.alive, self.wake)
        self.tending = Tending(house, self.words, clock)
        self.scheduler = self._scheduler()
        self.checklists = self._checklists()
        self.incidents = IncidentHouse(self)

    def _alert_desk(self) -> AlertDesk:
        telling = AlertTelling(self.words, self.settings.vcc_tz, self._exists)
        return AlertDesk(self.store, self.notices, self.places, telling, self.wake, self.clock)

    def _exists(self, typed: str) -> bool:
        """Whether there is a command for this line."""
        try:
            self.registry.resolve(line.split(line.normalise(typed)))
        except Refusal:
            return False
        return True

    def _checklists(self) -> ChecklistBook:
        file = TeamFile(checklist_book.FILE, self.settings.vcc_team_dir, self.settings.vcc_home / "team", checklists.parse)
        self.inspector.watch(file)
        return ChecklistBook(self.store, file, self.words, self.clock)

    def _scheduler(self) -> Scheduler:
        settings = self.settings
        parse = partial(scheduler_data.parse, zone=settings.vcc_tz)
        file = TeamFile(scheduler_data.FILE, settings.vcc_team_dir, settings.vcc_home / "team", parse)
        owners = Owners(settings, self.permissions, self._speaking)
        desk = Desk(self.store, self.audit, self.registry, owners, self.dispatch.start, self._cannot_run, self.wake)
        scheduler = Scheduler(desk, file, self.clock)
        self.inspector.watch(file)
        self.inspector.add("schedules", scheduler.check)
        return scheduler

    def _cannot_run(self, name: str, fault: VccError) -> Reply:
        return self._clean(self._schedule_telling.cannot(name, fault))

    async def open(self) -> None:
        """Open the state, and tell about what a crash interrupted."""
        self.store.open()
        self.instance.begin()
        await self.tending.find_interrupted()

    async def close(self, grace: float = _GRACE) -> None:
        """Let what runs finish for ``grace`` seconds, interrupt the rest, then close everything."""
        await self.dispatch.stop(grace)
        await self.ops.close()
        self.store.close()
        self.instance.end()

    def connect(self) -> None:
        """Take in every platform whose settings are present."""
        for platform, setting in _CONNECTORS.items():
            if getattr(self.settings, setting).get_secret_value():
                self.add(importlib.import_module(f"bot.connectors.{platform}").build(self.doors()))

    def add(self, connector: Connector) -> None:
        """Take a platform in."""
        self.connectors[connector.platform] = connector
        self._outboxes[connector.platform] = Outbox(self.store, connector.platform, connector, self.clock)
        self.gate.register(connector.platform, connector)
        self.inspector.add(connector.platform, connector.check)

    def _speaking(self) -> Collection[str]:
        """The platforms that are, or by their settings will be, connected."""
        configured = {name for name, setting in _CONNECTORS.items() if getattr(self.settings, setting).get_secret_value()}
        return configured | self.connectors.keys()

    def doors(self) -> Doors:
        """What connectors are built with."""
        services, notes = lambda: self._service_names, self.incidents.book.goes_on_at
        return Doors(self.settings, self.dispatch, self.registry, self.gate, self.words, services, notes)

    async def run(self) -> None:
        """Every connector and its outbox until cancelled; one that dies is started again and touches no other."""
        with _only_one(self.settings.vcc_home / "run.lock"):
            async with asyncio.TaskGroup() as group:
                for name, connector in self.connectors.items():
                    group.create_task(supervise(f"{name} connector", connector.run))
                    group.create_task(supervise(f"{name} outbox", self._outboxes[name].run))
                group.create_task(supervise("tending", self.tending.run))
                group.create_task(supervise("names of services", self._know_services))
                group.create_task(supervise("error index", self.errors.run))
                group.create_task(supervise("sampling", self.sampler.run))
                group.create_task(supervise("schedules", self.scheduler.run))
                group.create_task(supervise("incidents", self.incidents.watch.run))

    def wake(self) -> None:
        """There may be something to send."""
        for each in self._outboxes.values():
            each.wake()

    def routes(self) -> list[web.RouteDef]:
        """What the connectors listen to over HTTP."""
        return [route for connector in self.connectors.values() for route in connector.routes()]

    def health(self) -> Mapping[str, bool]:
        """Whether each connector hears people now."""
        return {name: connector.healthy() for name, connector in self.connectors.items()}

    async def _know_services(self) -> None:
        """The names of the services, refreshed for autocomplete."""
        while True:
            self._service_names = await self._names()
            await asyncio.sleep(_NAMES_EVERY)

    async def _names(self) -> tuple[str, ...]:
        services = await asyncio.gather(self.ops.containers.services(), return_exceptions=True)
        found = services[0]
        return self._service_names if isinstance(found, BaseException) else tuple(sorted({each.name for each in found}))

    def _clean(self, reply: Reply) -> Reply:
        return redacted(reply, self.redactor)

    async def _revise(self, reference: str, reply: Reply) -> None:
        await self.audit.revise(reference, self._clean(reply))
        self.wake()

    async def _post(self, invocation: Invocation, reply: Reply) -> None:
        reply = self._clean(reply)
        if invocation.place.platform == "local":
            self.say_at_terminal(reply)
        else:
            await self.audit.post(invocation, reply)
            self.wake()

    def _context(self, invocation: Invocation, person: Person, say: Callable[[Progress], None]) -> Context:
        services = Services(
            audit=self.audit,
            tickets=self.approvals,
            catalogue=self.registry,
            gate=self.gate,
            inspector=self.inspector,
            errors=self.errors,
            history=self.history,
            run_held=self.dispatch.run_held,
            ask=self.dispatch.ask,
            redactor=self.redactor,
            attach=self.attachments.attach,
            pictures=self.pictures,
            promise=self.audit.promise,
            timed=self.audit,
            post=self._post,
            revise=self._revise,
            checklists=self.checklists,
            alerts=self.alerts,
            incidents=self.incidents.book,
            requests=self.audit,
            schedules=self.scheduler,
            outbox_state=lambda: outbox.state(self.store),
        )
        return Context(invocation, person, self.words, self.settings, self.ops, services, say, self.clock)


def _say_nothing(reply: Reply) -> None:
    return None


class _only_one:
    """Two bots on one state directory would both answer; the second one is refused."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        try:
            self._file = self._path.open("w")
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise CannotStart("config.second_bot", path=self._path.parent) from error
        except OSError as error:
            raise RecordUnwritable(str(error)) from error

    def __exit__(self, *error: object) -> None:
        self._file.close()
