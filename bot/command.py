"""What a command is: one declaration, from which parsing, help, rights, approval and every platform's form derive.

A handler's signature is its grammar: positional parameters are words, keyword-only ones are ``--options``.
Knows nothing of who may run it or where it was typed.
"""

from __future__ import annotations

import enum
import inspect
import types
import typing
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal, NewType, TypedDict, Unpack, get_args, get_origin, get_type_hints

from bot.model import Plan, Reply, Risk, Role

ServiceName = NewType("ServiceName", str)
Duration = NewType("Duration", float)
Moment = NewType("Moment", str)
Rest = NewType("Rest", str)

Handler = Callable[..., Awaitable[Reply]]
Planner = Callable[..., Awaitable[Plan]]
Applier = Callable[..., Awaitable[Reply]]

ROLE_OF_RISK = {Risk.READ: Role.VIEWER, Risk.CHANGE: Role.OPERATOR, Risk.RISKY: Role.OPERATOR}


class Kind(enum.StrEnum):
    """The type of a parameter, as people and platforms know it."""

    TEXT = "text"
    INTEGER = "integer"
    FLAG = "flag"
    CHOICE = "choice"
    DURATION = "duration"
    MOMENT = "moment"
    SERVICE = "service"
    REST = "rest"


@dataclass(frozen=True, slots=True)
class Between:
    """Bounds of a number (inclusive), or of a duration in seconds."""

    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Parameter:
    """One word or option of a command."""

    name: str
    kind: Kind
    option: bool
    required: bool
    default: Any = None
    choices: tuple[str, ...] = ()
    bounds: Between | None = None

    @property
    def typed(self) -> str:
        """Its name as people type it; one that Python keeps for itself is declared as ``for_``."""
        return self.name.strip("_").replace("_", "-")


@dataclass(frozen=True, slots=True)
class Command:
    """A declared command. ``run`` for read and change; ``plan`` and ``apply`` for risky. ``timeout`` in seconds.

    ``open_to`` overrides the role that its risk asks for; ``aliases`` are other paths to the same command.
    One that is ``cancellable`` asks ``ctx.cancelled()`` now and then, and ends early when somebody wants it to.
    """

    path: tuple[str, ...]
    risk: Risk
    parameters: tuple[Parameter, ...]
    timeout: float
    examples: tuple[str, ...]
    run: Handler | None = None
    plan: Planner | None = None
    apply: Applier | None = None
    open_to: Role | None = None
    aliases: tuple[tuple[str, ...], ...] = ()
    locks: Callable[..., Sequence[str]] | None = None
    cancellable: bool = False

    @property
    def name(self) -> str:
        """The path as typed."""
        return " ".join(self.path)

    @property
    def key(self) -> str:
        """Where its words stand in the catalogue: ``<key>.summary``, ``<key>.param.<name>``."""
        return ".".join(self.path if len(self.path) > 1 else (self.path[0], self.path[0]))

    @property
    def role(self) -> Role:
        """The least role that may ask for it."""
        return self.open_to if self.open_to is not None else ROLE_OF_RISK[self.risk]


class Rules(TypedDict, total=False):
    """What else may be declared: see ``Command``. ``locks`` gives the targets a command holds, from its arguments."""

    open_to: Role | None
    locks: Callable[..., Sequence[str]] | None
    cancellable: bool


@dataclass(slots=True)
class Group:
    """The commands of one module. ``default`` names the one meant when only the group is typed."""

    name: str
    default: str = ""
    commands: list[Command] = field(default_factory=list)

    def _path(self, name: str) -> tuple[str, ...]:
        return (self.name,) if name == self.name else (self.name, name)

    def command(
        self,
        name: str,
        risk: Risk,
        *,
        timeout: float = 30,
        examples: Sequence[str] = (),
        **rules: Unpack[Rules],
    ) -> Callable[[Handler], Handler]:
        """Declare a read or change command."""

        def declare(handler: Handler) -> Handler:
            command = Command(self._path(name), risk, parameters_of(handler), timeout, tuple(examples), run=handler)
            self.commands.append(replace(command, **rules))
            return handler

        return declare

    def risky(
        self,
        name: str,
        planner: Planner,
        *,
        timeout: float = 600,
        examples: Sequence[str] = (),
        aliases: Sequence[str] = (),
        cancellable: bool = False,
    ) -> Callable[[Applier], Applier]:
        """Declare a risky command: ``planner`` reads and foresees, the decorated function does exactly that."""

        def declare(applier: Applier) -> Applier:
            command = Command(self._path(name), Risk.RISKY, parameters_of(planner), timeout, tuple(examples), plan=planner, apply=applier)
            paths = tuple(tuple(alias.split()) for alias in aliases)
            self.commands.append(replace(command, aliases=paths, cancellable=cancellable))
            return applier

        return declare


_KINDS: dict[Any, Kind] = {
    str: Kind.TEXT,
    int: Kind.INTEGER,
    bool: Kind.FLAG,
    ServiceName: Kind.SERVICE,
    Duration: Kind.DURATION,
    Moment: Kind.MOMENT,
    Rest: Kind.REST,
}


def parameters_of(handler: Callable[..., Any]) -> tuple[Parameter, ...]:
    """The grammar that a handler's signature spells, leaving out its context. TypeError for a type we have no words for."""
    hints = get_type_hints(handler, globalns=_namespace(handler), include_extras=True)
    listed = list(inspect.signature(handler).parameters.values())[1:]
    return tuple(_parameter(each, hints[each.name]) for each in listed)


def _namespace(handler: Callable[..., Any]) -> dict[str, Any]:
    # The context and the reply are named in signatures for the type checker only; they are no words of a line.
    return {**getattr(handler, "__globals__", {}), "Context": object, "Reply": Reply, "Plan": Plan}


def _parameter(each: inspect.Parameter, hint: Any) -> Parameter:
    bounds = None
    if get_origin(hint) is Annotated:
        hint, *extras = get_args(hint)
        bounds = next((extra for extra in extras if isinstance(extra, Between)), None)
    if get_origin(hint) in (typing.Union, types.UnionType):
        (hint,) = (part for part in get_args(hint) if part is not type(None))
    choices: tuple[str, ...] = ()
    if get_origin(hint) is Literal:
        choices, kind = get_args(hint), Kind.CHOICE
    elif hint in _KINDS:
        kind = _KINDS[hint]
    else:
        raise TypeError(f"parameter {each.name!r}: no words for type {hint!r}")
    required = each.default is inspect.Parameter.empty
    return Parameter(
        name=each.name,
        kind=kind,
        option=each.kind is inspect.Parameter.KEYWORD_ONLY,
        required=required,
        default=None if required else each.default,
        choices=choices,
        bounds=bounds,
    )
