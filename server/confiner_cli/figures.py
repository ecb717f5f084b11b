# SPDX-License-Identifier: GPL-3.0-or-later
"""What every command that prints figures has in common: `--seed`, and `--json FILE` with the machine they came from."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from .errors import CommandError


def add_figure_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=0, help="another seed asks for other clips (default: 0)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to this file")


def check_writable(*paths: Path | None) -> None:
    """Find out before the work whether its outcome can be written.

    Raises:
        CommandError: a file's folder is not there.
    """
    for path in filter(None, paths):
        if not path.parent.is_dir():
            raise CommandError(f"{path} cannot be written: there is no folder {path.parent}", "make the folder first")


def write_figures(path: Path | None, args: argparse.Namespace, figures: dict[str, Any]) -> None:
    """Write the figures with the seed and the machine, if a file was asked for."""
    if path is None:
        return
    whole = {"seed": args.seed, **figures, "machine": machine()}
    path.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def progress(text: str) -> None:
    """Show what is being done, on a terminal only; an empty text frees the line."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def machine() -> dict[str, Any]:
    """What kind of machine the figures come from."""
    import os
    import platform

    import torch
    from confiner.memory.device import available_kinds

    gpu = torch.cuda.get_device_name() if available_kinds()[0] == "cuda" else None
    return {
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "gpu": gpu,
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
