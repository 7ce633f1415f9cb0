"""The composition root: the only file that knows every room. Builds them from the settings, starts, supervises and stops them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from aiohttp import web

from bot import alerting, checklist_book, checklists, outbox, platforms, scheduler_data
from bot.alert_book import AlertBook, AlertDesk
from bot.alert_rules import RuleBook
from bot.alert_telling import AlertTelling
from bot.approvals import Approvals
from bot.attachments import Attachments
from bot.audit import Audit
from bot.calling import Calling, Ground
from bot.cards import Cards
from bot.checklist_book import ChecklistBook
from bot.command import Group
from bot.config import Settings
from bot.context import Context
from bot.dispatch import Corridor, Dispatch, redacted
from bot.doors import Connector, Doors
from bot.error_index import ErrorIndex
from bot.errors import VccError
from bot.figures import Figures
from bot.gate import Gate
from bot.history import History
from bot.incident_house import IncidentHouse
from bot.inspector import SetUpInspector
from bot.locks import Locks
from bot.model import Invocation, Person, Progress, Reply
from bot.notices import Notices
from bot.only_one import OnlyOne
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
        self._measure()
        self.connectors: dict[str, Connector] = {}
        self._outboxes: dict[str, Outbox] = {}
        self._service_names: tuple[str, ...] = ()
        self.watching = True  # tests look themselves
        self.say_at_terminal: Callable[[Reply], None] = _say_nothing
        self._schedule_telling = ScheduleTelling(self.words, settings.vcc_tz)
        self.audit = Audit(self.store, self.redactor, self.instance.id, clock, self._schedule_telling)
        self.locks = Locks(self.store, self.instance.id, self.instance.alive, Figures(settings.vcc_lang, settings.vcc_tz), clock)
        self.notices = Notices(self._clean, clock)
        self.alert_desk = self._alert_desk()
        self.alerts = AlertBook(self.alert_desk)
        self._corridor()
        self.scheduler = self._scheduler()
        self.checklists = self._checklists()
        self.calling = self._calling()
        self._watch()
        self.incidents = IncidentHouse(self)

    def _measure(self) -> None:
        """What is measured again and again, and kept."""
        self.history = History(self.store, self.clock)
        self.sampler = Sampler(sources(self.ops), self.history, self.clock)
        secrets = LogText(self.settings.secrets)
        self.errors = ErrorIndex(self.store, self.ops.containers.services, self.ops.logs, secrets, self.clock)

    def _corridor(self) -> None:
        """What every request walks through, and who looks after it."""
        cards = Cards(self.words, self.settings.vcc_tz, self._clean)
        self.approvals = Approvals(self.store, self.audit, self.permissions, cards, self.places.ops, self.clock)
        corridor = Corridor(self.audit, self.gate, self.registry, self.approvals, self.locks, self.redactor, self.words)
        self.dispatch = Dispatch(corridor, self._context, self.wake)
        house = House(self.store, self.audit, self.approvals, self.dispatch, self.attachments, self.instance.alive, self.wake)
        self.tending = Tending(house, self.words, self.clock)

    def _alert_desk(self) -> AlertDesk:
        telling = AlertTelling(self.words, self.settings.vcc_tz, self._exists)
        return AlertDesk(self.store, self.notices, self.places, telling, self.wake, self.clock)

    def _exists(self, typed: str) -> bool:
        return alerting.meaning(self.registry, typed) is not None

    def _watch(self) -> None:
        """Who watches, and who gathers what is around an alert."""
        ground = alerting.Ground(
            self.settings, self.store, self.ops, self.registry, self.history, self.errors, self.pictures, self.redactor, self.words,
            self.health, self.wake, self.clock, self.locks,
        )  # fmt: skip
        file = alerting.rules_file(self.settings)
        self.inspector.watch(file)
        self.rules = RuleBook(file, self.words)
        self.watch = alerting.watch(ground, self.alerts, self.rules)
        self.evidence = alerting.evidence(ground, self.alerts, self.rules)

    def _checklists(self) -> ChecklistBook:
        file = TeamFile(checklist_book.FILE, self.settings.vcc_team_dir, self.settings.vcc_home / "team", checklists.parse)
        self.inspector.watch(file)
        return ChecklistBook(self.store, file, self.words, self.notices, self.clock)

    def _calling(self) -> Calling:
        ground = Ground(
            self.settings, self.store, self.notices, self.places, self.permissions, self.gate, self.words, self.inspector, self.health,
            self.wake, self.clock,
        )  # fmt: skip
        calling = Calling(ground, {"schedules": lambda: self.scheduler.rounded_at, "watching": lambda: self.watch.rounded_at})
        calling.about_alerts(self.alert_desk, self.alerts)
        return calling

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
        await self.calling.book.refresh()
        await self.tending.find_interrupted()

    async def close(self, grace: float = _GRACE) -> None:
        """Let what runs finish for ``grace`` seconds, interrupt the rest, then close everything."""
        await self.dispatch.stop(grace)
        await self.ops.close()
        self.store.close()
        self.instance.end()

    def connect(self) -> None:
        """Take in every platform whose settings are present."""
        for platform in platforms.configured(self.settings):
            self.add(platforms.build(platform, self.doors()))

    def add(self, connector: Connector) -> None:
        """Take a platform in."""
        self.connectors[connector.platform] = connector
        self._outboxes[connector.platform] = Outbox(self.store, connector.platform, connector, self.clock)
        self.gate.register(connector.platform, connector)
        self.inspector.add(connector.platform, connector.check)

    def _speaking(self) -> Collection[str]:
        """The platforms that are, or by their settings will be, connected."""
        return {*platforms.configured(self.settings), *self.connectors}

    def doors(self) -> Doors:
        """What connectors are built with."""
        services, notes = lambda: self._service_names, self.incidents.book.goes_on_at
        return Doors(self.settings, self.dispatch, self.registry, self.gate, self.words, services, notes)

    async def run(self) -> None:
        """Every connector and its outbox until cancelled; one that dies is started again and touches no other."""
        with OnlyOne(self.settings.vcc_home / "run.lock"):
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
                if self.watching:
                    group.create_task(supervise("watching", self.watch.run))
                    group.create_task(supervise("evidence", self.evidence.run))
                    for name, loop in self.calling.loops.items():
                        group.create_task(supervise(name, loop))

    def wake(self) -> None:
        """There may be something to send."""
        for each in self._outboxes.values():
            each.wake()

    def routes(self) -> list[web.RouteDef]:
        """What the connectors listen to over HTTP."""
        return [route for connector in self.connectors.values() for route in connector.routes()]

    def health(self) -> Mapping[str, bool]:
        """Whether each connector hears people now."""
        return {name: connector.healthy() for name, connector in self.connectors.items() if name not in platforms.DEAF}

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
            rules=self.rules,
            requests=self.audit,
            schedules=self.scheduler,
            oncall=self.calling.book,
            outbox_state=lambda: outbox.state(self.store),
        )
        return Context(invocation, person, self.words, self.settings, self.ops, services, say, self.clock)


def _say_nothing(reply: Reply) -> None:
    return None
