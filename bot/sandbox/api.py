"""The Docker Engine API as an aiohttp application: every route, and errors in Docker's words."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.sandbox import api_archive, api_containers, api_exec, api_images, api_making, api_streams, api_system
from bot.sandbox.api_common import API_VERSION, ENGINE, DockerError, json_answer
from bot.sandbox.container import NotModified, NotRunning
from bot.sandbox.engine import Engine

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def build_api(engine: Engine) -> web.Application:
    """Every route twice: the command line puts the version in front, a plain client does not."""
    app = web.Application(middlewares=[_docker_errors], client_max_size=256 * 1024 * 1024)
    app[ENGINE] = engine
    for room in (api_system, api_archive, api_containers, api_streams, api_exec, api_images, api_making):
        for method, path, handler in room.ROUTES:
            app.router.add_route(method, path, handler)
            app.router.add_route(method, "/v{version:[0-9.]+}" + path, handler)
    return app


@web.middleware
async def _docker_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        response = await handler(request)
    except ConnectionError:  # the client left in the middle of a stream: nobody is there to be told
        return web.Response(status=499)
    except NotModified:
        return web.Response(status=304)
    except NotRunning as problem:
        return _answer(409, str(problem))
    except DockerError as problem:
        return _answer(problem.status, problem.message)
    except web.HTTPNotFound:
        return _answer(404, "page not found")
    except web.HTTPMethodNotAllowed:
        return _answer(405, "method not allowed")
    if not response.prepared:
        response.headers.setdefault("Api-Version", API_VERSION)
        response.headers.setdefault("Ostype", "linux")
    return response


def _answer(status: int, message: str) -> web.Response:
    response = json_answer({"message": message}, status)
    response.headers.update({"Api-Version": API_VERSION, "Ostype": "linux"})
    return response
