"""Reads the command line, and nothing more; each word's work is imported only when it is asked for."""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import signal
import sys
from collections.abc import Callable, Sequence


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="vcc", description="Chat-ops for VCC Manager, in Slack, Discord and the terminal.")
    words = parser.add_subparsers(dest="word", required=True, metavar="COMMAND")
    words.add_parser("run", help="the bot: every connector whose settings are present")
    sandbox = words.add_parser("sandbox", help="an embedded VCC deployment, the bot and a terminal")
    sandbox.add_argument("action", nargs="?", choices=["stop"], help="stop a sandbox that runs in the background")
    sandbox.add_argument("--detach", action="store_true", help="the deployment alone, in the background; writes $VCC_HOME/sandbox.env")
    do = words.add_parser("do", help="one command line, as any other door takes it")
    do.add_argument("line", help='such as "status" or "restart backend"')
    do.add_argument("--as", dest="account", default="", metavar="local:NAME", help="speak as this person")
    do.add_argument("--json", action="store_true", help="print one JSON object")
    console = words.add_parser("console", help="a prompt")
    console.add_argument("--as", dest="account", default="", metavar="local:NAME", help="speak as this person")
    words.add_parser("check", help="what is misconfigured, with the fix; exit 0 only if all is well")
    commands = words.add_parser("commands", help="the catalogue of commands")
    commands.add_argument("--json", action="store_true", help="print JSON")
    manifest = words.add_parser("manifest", help="the app manifest of a platform, generated from the catalogue")
    manifest.add_argument("platform", choices=["slack"])
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; its exit code."""
    options = _parser().parse_args(arguments)
    return int(_loaded()(options))


def _loaded() -> Callable[[argparse.Namespace], int]:
    """The rest of the program, only now: ``--help`` must not wait for the libraries of every platform.

    What comes with it stays for good: to look through that for garbage, again and again, would be a fifth of the start.
    """
    gc.disable()
    try:
        work: Callable[[argparse.Namespace], int] = importlib.import_module("bot.cli").main
        gc.freeze()
    finally:
        gc.enable()
    return work


def program() -> None:
    """The installed ``vcc``: ends at once, without waiting for threads that an outside system keeps hanging."""
    try:
        code = main()
        sys.stdout.flush()
    except BrokenPipeError:  # who read has heard enough, as ``head`` does
        code = 128 + signal.SIGPIPE
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    program()
