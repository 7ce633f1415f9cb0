"""The table of Web API methods: what runs, the scope it needs, and which token opens it.

The walk of one call is here; HTTP is not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.platforms.slack import methods_channels as channels
from tests.platforms.slack import methods_chat as chat
from tests.platforms.slack import methods_files as files
from tests.platforms.slack import methods_people as people
from tests.platforms.slack.site import Site
from tests.platforms.slack.wire import ApiError, Args


@dataclass(frozen=True)
class Method:
    """One Web API method. ``scopes`` are alternatives: holding any one is enough."""

    run: Callable[[Site, Args], dict[str, Any]]
    scopes: tuple[str, ...] = ()
    app_token: bool = False


READ = ("channels:read", "groups:read", "im:read", "mpim:read")
HISTORY = ("channels:history", "groups:history", "im:history")
MANAGE = ("channels:manage", "groups:write")

METHODS: dict[str, Method] = {
    "api.test": Method(people.api_test),
    "auth.test": Method(people.auth_test),
    "apps.connections.open": Method(people.connections_open, app_token=True),
    "bookmarks.add": Method(channels.add_bookmark, ("bookmarks:write",)),
    "chat.delete": Method(chat.delete, ("chat:write",)),
    "chat.postEphemeral": Method(chat.post_ephemeral, ("chat:write",)),
    "chat.postMessage": Method(chat.post_message, ("chat:write",)),
    "chat.update": Method(chat.update, ("chat:write",)),
    "conversations.archive": Method(channels.archive, MANAGE),
    "conversations.create": Method(channels.create, MANAGE),
    "conversations.history": Method(channels.history, HISTORY),
    "conversations.info": Method(channels.info, READ),
    "conversations.invite": Method(channels.invite, MANAGE),
    "conversations.list": Method(channels.listing, READ),
    "conversations.members": Method(channels.members, READ),
    "conversations.open": Method(channels.open_direct, ("im:write",)),
    "conversations.replies": Method(channels.replies, HISTORY),
    "conversations.setTopic": Method(channels.set_topic, MANAGE),
    "files.completeUploadExternal": Method(files.complete, ("files:write",)),
    "files.getUploadURLExternal": Method(files.upload_url, ("files:write",)),
    "pins.add": Method(channels.add_pin, ("pins:write",)),
    "reactions.add": Method(channels.add_reaction, ("reactions:write",)),
    "team.info": Method(people.team_info, ("team:read",)),
    "usergroups.list": Method(people.group_list, ("usergroups:read",)),
    "usergroups.users.list": Method(people.group_users, ("usergroups:read",)),
    "users.info": Method(people.user_info, ("users:read",)),
    "users.list": Method(people.user_list, ("users:read",)),
    "views.open": Method(people.open_view),
}


def run(site: Site, name: str, args: Args) -> dict[str, Any]:
    """One call: known, allowed, counted, done. ApiError and RateLimited are its other ends."""
    method = METHODS.get(name)
    if method is None:
        raise ApiError("unknown_method", req_method=name)
    if name != "api.test":
        _authorize(site, method, args.token)
    site.limits.take(name)
    return method.run(site, args)


def _authorize(site: Site, method: Method, token: str) -> None:
    if not token:
        raise ApiError("not_authed")
    if token not in (site.bot_token, site.app_token):
        raise ApiError("invalid_auth")
    if site.token_error:
        raise ApiError(site.token_error)
    if (token == site.app_token) != method.app_token:
        raise ApiError("not_allowed_token_type")
    if method.scopes and not site.scopes.intersection(method.scopes):
        raise ApiError("missing_scope", needed=method.scopes[0], provided=",".join(sorted(site.scopes)))
