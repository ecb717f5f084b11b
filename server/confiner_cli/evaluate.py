# SPDX-License-Identifier: GPL-3.0-or-later
"""`confiner evaluate …`: what the experts do with what they are asked for, counted."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .chain_file import add_chain_arguments, load, read_spec
from .errors import CommandError
from .figures import add_figure_arguments, check_writable, write_figures

if TYPE_CHECKING:
    from confiner_lab.evaluate.structure import Result, Trial

HELP = "measure how well clips follow their prompt or their structure frames"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    experiments = parser.add_subparsers(metavar="WHAT", required=True, dest="what")
    structure = experiments.add_parser("structure", help="grey boxes on known paths, rendered by Blender")
    structure.add_argument("--blender", metavar="PYTHON", help="a Python that can import bpy")
    structure.add_argument("--freedom", type=int, nargs="+", metavar="T_E", help="one or more (default: the chain's)")
    structure.add_argument("--refine-steps", type=int, metavar="N", help="steps (default: the chain's)")
    structure.add_argument("--rule", default="coordinated", help="how the experts take turns (default: coordinated)")
    structure.add_argument("--plot", type=Path, metavar="FILE", help="write a plot over the freedoms (PNG)")
    for experiment in (structure,):
        add_chain_arguments(experiment)
        add_figure_arguments(experiment)
        experiment.add_argument("--sheet", type=Path, metavar="FILE", help="write a contact sheet (PNG)")


def run(args: argparse.Namespace) -> int:
    return {"structure": run_structure}[args.what](args)


def run_structure(args: argparse.Namespace) -> int:
    from confiner_lab.evaluate import structure
    from confiner_lab.evaluate.workbench import BlenderMissing, find_blender

    check_writable(args.json, args.sheet, args.plot)
    spec = read_spec(args.chain, args.chains)
    freedoms = args.freedom or [spec.structure_freedom]
    refine_steps = spec.structure_refine_steps if args.refine_steps is None else args.refine_steps
    width, height = spec.sizes[0]
    try:
        clips = structure.render_clips(find_blender(args.blender), width=width, height=height)
    except BlenderMissing as error:
        raise CommandError(str(error), error.remedy) from error
    chain = load(spec, args.device)
    results = []
    print(f"{len(clips)} paths × {len(structure.COLOURS)} colours, {refine_steps} steps, rule {args.rule}")
    print(f"{'freedom':>8} {'path, median r':>24} {'prompted colour':>24} {'s/clip':>7}")
    for freedom in freedoms:
        results.append(
            structure.evaluate(
                chain, clips, seed=args.seed, freedom=freedom, refine_steps=refine_steps, rule=args.rule, done=_show
            )
        )
        _print_row(results[-1], args.seed)
    if args.sheet:
        structure.draw_results(results[-1], args.sheet)
    if args.plot:
        structure.draw_sweep(results, args.seed, args.plot)
    figures = [result.to_json(args.seed) for result in results]
    write_figures(args.json, args, {"chain": spec.name, **figures[-1], "sweep": figures})
    return 0


def _show(trial: Trial) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{trial.prompt}, {trial.clip.path}: r {trial.correlation:.2f}", end="\r", file=sys.stderr)


def _print_row(result: Result, seed: int) -> None:
    seconds = result.to_json(seed)["seconds_per_clip"]
    line = f"{result.freedom:>8} {result.correlation(seed)!s:>24} {result.colour()!s:>24} {seconds:>7.2f}"
    print(("\r\x1b[K" if sys.stderr.isatty() else "") + line, flush=True)
