# SPDX-License-Identifier: GPL-3.0-or-later
"""`confiner serve`: be the sidecar."""

from __future__ import annotations

import argparse
from pathlib import Path

from .errors import CommandError

HELP = "run the sidecar that Blender talks to"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--parent", type=int, metavar="PID", help="end with this process, once no client is attached")
    parser.add_argument("--grace", type=float, default=60.0, metavar="SECONDS", help="stay this long without a client")
    parser.add_argument("--stay", action="store_true", help="stay until told to end")
    parser.add_argument("--device", default="auto", help="what the experts run on: auto, cpu, cuda, cuda:1, mps, …")
    parser.add_argument("--chains", type=Path, metavar="FILE", help="your own chain file, beside the built-in chains")


def run(args: argparse.Namespace) -> int:
    from confiner_server.jobs.journal import JournalUnreadable
    from confiner_server.process.listener import run
    from confiner_server.process.readiness import StartFailed
    from confiner_server.process.settings import Settings

    chains = args.chains.expanduser().resolve() if args.chains else None
    if chains and not chains.is_file():
        raise CommandError(f"no chain file at {chains}, expected a TOML file", "correct --chains, or leave it out")
    settings = Settings(args.grace, args.parent, args.stay, args.device, chains)
    try:
        run(settings)
    except (StartFailed, JournalUnreadable) as error:
        raise CommandError(str(error), error.remedy) from error
    return 0
