"""What each word of the command line does. Opens the app for as long as it is needed; knows no command by name."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable

from bot import config, sandbox_cli
from bot.config import Settings
from bot.connectors import console, slack_manifest
from bot.errors import CannotStart, Misconfigured, RecordUnwritable
from bot.lifetime import opened, run_bot
from bot.model import Account
from bot.permissions import system_account
from bot.registry import Registry, discover
from bot.words import Words

USAGE, FAILED = 2, 1


def main(options: argparse.Namespace) -> int:
    """Do what the command line says; the exit code."""
    words = Words(config.language())
    try:
        return _WORDS[options.word](options, config.read())
    except (Misconfigured, CannotStart) as error:
        sys.stderr.write(words(error.key, **error.values) + "\n")
        return USAGE
    except RecordUnwritable as error:
        sys.stderr.write(f"{words(error.key)} ({error.detail})\n")
        return FAILED
    except KeyboardInterrupt:
        return 130


def _account(text: str) -> Account:
    if not text:
        return system_account()
    platform, separator, name = text.partition(":")
    account = Account(platform, name) if separator else Account("local", text)
    if account.platform != "local" or not account.id:
        raise CannotStart("config.terminal_account")
    return account


def _do(options: argparse.Namespace, settings: Settings) -> int:
    async def work() -> int:
        async with opened(settings, quiet=True) as app:
            if not options.json:  # one object is promised there
                app.say_at_terminal = console.say
            reply = await console.ask(app.dispatch, app.words, options.line, _account(options.account))
            code = console.print_reply(reply, as_json=options.json)
            await app.tending.keep_promises()
            return code

    return asyncio.run(work())


def _console(options: argparse.Namespace, settings: Settings) -> int:
    async def work() -> int:
        async with opened(settings, quiet=True) as app:
            app.say_at_terminal = console.say
            await app.tending.keep_promises()
            await console.converse(app.dispatch, app.words, _account(options.account))
            return 0

    return asyncio.run(work())


def _check(options: argparse.Namespace, settings: Settings) -> int:
    async def work() -> int:
        async with opened(settings, quiet=True) as app:
            app.connect()
            findings = await app.inspector.faults(app.words)
            for finding in findings:
                sign = {"ok": "✔", "warn": "!", "bad": "✘"}[finding.state]
                sys.stdout.write(f"{sign} {finding.part}: {app.redactor.text(finding.text)}\n")
                if finding.fix:
                    sys.stdout.write(f"    → {app.redactor.text(finding.fix)}\n")
            return FAILED if any(finding.state == "bad" for finding in findings) else 0

    return asyncio.run(work())


def _commands(options: argparse.Namespace, settings: Settings) -> int:
    listing = Registry(discover()).listing(settings.vcc_lang)
    if options.json:
        sys.stdout.write(json.dumps(listing, ensure_ascii=False, indent=2) + "\n")
    else:
        for command in listing:
            sys.stdout.write(f"{command['path']:<20} {command['risk']:<7} {command['summary']}\n")
    return 0


def _run(options: argparse.Namespace, settings: Settings) -> int:
    return asyncio.run(run_bot(settings))


def _manifest(options: argparse.Namespace, settings: Settings) -> int:
    listing = Registry(discover()).listing(settings.vcc_lang)
    sys.stdout.write(json.dumps(slack_manifest.manifest(listing, settings), ensure_ascii=False, indent=2) + "\n")
    return 0


_WORDS: dict[str, Callable[[argparse.Namespace, Settings], int]] = {
    "run": _run,
    "sandbox": sandbox_cli.sandbox,
    "do": _do,
    "console": _console,
    "check": _check,
    "commands": _commands,
    "manifest": _manifest,
}
