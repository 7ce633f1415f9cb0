"""The HTTP face of the fake: the Web API, uploads, response_urls and the Socket Mode address, with the faults in front.

Knows how answers look on the wire, and no method.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.platforms.slack import methods
from tests.platforms.slack.faults import Fault
from tests.platforms.slack.methods_files import receive
from tests.platforms.slack.response_urls import ResponseUrls
from tests.platforms.slack.site import Site
from tests.platforms.slack.sockets import SocketHub
from tests.platforms.slack.wire import ApiCall, ApiError, RateLimited, read_args


class Server:
    """One aiohttp server on a free loopback port."""

    def __init__(self, site: Site, hub: SocketHub, response_urls: ResponseUrls) -> None:
        self._site = site
        self._response_urls = response_urls
        application = web.Application(client_max_size=64 * 1024 * 1024)
        application.router.add_route("*", "/api/{method}", self._api)
        application.router.add_post("/upload/v1/{file}", self._upload)
        application.router.add_post("/response/{url}", self._response)
        application.router.add_get("/link/", hub.handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.2)

    async def start(self) -> int:
        """Listen; the port."""
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._site.port).start()
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop listening and close every connection."""
        await self._runner.cleanup()

    async def _api(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        call = ApiCall(name, {}, "", self._site.clock.now())
        self._site.calls.append(call)

        async def work() -> web.Response:
            return await self._call(request, call)

        return await self._with_faults(request, call, work)

    async def _call(self, request: web.Request, call: ApiCall) -> web.Response:
        try:
            args = await read_args(request)
            call.args, call.token = args.values, args.token
            answer = methods.run(self._site, call.method, args)
        except ApiError as refused:
            answer = {"ok": False, "error": refused.error} | refused.extra
        except RateLimited as limited:
            return self._limited(call, limited.retry_after)
        call.status, call.error, call.answer = 200, str(answer.get("error", "")), answer
        scopes = {"x-oauth-scopes": ",".join(sorted(self._site.scopes)), "x-slack-req-id": "fake"}
        return web.json_response(answer, headers=scopes if call.token == self._site.bot_token else {})

    def _limited(self, call: ApiCall, retry_after: int) -> web.Response:
        call.status, call.error = 429, "ratelimited"
        return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": str(retry_after)})

    async def _with_faults(self, request: web.Request, call: ApiCall, work: Callable[[], Awaitable[web.Response]]) -> web.StreamResponse:
        fault = self._site.faults.take(call.method)
        if fault is None:
            return await work()
        if fault.after:
            await work()
        else:
            await self._note_args(request, call)
        return await self._broken(request, call, fault)

    async def _note_args(self, request: web.Request, call: ApiCall) -> None:
        try:
            args = await read_args(request)
            call.args, call.token = args.values, args.token
        except ApiError:
            call.args = {}

    async def _broken(self, request: web.Request, call: ApiCall, fault: Fault) -> web.Response:
        if fault.what == "hang":
            await self._site.faults.hang()
        if fault.what in ("hang", "drop"):
            call.status, call.error = 0, str(fault.what)
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        status = int(fault.what)
        if status == 429:
            return self._limited(call, fault.retry_after)
        call.status, call.error = status, fault.error
        if fault.error:
            return web.json_response({"ok": False, "error": fault.error}, status=status)
        return web.Response(status=status, text="upstream error", content_type="text/html")

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        call = ApiCall("upload", {"file": request.match_info["file"]}, "", self._site.clock.now())
        self._site.calls.append(call)

        async def work() -> web.Response:
            content = await _uploaded(request)
            call.status = receive(self._site, request.match_info["file"], content)
            return web.Response(status=call.status, text=f"OK - {len(content)}" if call.status == 200 else "upload refused")

        return await self._with_faults(request, call, work)

    async def _response(self, request: web.Request) -> web.StreamResponse:
        call = ApiCall("response_url", {}, "", self._site.clock.now())
        self._site.calls.append(call)

        async def work() -> web.Response:
            return await self._respond(request, call)

        return await self._with_faults(request, call, work)

    async def _respond(self, request: web.Request, call: ApiCall) -> web.Response:
        try:
            body: dict[str, Any] = dict((await read_args(request)).values)
            call.args = body
            self._response_urls.post(request.match_info["url"], body)
        except ApiError as refused:
            gone = refused.error in ("expired_url", "used_url")
            call.status, call.error = (404 if gone else 400), refused.error
            return web.json_response({"ok": False, "error": refused.error} | refused.extra, status=call.status)
        call.status = 200
        return web.Response(text="ok")


async def _uploaded(request: web.Request) -> bytes:
    """The bytes: the body as it is, or the one file of a form."""
    if not request.content_type.startswith("multipart/"):
        return await request.read()
    for value in (await request.post()).values():
        if isinstance(value, web.FileField):
            return value.file.read()
    return b""
