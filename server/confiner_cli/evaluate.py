# SPDX-License-Identifier: GPL-3.0-or-later
"""`confiner evaluate …`: what the experts do with what they are asked for, counted."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from . import evaluate_long
from .chain_file import add_chain_arguments, add_size_argument, load, parse_steps, read_spec
from .errors import CommandError
from .figures import add_figure_arguments, check_writable, progress, write_figures

if TYPE_CHECKING:
    from confiner_lab.evaluate.prompts import Trial as SentenceTrial
    from confiner_lab.evaluate.structure import Result
    from confiner_lab.evaluate.structure import Trial as StructureTrial

HELP = "measure how well clips follow their prompt or their structure frames"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    experiments = parser.add_subparsers(metavar="WHAT", required=True, dest="what")
    structure = experiments.add_parser("structure", help="grey boxes on known paths, rendered by Blender")
    structure.add_argument("--blender", metavar="PYTHON", help="a Python that can import bpy")
    structure.add_argument("--freedom", type=int, nargs="+", metavar="T_E", help="one or more (default: the chain's)")
    structure.add_argument("--refine-steps", type=int, metavar="N", help="steps (default: the chain's)")
    structure.add_argument(
        "--rule", default="coordinated", help="one that `confiner chains` lists (default: coordinated)"
    )
    structure.add_argument("--plot", type=Path, metavar="FILE", help="write a plot over the freedoms (PNG)")
    prompts = experiments.add_parser("prompts", help="prompts of the bundled experts' grammar, and a judge")
    prompts.add_argument("--count", type=int, default=24, metavar="N", help="how many prompts (default: 24)")
    prompts.add_argument(
        "--rule",
        nargs="+",
        default=["coordinated"],
        help="one or more (default: coordinated); 'structure' is the control expert's video before any refinement",
    )
    prompts.add_argument("--freedom", type=int, metavar="T_E", help="where refinement starts (default: the chain's)")
    prompts.add_argument(
        "--steps", type=parse_steps, nargs="+", metavar="T1+T2", help="of control and refinement, one or more pairs"
    )
    judge = experiments.add_parser("judge", help="whether the judge itself can be believed, on real clips")
    judge.add_argument("--count", type=int, default=200, metavar="N", help="how many real clips (default: 200)")
    long = experiments.add_parser("long", help="long shots: seams, drift, repetition, motion, time and memory")
    evaluate_long.add_arguments(long)
    for experiment in (structure, prompts, judge, long):
        add_chain_arguments(experiment)
        add_figure_arguments(experiment)
    for experiment in (structure, prompts, long):
        add_size_argument(experiment)
        experiment.add_argument("--sheet", type=Path, metavar="FILE", help="write a contact sheet (PNG)")


def run(args: argparse.Namespace) -> int:
    experiments = {"structure": run_structure, "prompts": run_prompts, "judge": run_judge, "long": evaluate_long.run}
    return experiments[args.what](args)


def run_structure(args: argparse.Namespace) -> int:
    from confiner_lab.evaluate import structure
    from confiner_lab.evaluate.workbench import BlenderMissing, find_blender

    check_writable(args.json, args.sheet, args.plot)
    spec = read_spec(args.chain, args.chains)
    freedoms = args.freedom or [spec.structure_freedom]
    refine_steps = spec.structure_refine_steps if args.refine_steps is None else args.refine_steps
    width, height = args.size or spec.sizes[0]
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


def _show(trial: StructureTrial) -> None:
    progress(f"{trial.prompt}, {trial.clip.path}: r {trial.correlation:.2f}")


def _print_row(result: Result, seed: int) -> None:
    progress("")
    seconds = result.to_json(seed)["seconds_per_clip"]
    print(f"{result.freedom:>8} {result.correlation(seed)!s:>24} {result.colour()!s:>24} {seconds:>7.2f}", flush=True)


def run_prompts(args: argparse.Namespace) -> int:
    from confiner_lab.evaluate import prompts
    from confiner_lab.judge.verdict import load_judge, training_record
    from confiner_lab.world import ATTRIBUTES

    check_writable(args.json, args.sheet)
    spec = read_spec(args.chain, args.chains)
    _check_count(args.count)
    width, height = args.size or spec.sizes[0]
    sentences = prompts.draw_sentences(args.count, args.seed, width=width, height=height)
    chain, judge = load(spec, args.device), load_judge()
    settings = [
        prompts.Setting(rule, args.freedom, *steps)
        for rule in args.rule
        for steps in args.steps or [(spec.control_steps, spec.refine_steps)]
    ]
    trials = {}
    for setting in settings:
        trials[setting.name] = prompts.evaluate(chain, judge, sentences, setting, done=_show_sentence)
        progress("")
    first = trials[settings[0].name]
    figures = {name: prompts.summary(found, args.seed) for name, found in trials.items()}
    print(f"{args.count} prompts, 95 % intervals; flicker and sharpness relative to real clips")
    print(f"{'':10}" + "".join(f"{name:>24}" for name in figures))
    for row in next(iter(figures.values())):
        print(f"{row:10}" + "".join(f"{found[row]!s:>24}" for found in figures.values()))
    for setting in settings[1:]:
        difference = prompts.difference(trials[setting.name], first, args.seed)
        print(f"attributes that a clip shows rightly, {setting.name} less {settings[0].name}: {difference}")
    if args.sheet:
        prompts.draw_trials(first, args.sheet)
    found = {name: prompts.figures_json(every, first, args.seed) for name, every in trials.items()}
    claim = {
        "chain": spec.name,
        "size": [width, height],
        "claims": {key: list(each) for key, each in ATTRIBUTES.items()},
    }
    write_figures(args.json, args, {**claim, **found[settings[0].name], "settings": found, "judge": training_record()})
    return 0


def _show_sentence(trial: SentenceTrial) -> None:
    progress(f"{trial.sentence.prompt}: " + (f"not {', '.join(trial.wrong)}" if trial.wrong else "right"))


def _check_count(count: int) -> None:
    if count < 1:
        raise CommandError(f"--count {count}; expected 1 or more", "ask for more with --count")


def run_judge(args: argparse.Namespace) -> int:
    from confiner_lab.evaluate import judging
    from confiner_lab.judge.verdict import load_judge, training_record
    from confiner_lab.world import ATTRIBUTES

    check_writable(args.json)
    _check_count(args.count)
    chain = load(read_spec(args.chain, args.chains), args.device)
    clips = judging.draw_clips(args.count, args.seed)
    verdicts = judging.evaluate(load_judge(), clips, judging.changes(chain.space))
    print(f"{len(clips)} real clips, 95 % intervals: how many are named rightly, and how much surer the judge is")
    print(f"{'':10}" + "".join(f"{name:>24}{'surer by':>10}" for name in verdicts))
    right = {name: judging.accuracy(found, clips) for name, found in verdicts.items()}
    surer = {name: judging.overconfidence(found, clips, args.seed) for name, found in verdicts.items()}
    for row in ATTRIBUTES:
        print(f"{row:10}" + "".join(f"{right[name][row]!s:>24}{surer[name][row].value:>10.3f}" for name in verdicts))
    figures = judging.figures_json(verdicts, clips, args.seed)
    write_figures(args.json, args, {"count": len(clips), **figures, "judge": training_record()})
    return 0
