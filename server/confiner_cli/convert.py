# SPDX-License-Identifier: GPL-3.0-or-later
"""`confiner convert`: turn pickled weights that a person names into safetensors, once."""

from __future__ import annotations

import argparse
from pathlib import Path

from .errors import CommandError

HELP = "turn pickled weights into safetensors, once, if you trust where they come from"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="the file, such as lavie_base.pt; what is written stands beside it")


def run(args: argparse.Namespace) -> int:
    if not args.file.is_file():
        raise CommandError(f"there is no file {args.file}", "download lavie_base.pt from Vchitect/LaVie, then name it")
    from confiner.chains.weight_source import converted_form

    there = args.file.suffix == ".safetensors" or converted_form(args.file).exists()
    from confiner.loading.pickled import convert

    written = convert(args.file)
    print(f"{written} is there already" if there else f"written to {written}")
    return 0
