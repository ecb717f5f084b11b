# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m confiner_server.weights.fetcher`: downloads one chain's weights, in a process that the listener starts.

It writes a line of JSON for every report, and ends when it is done, killed, or its standard input does: then the
listener is gone. What has come by then is kept.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import os
import sys
import threading
from pathlib import Path
from typing import Any

from confiner.chains import find_chain, read_chains

from ..problems import problem_for


def main() -> int:
    parser = argparse.ArgumentParser(prog="confiner_server.weights.fetcher", description=__doc__)
    parser.add_argument("chain")
    parser.add_argument("--chains", type=Path)
    parser.add_argument("--accepted", action="append", default=[])
    parser.add_argument("--pickled", action="append", default=[])
    parser.add_argument("--control-steps", type=int)
    args = parser.parse_args()
    threading.Thread(target=_end_with_the_listener, daemon=True).start()
    try:
        from confiner.hub.download import download

        spec = find_chain(read_chains(args.chains), args.chain).for_control_steps(args.control_steps)
        for progress in download(spec, accepted=args.accepted, named=args.pickled):
            _tell(dataclasses.asdict(progress))
    except Exception as error:  # the one catch of this process: whatever it is, the panel shall say it
        logging.exception("the weights of %s could not be downloaded", args.chain)
        _tell({"problem": dataclasses.asdict(problem_for(error))})
        return 1
    return 0


def _tell(values: dict[str, Any]) -> None:
    print(json.dumps(values), flush=True)


def _end_with_the_listener() -> None:
    while os.read(0, 1):  # not `sys.stdin`, whose lock Python wants for itself when it ends
        pass
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
