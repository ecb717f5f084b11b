# SPDX-License-Identifier: GPL-3.0-or-later
"""`confiner fetch`: download what a chain lacks into the hub's cache. Interrupted, it goes on where it stopped."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, TextIO

from .chain_file import add_file_argument, read_spec

if TYPE_CHECKING:
    from confiner.hub.download import Progress

HELP = "download the weights of a chain"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("chain", help="the chain, as `confiner chains` lists it")
    add_file_argument(parser)
    parser.add_argument("--accept-licence", action="store_true", help="you have read the licences and accept them")
    parser.add_argument(
        "--pickled", action="append", default=[], metavar="NAME", help="a pickled file that may be read, once"
    )
    parser.add_argument("--control-steps", type=int, metavar="N", help="for this many steps of the control expert")


def run(args: argparse.Namespace) -> int:
    from confiner.chains.repositories import hub_parts
    from confiner.hub.download import download
    from confiner_server.weights.licences import accept_licences, accepted_licences, repositories_of

    spec = read_spec(args.chain, args.chains).for_control_steps(args.control_steps)
    for part in hub_parts(spec):
        state = "here" if part.there else "missing"
        print(f"{state:8} {part.place}  ({part.repository.licence or 'licence: see its page'})")
    accepted = accept_licences(repositories_of(spec)) if args.accept_licence else accepted_licences()
    line = DownloadLine(sys.stderr)
    try:
        for progress in download(spec, accepted=accepted, named=args.pickled):
            line.show(progress)
    finally:
        line.close()
    print(f"the weights of {spec.name} are here" if not spec.missing else spec.missing)
    return 0


class DownloadLine:
    """One line that says how far a download is: redrawn on a terminal, a line for each file anywhere else."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._file: str | None = None

    def show(self, progress: Progress) -> None:
        text = describe(progress)
        if self._live:
            self._stream.write(f"\r\x1b[K{text}")
        elif progress.file != self._file:
            self._stream.write(text + "\n")
        self._file = progress.file
        self._stream.flush()

    def close(self) -> None:
        """Leave the line free for what follows."""
        if self._live:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


def describe(progress: Progress) -> str:
    """Such as "1.2 GB of 4.9 GB  24 %  31.0 MB/s  2 min left  model.safetensors"."""
    from confiner.memory.units import gigabytes

    part = progress.received / progress.total if progress.total else 1.0
    words = [f"{gigabytes(progress.received)} of {gigabytes(progress.total)}", f"{part:.0%}"]
    if progress.speed:
        words.append(f"{progress.speed / 1e6:.1f} MB/s")
    if progress.eta is not None:
        words.append(f"{progress.eta / 60:.0f} min left" if progress.eta >= 90 else f"{progress.eta:.0f} s left")
    return "  ".join([*words, progress.file])
