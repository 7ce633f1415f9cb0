"""The Web API's two file steps, and the upload between them.

Knows files and the messages that share them; nothing of HTTP.
"""

from __future__ import annotations

import secrets
from typing import Any

from tests.platforms.slack.site import Site, Upload
from tests.platforms.slack.wire import ApiError, Args
from tests.platforms.slack.world import BOT_USER, Channel, FakeFile, Message

LONGEST_ALT = 1_000


def upload_url(site: Site, args: Args) -> dict[str, Any]:
    """files.getUploadURLExternal"""
    name, length = args.required("filename"), args.number("length", 0)
    if length <= 0:
        raise ApiError("invalid_arguments", response_metadata={"messages": ["[ERROR] length must be more than 0"]})
    if len(args.text("alt_txt")) > LONGEST_ALT:
        raise ApiError("alt_txt_too_large")
    identity = f"F{secrets.token_hex(4).upper()}"
    site.uploads[identity] = Upload(name, length, alt=args.text("alt_txt"))
    return {"ok": True, "upload_url": f"{site.origin}/upload/v1/{identity}", "file_id": identity}


def receive(site: Site, identity: str, content: bytes) -> int:
    """The upload itself; the HTTP status to answer."""
    upload = site.uploads.get(identity)
    if upload is None:
        return 404
    if len(content) != upload.length:
        return 400
    upload.content = content
    return 200


def complete(site: Site, args: Args) -> dict[str, Any]:
    """files.completeUploadExternal: shares what was sent, as one message; without a channel it stays private."""
    wanted = args.structure("files", "invalid_arguments")
    if not isinstance(wanted, list) or not wanted:
        raise ApiError("invalid_arguments")
    targets = [args.text("channel_id")] if args.has("channel_id") else args.items("channels")
    channels = [site.world.writable(target) for target in targets]
    for item in wanted:
        _sent(site, str(item.get("id")))
    thread = args.text("thread_ts")
    for channel in channels:
        if thread and site.world.find(channel.id, thread) is None:
            raise ApiError("invalid_thread_ts")
    for target in channels or (None,):
        _share(site, wanted, target, args)
    shared = [{"id": item["id"], "title": item.get("title") or site.uploads[item["id"]].name} for item in wanted]
    for item in wanted:
        site.uploads.pop(item["id"])
    return {"ok": True, "files": shared}


def _sent(site: Site, identity: str) -> bytes:
    upload = site.uploads.get(identity)
    if upload is None or upload.content is None:
        raise ApiError("file_not_found")
    return upload.content


def _share(site: Site, wanted: list[dict[str, Any]], channel: Channel | None, args: Args) -> None:
    comment, thread, where = args.text("initial_comment"), args.text("thread_ts"), channel.id if channel else ""
    for item in wanted:
        identity = str(item["id"])
        name, alt, content = site.uploads[identity].name, site.uploads[identity].alt, _sent(site, identity)
        key = identity if identity not in site.world.files else f"{identity}-{where}"
        site.world.files[key] = FakeFile(identity, name, content, str(item.get("title") or name), where, thread, comment, alt)
    if channel is not None:
        site.post(Message("", where, BOT_USER, comment, thread_ts=thread, files=[str(item["id"]) for item in wanted]))
