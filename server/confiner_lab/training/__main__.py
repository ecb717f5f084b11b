# SPDX-License-Identifier: GPL-3.0-or-later
"""Train the bundled experts: `python -m confiner_lab.training --out DIR`.

A killed training goes on where it was when the same line is run again. Stages that do not need each other may run
side by side, each with `--only`: `vae` and `text`; then, when `data` is made, `decoder`, `sketch`, `frame` and
`spatial`; `control` needs `sketch`, `temporal` needs `frame`. Without `--minutes` each stage takes its own.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import replace
from pathlib import Path

import torch

from .loop import Interrupted
from .settings import TINY, Settings
from .stages import MINUTES, Training, budgets


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    until = math.inf if options.stop_after is None else time.monotonic() + 60 * options.stop_after
    settings = replace(TINY if options.tiny else Settings(), seed=options.seed)
    training = Training(options.out, settings, options.device, until)
    names = options.only or list(MINUTES)
    for name, budget in budgets(names, minutes=options.minutes, steps=options.steps).items():
        if name not in (options.only or ()) and (options.out / f"{name}.json").exists():
            print(f"{name} is done")
            continue
        try:
            state = training.train(name, budget)
        except Interrupted as stop:
            print(f"stopped {stop}; run the same line again to go on", flush=True)
            return
        print(f"{name}: {state.step} steps in {state.seconds:.0f} s", flush=True)
    if options.export is not None:
        training.export(options.export)
        print(f"exported to {options.export}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="confiner_lab.training", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints, data and the record")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, help="time for all the stages asked for, together")
    length.add_argument("--steps", type=int, help="steps of each stage")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu", help='where to train: "cpu", "cuda", "mps", …')
    parser.add_argument(
        "--stop-after", type=float, metavar="MINUTES", help="end this call then, and go on with the next"
    )
    parser.add_argument("--only", action="append", choices=list(MINUTES), help="just this stage; may be given again")
    parser.add_argument("--export", type=Path, help="write the experts here at the end")
    parser.add_argument("--tiny", action="store_true", help="networks of a few thousand weights, to try the program")
    return parser


if __name__ == "__main__":
    main()
