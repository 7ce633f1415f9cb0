"""The Web API's identity, users, user groups, views and the Socket Mode opening.

Knows no message; nothing of HTTP.
"""

from __future__ import annotations

import secrets
from typing import Any

from tests.platforms.slack.limits import check_view
from tests.platforms.slack.methods_channels import paged
from tests.platforms.slack.site import Site
from tests.platforms.slack.wire import ApiError, Args
from tests.platforms.slack.world import APP, BOT_ID, BOT_USER, TEAM, Group, User


def auth_test(site: Site, args: Args) -> dict[str, Any]:
    """auth.test"""
    identity = {"team": "vcc", "user": "vcc", "team_id": TEAM, "user_id": BOT_USER, "bot_id": BOT_ID, "app_id": APP}
    return {"ok": True, "url": f"{site.origin}/", "is_enterprise_install": False} | identity


def api_test(site: Site, args: Args) -> dict[str, Any]:
    """api.test"""
    if args.has("error"):
        raise ApiError(args.text("error"))
    return {"ok": True, "args": {key: value for key, value in args.values.items() if key != "token"}}


def team_info(site: Site, args: Args) -> dict[str, Any]:
    """team.info"""
    return {"ok": True, "team": {"id": TEAM, "name": "VCC", "domain": "vcc"}}


def connections_open(site: Site, args: Args) -> dict[str, Any]:
    """apps.connections.open"""
    return {"ok": True, "url": site.new_ticket()}


def _user_json(user: User) -> dict[str, Any]:
    profile = {"real_name": user.name, "display_name": user.name}
    known = {"id": user.id, "team_id": TEAM, "name": user.name, "real_name": user.name, "profile": profile}
    return known | {"deleted": user.deleted, "is_bot": user.is_bot, "tz": "Asia/Seoul", "locale": "ko-KR"}


def user_info(site: Site, args: Args) -> dict[str, Any]:
    """users.info"""
    user = site.world.users.get(args.required("user"))
    if user is None:
        raise ApiError("user_not_found")
    return {"ok": True, "user": _user_json(user)}


def user_list(site: Site, args: Args) -> dict[str, Any]:
    """users.list"""
    page, _, cursor = paged(list(site.world.users.values()), args, 1000)
    return {"ok": True, "members": [_user_json(user) for user in page], "response_metadata": {"next_cursor": cursor}}


def _group_json(group: Group, with_users: bool) -> dict[str, Any]:
    known = {"id": group.id, "team_id": TEAM, "name": group.handle, "handle": group.handle, "user_count": len(group.users)}
    return known | {"date_delete": int(group.disabled)} | ({"users": list(group.users)} if with_users else {})


def group_list(site: Site, args: Args) -> dict[str, Any]:
    """usergroups.list"""
    if site.world.plan_upgrade_required:
        raise ApiError("plan_upgrade_required")
    groups = [group for group in site.world.groups.values() if not group.disabled or args.flag("include_disabled")]
    return {"ok": True, "usergroups": [_group_json(group, args.flag("include_users")) for group in groups]}


def group_users(site: Site, args: Args) -> dict[str, Any]:
    """usergroups.users.list"""
    if site.world.plan_upgrade_required:
        raise ApiError("plan_upgrade_required")
    group = site.world.groups.get(args.required("usergroup"))
    if group is None or (group.disabled and not args.flag("include_disabled")):
        raise ApiError("no_such_subteam")
    return {"ok": True, "users": list(group.users)}


def open_view(site: Site, args: Args) -> dict[str, Any]:
    """views.open"""
    view = check_view(args.structure("view", "invalid_arguments"))
    site.spend_trigger(args.required("trigger_id"))
    identity = f"V{secrets.token_hex(4).upper()}"
    site.views[identity] = {**view, "id": identity, "hash": identity, "app_id": APP, "bot_id": BOT_ID, "state": {"values": {}}}
    return {"ok": True, "view": site.views[identity]}
