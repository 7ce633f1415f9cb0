"""The people of the workspace: what they type, press, submit and say reaches the app and is watched until acknowledged.

Knows both transports; nothing of the Web API.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from tests.platforms.slack import payloads
from tests.platforms.slack.deliveries import ACK_SECONDS, EVENTS, INTERACTIVE, SLASH, Delivery, fail, take_ack
from tests.platforms.slack.response_urls import ResponseUrls
from tests.platforms.slack.signed import Sender
from tests.platforms.slack.site import Site
from tests.platforms.slack.sockets import SocketHub
from tests.platforms.slack.world import Message

RETRY_DELAYS = (0.0, 60.0, 300.0)


class People:
    """Everything a person can do to the app; each returns the Delivery to watch, as soon as it is on its way."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.hub = SocketHub(site, self._on_ack)
        self.response_urls = ResponseUrls(site)
        self.deliveries: dict[str, Delivery] = {}
        self.events_url = ""
        self._sender: Sender | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def slash(
        self, user: str, channel: str, command: str = "/vcc", text: str = "", *, transport: str = "socket", signature: str = "good"
    ) -> Delivery:
        """Type a slash command."""
        place = self.site.world.channels[channel]
        payload = payloads.slash(self.site.world.users[user], place, command, text)
        return await self._interact(self._delivery(SLASH, payload, transport, signature), user, channel)

    async def press(
        self, user: str, message: Message | str, button: int | str = 0, *, transport: str = "socket", signature: str = "good"
    ) -> Delivery:
        """Press a button of a message (or its ts): by place, action_id, value or label."""
        shown = message if isinstance(message, Message) else self._by_ts(message)
        if shown.deleted or shown.ephemeral_to not in ("", user):
            raise LookupError(f"{user} does not see this message")
        place = self.site.world.channels[shown.channel]
        payload = payloads.block_action(self.site.world.users[user], place, shown, shown.button(button))
        delivery = self._delivery(INTERACTIVE, payload, transport, signature)
        delivery.original = shown
        return await self._interact(delivery, user, shown.channel)

    async def submit(self, user: str, view_id: str, values: dict[str, Any], *, transport: str = "socket") -> Delivery:
        """Send an open modal."""
        payload = payloads.view_submission(self.site.world.users[user], self.site.views[view_id], values)
        delivery = self._delivery(INTERACTIVE, payload, transport, "good")
        payload["trigger_id"] = self.site.new_trigger()
        await self._start(delivery)
        return delivery

    async def say(self, user: str, channel: str, text: str, *, thread_ts: str = "", transport: str = "socket") -> Delivery:
        """Write a message; the app hears of it as an app_mention or a message event."""
        message = self.site.post(Message("", channel, user, text, thread_ts=thread_ts))
        return await self.event(payloads.message_event(message, self.site.world.channels[channel]), transport=transport)

    async def pin(self, user: str, message: Message, *, transport: str = "socket") -> Delivery:
        """Pin a message; the app hears of it as a pin_added event."""
        channel = self.site.world.channels[message.channel]
        channel.pins.append(message.ts)
        return await self.event(payloads.pin_event(user, message, self.site.world.next_ts()), transport=transport)

    async def event(self, inner: dict[str, Any], *, transport: str = "socket", signature: str = "good") -> Delivery:
        """Send any event; unacknowledged it comes again at once, after 1 and after 5 minutes."""
        payload = payloads.event(inner, self.site.clock.wall())
        delivery = self._delivery(EVENTS, payload, transport, signature)
        self._spawn(self._event_attempts(delivery))
        await asyncio.sleep(0)
        return delivery

    async def redeliver(self, delivery: Delivery, *, connection: int | None = None, attempt: int = 1, reason: str = "timeout") -> None:
        """The same delivery once more (same envelope_id, same event_id), to any connection or the one told."""
        await self._send(delivery, attempt, reason, connection)

    def _delivery(self, kind: str, payload: dict[str, Any], transport: str, signature: str) -> Delivery:
        delivery = Delivery(kind, payload, self.site.clock.now(), transport, signature)
        self.deliveries[delivery.envelope_id] = delivery
        return delivery

    def _by_ts(self, ts: str) -> Message:
        return next(message for message in self.site.world.messages if message.ts == ts)

    async def _interact(self, delivery: Delivery, user: str, channel: str) -> Delivery:
        url, delivery.where = self.response_urls.new(user, channel, delivery.original)
        delivery.payload |= {"response_url": url, "trigger_id": self.site.new_trigger()}
        await self._start(delivery)
        return delivery

    async def _start(self, delivery: Delivery) -> None:
        if delivery.transport == "socket":
            await self._send(delivery)
            if not delivery.connections:
                fail(self.site, delivery, "dispatch_failed")
                return
        else:
            self._spawn(self._send(delivery))
        self._spawn(self._watch(delivery))

    async def _watch(self, delivery: Delivery) -> None:
        if not await self._acked_by(delivery, delivery.sent_at + ACK_SECONDS) and not delivery.error:
            fail(self.site, delivery, "operation_timeout")

    async def _event_attempts(self, delivery: Delivery) -> None:
        for attempt in range(len(RETRY_DELAYS) + 1):
            if attempt:
                await self.site.clock.wait_until(self.site.clock.now() + RETRY_DELAYS[attempt - 1])
            sent = self.site.clock.now()
            if delivery.transport == "socket":
                await self._send(delivery, attempt, "timeout" if attempt else "")
            else:
                self._spawn(self._send(delivery, attempt, "http_error" if any(delivery.statuses) else "http_timeout"))
            if await self._acked_by(delivery, sent + ACK_SECONDS) or delivery.retries_stopped:
                return

    async def _acked_by(self, delivery: Delivery, moment: float) -> bool:
        """Wait for the ack or for the moment. Time skipped while an ack is on its way still counts against it."""
        arrival = asyncio.create_task(delivery.arrived.wait())
        deadline = asyncio.create_task(self.site.clock.wait_until(moment))
        try:
            await asyncio.wait({arrival, deadline}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            arrival.cancel()
            deadline.cancel()
        return bool(delivery.acks)

    async def _send(self, delivery: Delivery, attempt: int = 0, reason: str = "", connection: int | None = None) -> None:
        if delivery.transport == "socket":
            number = await self.hub.send(delivery.envelope(attempt, reason), connection)
            if number is not None:
                delivery.connections.append(number)
            return
        status, answer = await self.sender.send(self.events_url, delivery, attempt, reason)
        delivery.statuses.append(status)
        if 200 <= status < 300:
            take_ack(self.site, delivery, answer)
        elif delivery.kind != EVENTS and not delivery.error:
            fail(self.site, delivery, "dispatch_failed")

    def _on_ack(self, envelope_id: str, payload: Any) -> None:
        delivery = self.deliveries.get(envelope_id)
        if delivery is not None:
            take_ack(self.site, delivery, payload)

    @property
    def sender(self) -> Sender:
        """The HTTP side, made when first needed."""
        if self._sender is None:
            self._sender = Sender(self.site.signing_secret)
        return self._sender

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def leave(self) -> None:
        """Nobody does anything any more."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._sender is not None:
            await self._sender.close()
            self._sender = None
