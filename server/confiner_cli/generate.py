# SPDX-License-Identifier: GPL-3.0-or-later
"""`confiner generate "a red cube moves left" -o clip/`: a clip from a prompt, without Blender and without a server."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .chain_file import add_chain_arguments, load, read_spec
from .errors import CommandError
from .progress import ProgressLine
from .take_folder import (
    check_free,
    read_record,
    read_structure,
    read_structure_of,
    write_frames,
    write_movie,
    write_record,
)

if TYPE_CHECKING:
    import numpy as np
    from confiner import Chain, ChainSpec, ClipRequest, Plan, StepDone, Stretch
    from numpy.typing import NDArray

HELP = "make a clip from a prompt, here and now"
DIFFERENT = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("prompt", nargs="?", default="", help="what to show")
    parser.add_argument("-o", "--out", type=Path, required=True, metavar="FOLDER", help="where the frames go")
    clip = parser.add_argument_group("the clip", "what is not given is the chain's default, or the structure's")
    clip.add_argument(
        "--then",
        nargs=2,
        action="append",
        default=[],
        metavar=("FRAME", "PROMPT"),
        help="what to show from this frame on (the first is 0); may be given again",
    )
    clip.add_argument("--crossover", type=int, metavar="N", help="frames in which prompts change (default: 16; 0: cut)")
    clip.add_argument("--frames", type=int, metavar="N", help="length (default: 16, or as many as structure frames)")
    clip.add_argument("--fps", type=float, metavar="RATE", help="frames per second of the clip")
    clip.add_argument("--width", type=int, metavar="PIXELS")
    clip.add_argument("--height", type=int, metavar="PIXELS")
    clip.add_argument("--seed", type=int, default=0, help="another seed makes another clip (default: 0)")
    clip.add_argument("--negative-prompt", default="", metavar="TEXT", help="what to avoid, if the chain can")
    clip.add_argument(
        "--structure", type=Path, metavar="PATH", help="frames to start from: a folder of pictures, or a movie"
    )
    method = parser.add_argument_group("the method")
    add_chain_arguments(method)  # type: ignore[arg-type]  # a group takes arguments as a parser does
    method.add_argument(
        "--dtype",
        choices=("float32", "float16", "bfloat16"),
        help="what is computed in (default: by device and memory); float32 cannot overflow",
    )
    method.add_argument("--rule", default="coordinated", help="one that `confiner chains` lists (default: coordinated)")
    method.add_argument("--freedom", type=int, metavar="T_E", help="timestep at which refinement starts")
    method.add_argument("--control-steps", type=int, metavar="N", help="steps of the control expert (T1)")
    method.add_argument("--refine-steps", type=int, metavar="N", help="steps of the refinement (T2)")
    method.add_argument(
        "--take",
        type=Path,
        metavar="FILE",
        help="make this take again, or with more --frames go on from it; is it the same?",
    )
    output = parser.add_argument_group("more output")
    output.add_argument("--sheet", action="store_true", help="also write sheet.png, a contact sheet")
    output.add_argument("--movie", action="store_true", help="also write clip.mp4")
    output.add_argument("--json", action="store_true", help="report as JSON, one event a line, on standard output")


def run(args: argparse.Namespace) -> int:
    from confiner import Plan, resolve_plan
    from confiner.generation.plan import check_clip
    from confiner.generation.unread import unread_words

    record = read_record(args.take) if args.take else None
    spec = read_spec(record["chain"]["name"] if record else args.chain, args.chains)
    request = _request_again(record, args) if record else _request(spec, args)
    check_clip(request, spec)
    longer = record is not None and request.num_frames > record["request"]["num_frames"]
    check_free(args.out, request)
    _name_unknown_words(spec, " ".join([request.prompt, *(stretch.prompt for stretch in request.stretches)]))
    if record:
        chain, plan = load(spec, record["plan"]["device"], record["plan"]), Plan.from_json(record["plan"])
    else:
        chain = load(spec, args.device, dtype=args.dtype)
        plan = resolve_plan(request, chain)
    for sentence in unread_words(request, chain, plan):
        print(f"confiner: {sentence}", file=sys.stderr)
    made = _make(request, chain, plan, args, kept=None if record is None or longer else record.get("kept"))
    if record is None:
        return 0
    return _verify(record, made, _unchanged_by_length(record, chain, plan) if longer else None)


def _request(spec: ChainSpec, args: argparse.Namespace) -> ClipRequest:
    """What was asked for, with the chain's defaults and the structure's length and size where nothing was said."""
    from confiner import ClipRequest
    from confiner.method.prompt_schedule import CROSSOVER

    structure = read_structure(args.structure) if args.structure else None
    frames, (width, height) = 16, spec.sizes[0]
    if structure is not None:
        frames, height, width = structure.shape[:3]
    return ClipRequest(
        prompt=args.prompt,
        negative_prompt=args.negative_prompt,
        num_frames=frames if args.frames is None else args.frames,
        width=width if args.width is None else args.width,
        height=height if args.height is None else args.height,
        seed=args.seed,
        fps=spec.fps if args.fps is None else args.fps,
        rule=args.rule,
        freedom=args.freedom,
        control_steps=args.control_steps,
        refine_steps=args.refine_steps,
        stretches=_stretches(args.then),
        crossover=CROSSOVER if args.crossover is None else args.crossover,
        structure=structure,
    )


def _stretches(then: list[tuple[str, str]]) -> tuple[Stretch, ...]:
    """The prompts that follow the first, as `--then FRAME PROMPT` gives them, in the order of their frames."""
    from confiner import Stretch

    stretches = []
    for start, prompt in then:
        if not start.isdecimal():
            raise CommandError(f"--then {start} {prompt!r}, expected a frame's number first", "such as --then 81 TEXT")
        stretches.append(Stretch(int(start), prompt))
    return tuple(sorted(stretches, key=lambda stretch: stretch.start))


def _request_again(record: dict[str, Any], args: argparse.Namespace) -> ClipRequest:
    """The request of a take, with its structure frames where it had any, and as many frames as are asked for now."""
    from dataclasses import replace

    from confiner import ClipRequest

    if args.then or args.crossover is not None:
        raise CommandError("--then or --crossover for a take that has prompts of its own", "leave them out")
    structure = read_structure(args.structure) if args.structure else None
    if record["structure"] and structure is None and (structure := read_structure_of(args.take)) is None:
        raise CommandError("this take started from structure frames", "name their folder with --structure")
    request = ClipRequest.from_settings(record["request"], structure)
    if request.structure_hash() != record["structure"]:
        raise CommandError("these are not the structure frames that the take started from", "name the right folder")
    frames = request.num_frames if args.frames is None else args.frames
    if frames < request.num_frames:
        raise CommandError(f"{frames} frames of a take of {request.num_frames}, expected no fewer", "ask for more")
    if frames > request.num_frames and structure is not None:
        seen = f"{frames} frames of a take that started from {request.num_frames} structure frames, expected no more"
        raise CommandError(seen, "capture more of them, and generate the clip anew")
    return replace(request, num_frames=frames)


def _unchanged_by_length(record: dict[str, Any], chain: Chain, plan: Plan) -> int:
    """How many of a take's frames a longer one begins with."""
    from confiner import ClipRequest
    from confiner.generation.prepared_shot import frame_layout

    whole = frame_layout(ClipRequest.from_settings(record["request"]), chain, plan)
    return min(whole.unchanged_by_length, len(record["frames"]))


