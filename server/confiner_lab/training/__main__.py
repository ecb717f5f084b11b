# SPDX-License-Identifier: GPL-3.0-or-later
"""Train the bundled experts: `python -m confiner_lab.training --out DIR --minutes 240`.

A killed training goes on where it was when the same line is run again. Two stages that do not need each other
(control and temporal) may run side by side, each with `--only`.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from .settings import TINY, Settings
from .stages import SHARES, Training, budgets


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    training = Training(options.out, replace(TINY if options.tiny else Settings(), seed=options.seed))
    names = options.only or list(SHARES)
    for name, budget in budgets(names, minutes=options.minutes, steps=options.steps).items():
        if name not in (options.only or ()) and (options.out / f"{name}.json").exists():
            print(f"{name} is done")
            continue
        state = training.train(name, budget)
        print(f"{name}: {state.step} steps in {state.seconds:.0f} s", flush=True)
    if options.export is not None:
        training.export(options.export)
        print(f"exported to {options.export}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="confiner_lab.training", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints, data and the record")
    length = parser.add_mutually_exclusive_group(required=True)
    length.add_argument("--minutes", type=float, help="time for all the stages asked for, together")
    length.add_argument("--steps", type=int, help="steps of each stage")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", action="append", choices=list(SHARES), help="just this stage; may be given again")
    parser.add_argument("--export", type=Path, help="write the experts here at the end")
    parser.add_argument("--tiny", action="store_true", help="networks of a few thousand weights, to try the program")
    return parser


if __name__ == "__main__":
    main()
