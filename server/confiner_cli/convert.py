# SPDX-License-Identifier: GPL-3.0-or-later
"""`confiner convert`: turn a pickled checkpoint that a person names into safetensors, once."""

from __future__ import annotations

import argparse
from pathlib import Path

from .errors import CommandError

HELP = "turn LaVie's pickled checkpoint into safetensors, once, if you trust where it comes from"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="the file, such as lavie_base.pt; what is written stands beside it")


def run(args: argparse.Namespace) -> int:
    from confiner.chains.places import converted_folder

    if not args.file.is_file():
        raise CommandError(f"there is no file {args.file}", "download lavie_base.pt from Vchitect/LaVie, then name it")
    if converted_folder(args.file).exists():
        print(f"{converted_folder(args.file)} is there already")
        return 0
    from confiner.experts.lavie_file import convert_lavie

    print(f"written to {convert_lavie(args.file)}")
    return 0
