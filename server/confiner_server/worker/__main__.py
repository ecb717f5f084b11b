# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m confiner_server.worker`: started by the listener, which owns the other end of the socket."""

from __future__ import annotations

import argparse
import faulthandler
import logging
from pathlib import Path

from .channel import open_channel
from .loop import Engine, serve_jobs


def main() -> None:
    parser = argparse.ArgumentParser(prog="confiner_server.worker", description=__doc__)
    parser.add_argument("--socket", required=True)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--chains", type=Path)
    args = parser.parse_args()
    faulthandler.enable()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")

    def make_engine() -> Engine:
        from .engine import LibraryEngine

        return LibraryEngine(args.device, args.chains)

    serve_jobs(open_channel(args.socket), make_engine)


main()
