# SPDX-License-Identifier: GPL-3.0-or-later
"""The program's entry: finds the command, and turns what its user can mend into two lines instead of a traceback.

A command is a module of this package with a one-line `HELP`, `add_arguments(parser)` and `run(args) -> int`, the exit
code. It imports what it needs inside `run`, so that one command does not wait for the libraries of another.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence
from types import ModuleType

from confiner_blender import __version__
from confiner_blender.protocol.errors import ProtocolError

from .errors import CommandError

COMMANDS = ("serve", "generate", "chains", "fetch", "convert", "doctor", "status", "evaluate", "bench")
"""In the order in which the help lists them."""

USER_ERROR = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line (`sys.argv` without the program's name if None); return the exit code."""
    # Read when torch is loaded, and handed on to the worker. Threads that spin while they wait for one another made a
    # clip ten times slower on cores that had other work too, such as Blender's: let them sleep.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a console may lack a character; no command shall die of one
            stream.reconfigure(errors="replace")
    words = list(sys.argv[1:] if arguments is None else arguments)
    args = build_parser(words).parse_args(words)
    try:
        return int(args.run(args))
    except KeyboardInterrupt:
        return INTERRUPTED
    except user_errors() as error:
        remedy = getattr(error, "remedy", "")
        print(f"confiner: {error}" + (f"\n  → {remedy}" if remedy else ""), file=sys.stderr)
        return USER_ERROR


def build_parser(words: Sequence[str]) -> argparse.ArgumentParser:
    """The parser for this command line: if it starts with a command, only that command's module is imported."""
    parser = argparse.ArgumentParser(prog="confiner", description="Clips from a chain of diffusion experts.")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    named = words[:1] if words and words[0] in COMMANDS else COMMANDS
    for name in named:
        command = command_module(name)
        subparser = commands.add_parser(name, help=command.HELP, description=command.HELP)
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    return parser


def command_module(name: str) -> ModuleType:
    return importlib.import_module(f"{__package__}.{name}")


def user_errors() -> tuple[type[Exception], ...]:
    """The exceptions whose text is meant for the person at the keyboard; anything else is a defect and shows itself."""
    from confiner.errors import ConfinerError

    return (CommandError, ConfinerError, ProtocolError)
