"""How an incident looks: its announcement, the overview in its room, and what is said there by the way. Asks nothing, knows no store."""

from __future__ import annotations

from collections.abc import Callable

from bot.figures import Figures
from bot.incidents import Incident, Room, RoomState, Step, StepState
from bot.model import Button, Reply, Tone
from bot.runbooks import filled
from bot.words import Words

_SIGNS = {StepState.DONE: "✔", StepState.SKIPPED: "–", StepState.OPEN: "☐"}
_NEXT = "▶"


class IncidentPage:
    """Says it in ``words``; offers only lines that ``knows`` finds a command for."""

    def __init__(self, words: Words, zone: str, clock: Callable[[], float], knows: Callable[[str], bool]) -> None:
        self._words = words
        self._figures = Figures(words.language, zone)
        self._clock = clock
        self._knows = knows

    def title(self, incident: Incident) -> str:
        """Number, kind and what is wrong, on one line."""
        kind = incident.runbook.title.of(self._words.language)
        return self._words("incident.title", number=incident.number, kind=kind, title=incident.title)

    def announcement(self, incident: Incident) -> Reply:
        """What stands in the channel of incidents: enough to know whether one has to go and look."""
        words = self._words
        buttons = [Button(words("incident.button.status"), f"incident status {incident.number}")]
        if not incident.is_open:
            buttons.append(Button(words("incident.button.report"), f"incident report {incident.number}"))
        return Reply(
            title=self.title(incident),
            text=self._state(incident),
            tone=Tone.BAD if incident.is_open else Tone.GOOD,
            fields=self._fields(incident),
            buttons=tuple(buttons),
            data={"incident": incident.number},
        )

    def _state(self, incident: Incident) -> str:
        words = self._words
        if not incident.is_open:
            said = words("incident.is_over", person=incident.resolved_by, lasted=self._figures.duration(incident.lasts(self._clock())))
            return "\n".join(part for part in (said, incident.summary) if part)
        following = incident.open_steps[:1]
        if not following:
            return words("incident.all_steps")
        return words("incident.next", step=self.named(following[0]))

    def _fields(self, incident: Incident) -> tuple[tuple[str, str], ...]:
        words = self._words
        taken = len(incident.steps) - len(incident.open_steps)
        fields = [
            (words("incident.field.lead"), incident.lead),
            (words("incident.field.since"), self._figures.moment(incident.opened_at)),
            (words("incident.field.steps"), f"{taken}/{len(incident.steps)}"),
        ]
        if incident.service:
            fields.append((words("incident.field.service"), incident.service))
        if incident.alerts:
            fields.append((words("incident.field.alerts"), " ".join(f"#{number}" for number in incident.alerts)))
        rooms = [room for room in incident.rooms if room.state is not RoomState.WANTED]
        if rooms:
            fields.append((words("incident.field.rooms"), " · ".join(self._room(room) for room in rooms)))
        return tuple(fields)

    def _room(self, room: Room) -> str:
        platform = self._words(f"incident.platform.{room.platform}")
        where = f"#{room.name}" if room.state is RoomState.CHANNEL else self._words("incident.thread")
        return f"{platform} {where}"

    def named(self, step: Step) -> str:
        """``2. Collect logs``."""
        return f"{step.number}. {step.text.title.of(self._words.language)}"

    def overview(self, incident: Incident) -> Reply:
        """The runbook as it stands, with what to do next and buttons for it."""
        following = incident.open_steps[0].number if incident.open_steps and incident.is_open else 0
        lines = [self._line(step, following=step.number == following) for step in incident.steps]
        return Reply(
            title=self.title(incident),
            text="\n".join([self._state(incident), "", *lines]) if not incident.is_open else "\n".join(lines),
            tone=Tone.WARN if incident.is_open else Tone.GOOD,
            fields=self._fields(incident),
            buttons=self.buttons(incident),
            footer=self._words("incident.how" if incident.is_open else "incident.how_after"),
            data=self.raw(incident),
        )

    def _line(self, step: Step, *, following: bool) -> str:
        sign = _NEXT if following else _SIGNS[step.state]
        said = f"{sign} {self.named(step)}"
        if step.state is not StepState.OPEN:
            who = self._words("incident.by", person=step.person, at=self._figures.moment(step.at))
            return " — ".join(part for part in (said, who, step.note) if part)
        return f"{said} — {step.text.text.of(self._words.language)}" if following else said

    def buttons(self, incident: Incident) -> tuple[Button, ...]:
        """For the next step: what is offered, and that it is done or not needed; after the last, the end."""
        number, words = incident.number, self._words
        if not incident.is_open:
            return (Button(words("incident.button.report"), f"incident report {number}"),)
        if not incident.open_steps:
            return (Button(words("incident.button.resolve"), f"incident resolve --incident {number}", "primary"),)
        step = incident.open_steps[0]
        return (
            Button(words("incident.button.done", number=step.number), f"incident step {step.number} done --incident {number}", "primary"),
            *(Button(line[:75], line) for line in self.offered(incident, step)),
            Button(words("incident.button.skip", number=step.number), f"incident step {step.number} skip --incident {number}"),
        )

    def offered(self, incident: Incident, step: Step) -> tuple[str, ...]:
        """The lines of a step, with the incident's own values, as far as there are commands for them."""
        lines = (filled(line, incident.number, incident.service) for line in step.text.lines)
        return tuple(dict.fromkeys(line for line in lines if line and self._knows(line)))

    def reminder(self, incident: Incident, step: Step) -> Reply:
        """A step that waits too long."""
        waited = self._figures.duration(self._clock() - waits_since(incident, step))
        return Reply(
            title=self._words("incident.remind", step=self.named(step), waited=waited),
            text="\n".join((step.text.text.of(self._words.language), self._words("incident.remind_lead", lead=incident.lead))),
            tone=Tone.WARN,
            buttons=self.buttons(incident),
            data={"incident": incident.number, "step": step.number},
        )

    def raw(self, incident: Incident) -> dict[str, object]:
        """The same as figures, for ``--json``."""
        return {
            "number": incident.number,
            "kind": incident.kind,
            "title": incident.title,
            "service": incident.service,
            "state": "open" if incident.is_open else "resolved",
            "lead": incident.lead,
            "opened_at": incident.opened_at,
            "opened_by": incident.opened_by,
            "resolved_at": incident.resolved_at or None,
            "lasted_seconds": incident.lasts(self._clock()),
            "summary": incident.summary,
            "alerts": list(incident.alerts),
            "steps": [
                {"number": step.number, "id": step.text.id, "state": step.state, "person": step.person, "at": step.at or None}
                for step in incident.steps
            ],
            "rooms": [{"platform": room.platform, "state": room.state, "name": room.name} for room in incident.rooms],
            "actions": [{"text": action.text, "owner": action.owner, "at": action.at} for action in incident.actions],
        }


def waits_since(incident: Incident, step: Step) -> float:
    """When a step became the next one: when the one before it was taken, or the incident began."""
    taken = [each.at for each in incident.steps if each.number < step.number and each.state is not StepState.OPEN]
    return max([incident.opened_at, *taken])
