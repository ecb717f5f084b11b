# SPDX-License-Identifier: GPL-3.0-or-later
"""`confiner evaluate long`: whether long shots hold together, at what time and memory."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from .chain_file import read_spec
from .errors import CommandError
from .figures import check_writable, progress, write_figures

if TYPE_CHECKING:
    from confiner import ChainSpec
    from confiner_lab.evaluate.interval import Estimate
    from confiner_lab.evaluate.long import Trial

SHORTEST = 48
"""Three segments of 16: less has no joints to compare."""
PLOTTED, HIGHEST = "seam_index", 2.0

ByLength = dict[str, dict[int, "list[Trial]"]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--frames", type=int, nargs="+", default=[64, 256, 600], metavar="N", help="lengths (default: 64 256 600)"
    )
    parser.add_argument(
        "--seeds", type=int, default=5, metavar="N", help="how many prompts, with a seed each (default: 5)"
    )
    parser.add_argument(
        "--presets", nargs="+", metavar="NAME", help="default, paper, freenoise (default: all of them, at every length)"
    )
    parser.add_argument("--ablate", action="store_true", help="also each preset without one strategy, and without any")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="processes (default: one a core)"
    )
    parser.add_argument("--plot", type=Path, metavar="FILE", help="write a plot of the seams over the lengths (PNG)")


def run(args: argparse.Namespace) -> int:
    check_writable(args.json, args.sheet, args.plot)
    presets = _presets(args)
    lengths = sorted(set(args.frames))
    if lengths[0] < SHORTEST:
        raise CommandError(f"a shot of {lengths[0]} frames; expected {SHORTEST} or more", "ask for more with --frames")
    if args.seeds < 1 or args.workers < 1:
        raise CommandError(f"{args.seeds} seeds by {args.workers} workers; expected 1 or more", "ask for more")
    spec = read_spec(args.chain, args.chains)
    trials = _measure(spec, presets, lengths, args)
    found = _print_tables(trials, args.seed)
    _draw(trials, found, args)
    from confiner_lab.evaluate.long import figures_json

    figures = {
        preset: {str(n): figures_json(each, args.seed) for n, each in by_length.items()}
        for preset, by_length in trials.items()
    }
    write_figures(args.json, args, {"chain": spec.name, "seeds": args.seeds, **figures})
    return 0


def _presets(args: argparse.Namespace) -> list[str]:
    from confiner_lab.evaluate.long_presets import ABLATED, PRESETS

    named = args.presets or (list(ABLATED) if args.ablate else list(PRESETS))
    for name in named:
        if name not in PRESETS:
            raise CommandError(f"the preset {name!r}; expected one of {', '.join(PRESETS)}", "choose one of these")
    return [each for name in named for each in (ABLATED.get(name, (name,)) if args.ablate else (name,))]


def _measure(spec: ChainSpec, presets: list[str], lengths: list[int], args: argparse.Namespace) -> ByLength:
    """Every preset's trials by length, in the order of the prompts."""
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from multiprocessing import get_context

    from confiner_lab.evaluate import long_task
    from confiner_lab.evaluate.long import draw_moving

    width, height = args.size or spec.sizes[0]
    sentences = draw_moving(args.seeds, args.seed, width=width, height=height)
    tasks = [long_task.Task(preset, sentence, tuple(lengths)) for sentence in sentences for preset in presets]
    done = {}
    spawned, ready = get_context("spawn"), (spec, args.device)
    with ProcessPoolExecutor(args.workers, spawned, initializer=long_task.load, initargs=ready) as pool:
        pending = {pool.submit(long_task.run, task): task for task in tasks}
        for finished in as_completed(pending):
            task = pending[finished]
            done[task.preset, task.sentence.seed] = finished.result()
            progress(f"{len(done)} of {len(tasks)}: {task.preset}, {task.sentence.prompt}")
    progress("")
    return {
        preset: {n: [done[preset, each.seed][place] for each in sentences] for place, n in enumerate(lengths)}
        for preset in presets
    }


def _print_tables(trials: ByLength, seed: int) -> dict[str, dict[int, dict[str, Estimate]]]:
    from confiner_lab.evaluate.long import bytes_held, summary

    found = {preset: {n: summary(each, seed) for n, each in by_length.items()} for preset, by_length in trials.items()}
    for preset, by_length in found.items():
        count = len(next(iter(trials[preset].values())))
        print(f"{preset}: {count} shots of each length, 95 % intervals")
        print(f"{'frames':20}" + "".join(f"{n:>26}" for n in by_length))
        for name in next(iter(by_length.values())):
            print(f"{name:20}" + "".join(f"{figures[name]!s:>26}" for figures in by_length.values()))
        held = [bytes_held(each) for each in trials[preset].values()]
        for name in held[0]:
            print(f"{name:20}" + "".join(f"{each[name]:>26,}" for each in held), flush=True)
    return found


def _draw(trials: ByLength, found: dict[str, dict[int, dict[str, Estimate]]], args: argparse.Namespace) -> None:
    from confiner_lab.drawing.plot import Line, draw_plot
    from confiner_lab.drawing.sheet import Row, draw_sheet

    if args.plot:
        lines = [
            Line(
                preset,
                [(n, figures[PLOTTED].value) for n, figures in by_length.items()],
                [(figures[PLOTTED].low, figures[PLOTTED].high) for figures in by_length.values()],
            )
            for preset, by_length in found.items()
        ]
        draw_plot(lines, args.plot, title="Seams: 1 is a real clip", across="frames", high=HIGHEST)
    if args.sheet:
        longest = [(preset, by_length[max(by_length)]) for preset, by_length in trials.items()]
        rows = [
            Row(f"{preset}, {shots[place].num_frames} frames: {shots[place].sentence.prompt}", shots[place].shown)
            for place in range(min(2, args.seeds))
            for preset, shots in longest
        ]
        draw_sheet(rows, args.sheet, shown=16, frame_height=64)
