# SPDX-License-Identifier: GPL-3.0-or-later
"""`confiner chains`: which expert chains there are, what each can be asked for, whether its weights are here."""

from __future__ import annotations

import argparse
import dataclasses
import json
import textwrap
from typing import TYPE_CHECKING, Any

from .chain_file import add_file_argument

if TYPE_CHECKING:
    from confiner.chains import ChainSpec

HELP = "list the expert chains, what they can make and the words they know, the rules, and the kinds of expert"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_file_argument(parser)
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")


def run(args: argparse.Namespace) -> int:
    from confiner.chains import read_chains

    chains = read_chains(args.chains)
    if args.json:
        print(json.dumps([facts(spec) for spec in chains.values()], indent=1, ensure_ascii=False))
    else:
        print("\n\n".join([*(describe(spec) for spec in chains.values()), open_sets()]))
    return 0


def facts(spec: ChainSpec) -> dict[str, Any]:
    """A chain as JSON values."""
    from confiner.chains.repositories import download_size

    plain = ("name", "title", "description", "licence", "fps", "max_frames", "negative_prompt", "missing")
    defaults = ("freedom", "control_steps", "refine_steps", "structure_freedom", "structure_refine_steps")
    return {
        **{name: getattr(spec, name) for name in plain},
        "download": download_size(spec),
        "sizes": [list(size) for size in spec.sizes],
        "window_frames": spec.temporal.frames,
        "defaults": {name: getattr(spec, name) for name in defaults},
        "experts": {role: dataclasses.asdict(expert)["kind"] for role, expert in spec.experts.items()},
        "words": list(spec.words),
    }


def describe(spec: ChainSpec) -> str:
    """A chain as a person reads it."""
    sizes = ", ".join(f"{width}×{height}" for width, height in spec.sizes)
    lines = {
        "weights": weights(spec),
        "licence": spec.licence or "not stated",
        "experts": ", ".join(f"{role}: {expert.kind}" for role, expert in spec.experts.items()),
        "clips": f"{sizes} pixels, {spec.fps:g} frames a second, up to {spec.max_frames} frames, "
        f"{spec.temporal.frames} at a time",
        "steps": f"{spec.control_steps} + {spec.refine_steps}, freedom {spec.freedom} "
        f"(from structure frames: {spec.structure_refine_steps} steps, freedom {spec.structure_freedom})",
        "negative prompt": "yes" if spec.negative_prompt else "has no effect: no expert is guided",
        "words": " ".join(spec.words) or "any",
    }
    body = "\n".join(
        textwrap.fill(f"{name:16}{text}", width=100, initial_indent="  ", subsequent_indent=" " * 18)
        for name, text in lines.items()
    )
    head = f"{spec.name}: {spec.title}"
    return f"{head}\n  {spec.description}\n{body}" if spec.description else f"{head}\n{body}"


def open_sets() -> str:
    """The rules and the kinds of expert, those of other packages too, and what is wrong with any of them."""
    from confiner.chains.expert_kinds import EXPERT_KINDS
    from confiner.method.rules import RULES

    lines = [
        "rules (generate --rule)",
        *(f"  {rule.name:16}{rule.label}: {rule.description}" for rule in RULES),
        "kinds of expert (kind = in a chain file)",
        *(f"  {kind.name:16}{kind.network_names[0]}" for kind in EXPERT_KINDS),
        *RULES.problems,
        *EXPERT_KINDS.problems,
    ]
    return "\n".join(lines)


def weights(spec: ChainSpec) -> str:
    """Whether the chain's weights are here, else what is missing and how it is got."""
    from confiner.chains.repositories import download_size, hub_parts
    from confiner.memory.units import gigabytes

    if not spec.missing:
        return "here"
    if all(part.there for part in hub_parts(spec)):
        return spec.missing
    size = download_size(spec)
    about = f"about {gigabytes(size)}" if size else "of a size that the hub knows"
    return f"{spec.missing}; download, {about}: confiner fetch {spec.name}"
