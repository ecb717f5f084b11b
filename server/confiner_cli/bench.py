# SPDX-License-Identifier: GPL-3.0-or-later
"""`confiner bench …`: how long things take, and what they cost."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from .chain_file import add_chain_arguments, load, read_spec
from .figures import add_figure_arguments, check_writable, write_figures

if TYPE_CHECKING:
    from confiner import ChainSpec, ClipRequest

HELP = "measure how long things take and what they cost"
PROMPT = "a red cube moves left on grass at noon"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    benches = parser.add_subparsers(metavar="WHAT", required=True, dest="what")
    clip = benches.add_parser("clip", help="one clip of 16 frames, library only, loading apart")
    clip.add_argument("--runs", type=int, default=3, metavar="N", help="the median of N runs (default: 3)")
    clip.add_argument("--rule", default="coordinated", help="one that `confiner chains` lists (default: coordinated)")
    clip.add_argument("--control-steps", type=int, metavar="N", help="steps of the control expert (T1)")
    clip.add_argument("--refine-steps", type=int, metavar="N", help="steps of the refinement (T2)")
    add_chain_arguments(clip)
    add_figure_arguments(clip)
    cost = benches.add_parser("cost", help="floating-point operations of the full-size experts; needs no weights")
    add_figure_arguments(cost)
    swap = benches.add_parser("swap", help="swapping one expert of a loaded chain; random weights of middling size")
    swap.add_argument("--runs", type=int, default=7, metavar="N", help="the fastest of N rounds (default: 7)")
    add_figure_arguments(swap)
    memory = benches.add_parser("memory", help="tensors alive while a clip is made; random weights of middling size")
    add_figure_arguments(memory)
    long = benches.add_parser("long", help="what long shots hold, with experts that cost nothing, at 512×512 pixels")
    long.add_argument("--frames", type=int, nargs="+", default=[600, 6000], metavar="N", help="(default: 600 6000)")
    add_figure_arguments(long)


def run(args: argparse.Namespace) -> int:
    benches = {"clip": run_clip, "cost": run_cost, "swap": run_swap, "memory": run_memory, "long": run_long}
    return benches[args.what](args)


def run_clip(args: argparse.Namespace) -> int:
    import torch
    from confiner_lab.bench.clip import medians, time_clips

    check_writable(args.json)
    spec = read_spec(args.chain, args.chains)
    request = _request(spec, args)
    began = time.perf_counter()
    chain = load(spec, args.device)
    loading = time.perf_counter() - began
    timings = time_clips(request, chain, args.runs)
    found = medians(timings)
    print(f"{request.num_frames} frames of {request.width}×{request.height}, {torch.get_num_threads()} threads")
    print(
        f"{timings[0].evaluations} model evaluations, rule {request.rule}; median of {len(timings)} runs, in seconds:"
    )
    for name, seconds in {"loading": loading, **found}.items():
        print(f"  {name:8} {seconds:7.2f}")
    figures = {"seconds": found, "loading_seconds": loading, "runs": [timing.seconds for timing in timings]}
    write_figures(args.json, args, {"chain": spec.name, "evaluations": timings[0].evaluations, **figures})
    return 0


def run_cost(args: argparse.Namespace) -> int:
    from confiner_lab.bench.cost import cost_table, measure_cost

    return _tabulate(args, measure_cost, cost_table)


def run_swap(args: argparse.Namespace) -> int:
    from confiner_lab.bench.swap import measure_swaps, swap_table

    return _tabulate(args, partial(measure_swaps, args.runs), swap_table)


def run_memory(args: argparse.Namespace) -> int:
    from confiner_lab.bench.memory import measure_memory, memory_table

    return _tabulate(args, measure_memory, memory_table)


def _tabulate(
    args: argparse.Namespace, measure: Callable[[], dict[str, Any]], table: Callable[[dict[str, Any]], str]
) -> int:
    check_writable(args.json)
    found = measure()
    print(table(found))
    write_figures(args.json, args, found)
    return 0


def run_long(args: argparse.Namespace) -> int:
    from dataclasses import asdict

    from confiner_lab.bench.long import hold, linear_chain

    check_writable(args.json)
    chain = linear_chain()
    print(f"{'frames':>8} {'tensors':>13} {'with frames':>13} {'checkpoint':>13}   bytes at most, linear experts")
    found = []
    for num_frames in args.frames:
        held = hold(chain, num_frames)
        print(f"{num_frames:>8} {held.tensors:>13,} {held.with_frames:>13,} {held.checkpoint:>13,}", flush=True)
        found.append(asdict(held))
    write_figures(args.json, args, {"shots": found})
    return 0


def _request(spec: ChainSpec, args: argparse.Namespace) -> ClipRequest:
    from confiner import ClipRequest

    width, height = spec.sizes[0]
    return ClipRequest(
        prompt=PROMPT,
        num_frames=16,
        width=width,
        height=height,
        seed=args.seed,
        fps=spec.fps,
        rule=args.rule,
        control_steps=args.control_steps,
        refine_steps=args.refine_steps,
    )
