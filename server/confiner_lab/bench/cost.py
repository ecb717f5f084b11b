# SPDX-License-Identifier: GPL-3.0-or-later
"""What a clip costs in floating-point operations, at full size and without any weights: the networks stand on the meta
device and a counter reads the shapes that pass through them.

Only the UNets are counted, two operations per multiply-add, for clips of 16 frames. Guidance runs a network twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from ..published import read_repository
from ..published.reading import motion_network

FRAMES = 16
WORDS = 77
SIZES = {"256": (256, 256), "320x512": (320, 512), "512": (512, 512)}
"""Height and width in pixels by the name they have in the table."""


@dataclass(frozen=True)
class Recipe:
    """How one clip is made: forward passes of each network, each over all frames. `guided` networks run twice."""

    name: str
    passes: Mapping[str, int]
    guided: frozenset[str] = field(default=frozenset())

    def tflop(self, forward: Mapping[str, float]) -> float:
        """TFLOP per clip, from those of one pass."""
        return sum(count * (2 if net in self.guided else 1) * forward[net] for net, count in self.passes.items())

    @property
    def evaluations(self) -> int:
        """Network evaluations per clip."""
        return sum(count * (2 if net in self.guided else 1) for net, count in self.passes.items())


def confiner(temporal: str, control_steps: int, refine_steps: int, *, guided: bool = False) -> Recipe:
    """Coordinated refinement: two spatial passes and a temporal one a step (arXiv 2408.13423, section 3.3).

    The control expert is distilled and has no guidance to offer; `guided` speaks of the other two.
    """
    name = f"confiner-{control_steps + refine_steps}{'-cfg' if guided else ''}/{temporal}"
    passes = {"animatediff": control_steps, "stable-diffusion": 2 * refine_steps, temporal: refine_steps}
    return Recipe(name, passes, frozenset({"stable-diffusion", temporal}) if guided else frozenset())


def alone(network: str, steps: int) -> Recipe:
    """One video model from noise to clip, with guidance, as it is used by itself."""
    return Recipe(f"{network}-{steps}-cfg", {network: steps}, frozenset({network}))


RECIPES = (
    *(
        confiner(temporal, control_steps, refine_steps, guided=guided)
        for temporal in ("modelscope", "lavie")
        for control_steps, refine_steps in ((4, 5), (8, 10))
        for guided in (False, True)
    ),
    *(alone(network, steps) for network in ("animatediff", "modelscope", "lavie") for steps in (50, 100)),
)


def measure_cost() -> dict[str, Any]:
    """TFLOP per forward pass and per clip, evaluations per clip, and the cost of ConFiner relative to its rivals.

    Keys of clips are `recipe/size`; `tenth_claim` is the paper's "10 %" read in its four ways, in percent at 512².
    """
    networks = full_size_networks()
    forward = {
        size: {name: count_tflop(network, name, *pixels) for name, network in networks.items()}
        for size, pixels in SIZES.items()
    }
    clips = {f"{recipe.name}/{size}": recipe.tflop(forward[size]) for recipe in RECIPES for size in SIZES}
    return {
        "tflop_per_clip": {name: round(value, 2) for name, value in clips.items()},
        "tflop_per_forward": {f"{net}/{s}": round(value, 3) for s in SIZES for net, value in forward[s].items()},
        "evaluations_per_clip": {recipe.name: recipe.evaluations for recipe in RECIPES},
        "parameters": {name: sum(p.numel() for p in network.parameters()) for name, network in networks.items()},
        "tenth_claim_percent": {
            f"confiner-9{guided}/modelscope of modelscope-{steps}-cfg": round(
                100 * clips[f"confiner-9{guided}/modelscope/512"] / clips[f"modelscope-{steps}-cfg/512"], 2
            )
            for guided in ("", "-cfg")
            for steps in (100, 50)
        },
    }


def full_size_networks() -> dict[str, torch.nn.Module]:
    """The four UNets as published, on the meta device."""
    stable_diffusion = read_repository("stable_diffusion")
    return {
        "stable-diffusion": stable_diffusion.network("unet"),
        "animatediff": motion_network(stable_diffusion, read_repository("animatediff_lightning")),
        "modelscope": read_repository("modelscope").network("unet"),
        "lavie": read_repository("lavie").network("unet"),
    }


def count_tflop(network: Any, name: str, height: int, width: int) -> float:
    """TFLOP of one pass over `FRAMES` frames of `height` × `width` pixels, called as that expert calls it."""
    rows, columns = height // 8, width // 8
    folded = name == "stable-diffusion"  # an image network: frames are its batch
    latents = (FRAMES, 4, rows, columns) if folded else (1, 4, FRAMES, rows, columns)
    texts = FRAMES if name in ("stable-diffusion", "animatediff") else 1
    text = torch.empty(texts, WORDS, network.config.cross_attention_dim, device="meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.empty(latents, device="meta"), torch.tensor(0, device="meta"), encoder_hidden_states=text)
    return float(counter.get_total_flops()) / 1e12


def cost_table(cost: Mapping[str, Any]) -> str:
    """The result for people: one line per recipe, then the claim in its four ways."""
    clips, evaluations = cost["tflop_per_clip"], cost["evaluations_per_clip"]
    lines = [f"TFLOP per clip of {FRAMES} frames, UNets only", ""]
    lines += ["".join((f"{'':28}{'evaluations':>12}", *(f"{size:>10}" for size in SIZES)))]
    for name, count in evaluations.items():
        lines += [f"{name:28}{count:>12}" + "".join(f"{clips[f'{name}/{size}']:>10.0f}" for size in SIZES)]
    lines += ["", '"about 10 % of the cost", at 512×512']
    lines += [f"{name:58}{percent:>6.1f} %" for name, percent in cost["tenth_claim_percent"].items()]
    return "\n".join(lines)
