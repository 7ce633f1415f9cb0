"""What is said of alerts, mutes and maintenance windows, in the words and figures of the house. Pure: judges nothing, asks nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bot.alerts import Alert, AlertState, Mute, Severity, Window
from bot.figures import NONE, Figures
from bot.model import Button, Reply, Tone
from bot.words import Words

_TONES = {Severity.CRITICAL: Tone.BAD, Severity.WARNING: Tone.WARN}
_HOUR = 3_600.0
MUTE_FOR = "1h"


class AlertTelling:
    """Says how alerts stand. ``exists`` tells whether there is a command for a line: a button for none is not shown."""

    def __init__(self, words: Words, zone: str, exists: Callable[[str], bool] = bool) -> None:
        self._words = words
        self.figures = Figures(words.language, zone)
        self._exists = exists

    # ------------------------------------------------------------ the message
    def notice(self, alert: Alert, mutes: Sequence[Mute] = (), on_call: str = "") -> Reply:
        """The one message of an alert, as it stands now. ``mutes`` are those that keep it quiet."""
        return Reply(
            title=self._title(alert),
            text="\n".join(part for part in (alert.text, *self._lines(alert, mutes, on_call)) if part),
            tone=Tone.GOOD if not alert.is_open else _TONES[alert.severity],
            buttons=self._buttons(alert, mutes),
            footer=self._footer(alert),
            data={"alert": alert.id, "rule": alert.rule, "subject": alert.subject, "state": alert.state.value},
        )

    def name(self, alert: Alert) -> str:
        """What it is about: ``디스크 사용량 · /data``."""
        if alert.folded:
            return self._words("alerts.folded", title=alert.title, count=self.figures.count(alert.folded))
        return f"{alert.title} · {alert.subject}" if alert.subject else alert.title

    def value(self, alert: Alert) -> str:
        """Its figure; empty for one that has none to show."""
        return "" if alert.folded else self.figure(alert.unit, alert.value)

    def figure(self, unit: str, value: float | None) -> str:
        """A figure in its unit; empty for a state."""
        if value is None or unit == "state":
            return ""
        figures = self.figures
        match unit:
            case "percent":
                return figures.percent(value)
            case "bytes":
                return figures.size(value)
            case "seconds":
                return figures.duration(value)
            case "days":
                return figures.duration(max(0.0, value) * 24 * _HOUR)
            case _:
                return figures.count(round(value))

    def _title(self, alert: Alert) -> str:
        value = self.value(alert)
        about = f"{self.name(alert)} — {value}" if value else self.name(alert)
        if not alert.is_open:
            return self._words("alerts.title_closed", about=self.name(alert), lasted=self._lasted(alert))
        key = "alerts.title_acknowledged" if alert.state is AlertState.ACKNOWLEDGED else "alerts.title_open"
        severity = self._words(f"alerts.severity.{alert.severity.value}")
        return self._words(key, severity=severity, about=about, person=alert.acknowledged_by)

    def _lasted(self, alert: Alert) -> str:
        return self.figures.duration(max(0.0, (alert.closed_at or alert.last_at) - alert.opened_at))

    def _lines(self, alert: Alert, mutes: Sequence[Mute], on_call: str) -> list[str]:
        words, figures = self._words, self.figures
        lines = [self._since(alert)]
        if alert.flapping:
            lines.append(words("alerts.flapping"))
        if alert.acknowledged_by:
            lines.append(words("alerts.acknowledged", person=alert.acknowledged_by, at=figures.moment(alert.acknowledged_at)))
        if alert.incident is not None:
            lines.append(words("alerts.incident", number=alert.incident))
        if alert.is_open:
            lines += [self.muted(mute) for mute in mutes]
            if alert.remedy and alert.remedies >= alert.remedies_most:
                lines.append(words("alerts.remedies_over", line=alert.remedy, count=alert.remedies))
            if on_call and not alert.acknowledged_by:
                lines.append(words("alerts.on_call", person=on_call))
        return lines

    def _since(self, alert: Alert) -> str:
        opened = self.figures.moment(alert.opened_at)
        if alert.is_open:
            return self._words("alerts.since", at=opened)
        return self._words("alerts.from_until", at=opened, until=self.figures.moment(alert.closed_at))

    def _footer(self, alert: Alert) -> str:
        told = self._words("alerts.footer", number=alert.id, rule=alert.rule)
        return f"{told} · {self._words('alerts.repeated', count=alert.count)}" if alert.count else told

    def _buttons(self, alert: Alert, mutes: Sequence[Mute]) -> tuple[Button, ...]:
        if not alert.is_open:
            return ()
        words, buttons = self._words, list[Button]()
        if alert.state is AlertState.OPEN:
            buttons.append(Button(words("alerts.button.ack"), f"alert ack {alert.id}", "primary"))
        if not mutes:
            buttons.append(Button(words("alerts.button.mute"), f"alert mute {alert.id} --for {MUTE_FOR}"))
        else:
            buttons.append(Button(words("alerts.button.unmute"), f"alert unmute {alert.id}"))
        if alert.remedy and alert.remedies < alert.remedies_most:
            buttons.append(Button(alert.remedy, alert.remedy, "danger"))
        if alert.incident is None:
            buttons.append(Button(words("alerts.button.incident"), f"incident open service --alert {alert.id}"))
        return tuple(button for button in buttons if self._exists(button.types))

    # ------------------------------------------------------------ in the thread
    def still(self, alert: Alert, now: float) -> Reply:
        """It goes on; said now and then."""
        title = self._words("alerts.still", about=self.name(alert), lasted=self.figures.duration(max(0.0, now - alert.opened_at)))
        return Reply(self._with_value(title, alert), alert.text, tone=_TONES[alert.severity])

    def recovered(self, alert: Alert, why: str = "recovered") -> Reply:
        """It is over: ``recovered``, ``remedied`` (after its remedy ran), ``gone`` (nothing of that name is left), ``unruled``."""
        title = self._words(f"alerts.closed.{why}", about=self.name(alert), lasted=self._lasted(alert), line=alert.remedy)
        return Reply(title, tone=Tone.GOOD)

    def remedy_ran(self, alert: Alert, person: str) -> Reply:
        """Somebody let the remedy run."""
        values = {"line": alert.remedy, "person": person or NONE, "count": alert.remedies, "most": alert.remedies_most}
        return Reply(self._words("alerts.remedy_ran", **values))

    def remedy_failed(self, alert: Alert) -> Reply:
        """It goes on after the remedy."""
        left = alert.remedies_most - alert.remedies
        key = "alerts.remedy_failed" if left > 0 else "alerts.remedy_failed_last"
        title = self._words(key, line=alert.remedy, count=alert.remedies, left=left)
        return Reply(self._with_value(title, alert), alert.text, tone=_TONES[alert.severity])

    def _with_value(self, title: str, alert: Alert) -> str:
        value = self.value(alert)
        return f"{title} — {value}" if value else title

    # ------------------------------------------------------------ mutes
    def scope(self, mute: Mute) -> str:
        """What a mute keeps quiet."""
        return f"{mute.rule} · {mute.subject}" if mute.subject else self._words("alerts.all_of_rule", rule=mute.rule)

    def muted(self, mute: Mute) -> str:
        """Who muted what until when."""
        return self._words("alerts.muted", person=mute.person, scope=self.scope(mute), until=self.figures.moment(mute.until))

    def mute_ended(self, mute: Mute, going_on: bool, person: str = "") -> Reply:
        """A mute is over, by itself or by somebody."""
        key = "alerts.unmuted" if person else "alerts.mute_ended"
        over = "alerts.is_over" if mute.alert else "alerts.nothing_on"
        state = self._words("alerts.goes_on" if going_on else over)
        return Reply(self._words(key, scope=self.scope(mute), person=person), state, tone=Tone.WARN if going_on else Tone.NEUTRAL)

    # ------------------------------------------------------------ maintenance
    def service(self, window: Window) -> str:
        """What is worked on."""
        return window.service or self._words("alerts.everything")

    def window(self, window: Window) -> Reply:
        """The message of a maintenance window as it stands."""
        words, figures = self._words, self.figures
        if window.ended_at is not None:
            lasted = figures.duration(max(0.0, window.ended_at - window.begun_at))
            return Reply(words("alerts.window.over", service=self.service(window), lasted=lasted), self._by(window), tone=Tone.GOOD)
        title = words("alerts.window.begun", service=self.service(window), until=figures.moment(window.until))
        button = Button(words("alerts.window.stop"), f"maintenance stop {window.id}")
        text = f"{words('alerts.window.text')}\n{self._by(window)}"
        return Reply(title, text, tone=Tone.WARN, buttons=(button,) if self._exists(button.types) else ())

    def _by(self, window: Window) -> str:
        return self._words("alerts.window.by", person=window.person, at=self.figures.moment(window.begun_at), number=window.id)

    def window_ended(self, window: Window, recorded: int, going_on: int, person: str = "") -> Reply:
        """The end, with how many alerts were recorded in it and how many go on."""
        key = "alerts.window.stopped" if person else "alerts.window.ended"
        title = self._words(key, service=self.service(window), person=person)
        text = self._words("alerts.window.recorded", count=recorded, open=going_on) if recorded else self._words("alerts.window.quiet")
        return Reply(title, text, tone=Tone.WARN if going_on else Tone.GOOD)