def _name_unknown_words(spec: ChainSpec, prompt: str) -> None:
    from confiner.chains import unknown_words

    if words := unknown_words(spec, prompt):
        known = "see `confiner chains` for the words it knows"
        print(f"confiner: the chain {spec.name!r} has never read: {', '.join(words)} ({known})", file=sys.stderr)


def _make(request: ClipRequest, chain: Chain, plan: Plan, args: argparse.Namespace, kept: int | None) -> dict[str, Any]:
    """Generate, write every frame as it comes, and return the take's record. Of a part only the first `kept` frames."""
    from confiner import ConfinerError, FramesDone, StepDone, generate, take_record
    from confiner.generation.take_record import frame_hash

    args.out.mkdir(parents=True, exist_ok=True)
    progress = ProgressLine(sys.stderr)
    frames: list[NDArray[np.uint8]] = []
    try:
        for event in generate(request, chain, plan):
            if isinstance(event, StepDone):
                _show_step(event, progress, as_json=args.json)
            elif isinstance(event, FramesDone):
                new = event.frames if kept is None else event.frames[: kept - event.start]
                write_frames(args.out, event.start, new)
                frames += list(new)
                if args.json:
                    _report(event="frames", start=event.start, count=len(new))
                if len(frames) == kept:
                    break
    except ConfinerError:
        progress.close()
        if frames:  # they are finished: a take of their own, with the whole one's request
            hashes = [frame_hash(frame) for frame in frames]
            write_record(args.out, take_record(request, chain, plan, hashes, kept=len(frames)))
            told = f"confiner: {len(frames)} of {request.num_frames} frames are finished and kept in {args.out}"
            print(told, file=sys.stderr)
        raise
    progress.close()
    record = take_record(request, chain, plan, [frame_hash(frame) for frame in frames], kept=kept)
    write_record(args.out, record)
    _write_extras(request, frames, args)
    if args.json:
        _report(event="take", folder=str(args.out), record=record)
    else:
        print(f"{len(frames)} frames in {args.out}")
    return record


def _show_step(event: StepDone, progress: ProgressLine, *, as_json: bool) -> None:
    if not as_json:
        progress.step(event)
        return
    left = progress.seconds_left(event)
    _report(event="step", stage=event.stage, step=event.step, steps=event.steps, eta=left)


def _write_extras(request: ClipRequest, frames: list[NDArray[np.uint8]], args: argparse.Namespace) -> None:
    if args.movie:
        write_movie(args.out / "clip.mp4", frames, request.fps)
    if args.sheet:
        import numpy as np
        from confiner_lab.drawing.sheet import Row, draw_sheet

        draw_sheet([Row(request.prompt, np.stack(frames))], args.out / "sheet.png")


def _report(**values: Any) -> None:
    print(json.dumps(values, ensure_ascii=False), flush=True)


def _verify(record: dict[str, Any], made: dict[str, Any], unchanged: int | None = None) -> int:
    """Say whether a take that was made again is the same; 1 if it differs though nothing explains it.

    A longer one need only begin with the take's `unchanged` frames.
    """
    count = len(record["frames"]) if unchanged is None else unchanged
    if made["frames"][:count] == record["frames"][:count]:
        begins = f"same: it begins with the first {count} of the take's {len(record['frames'])} frames"
        if not count:
            begins = "another clip: a take this short ends before a frame that no longer shot would change"
        print("same: every frame is identical to the take's" if unchanged is None else begins, file=sys.stderr)
        return 0
    changed = [
        f"{name} {record['versions'].get(name)} → {value}"
        for name, value in made["versions"].items()
        if value != record["versions"].get(name)
    ]
    if changed:
        print(f"comparable, not identical: made with {', '.join(changed)}", file=sys.stderr)
        return 0
    print("different: the frames differ, and nothing that the take records explains why", file=sys.stderr)
    return DIFFERENT
