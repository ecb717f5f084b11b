# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: everything that changes a clip's floats, resolved once from request, chain and machine.

It is kept with job, checkpoint and take, and replayed: the same request and plan on the same kind of device, with
the same torch, give the same bytes. To try another switch, `dataclasses.replace` it in a resolved plan.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..chains import check_request
from ..errors import StateError, StructureError

if TYPE_CHECKING:
    from ..chains import ChainSpec
    from ..loading.chain import Chain
    from .request import ClipRequest

LATER = frozenset({"edges", "overlap", "vae_tiling"})
"""Fields that plans of the first version lack."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which computation is run. Method switches are METHOD's: the paper's reading is `paper_preset`.

    `freedom` is T_e, `control_steps` T1, `refine_steps` T2. `windows` is whether the windows' offset rotates from
    step to step, is fixed to half a window, or is 0, where windows are segments (for comparison alone); with `overlap`
    those of the last step overlap by half. Where the shot's ends cut windows in half, `edges` lets them see a `whole`
    window's frames, refines the halves as they are (`keep`), or makes more than is asked for, so that no frame of the
    last half (`drop-tail`) or of either half (`drop`) is delivered. `initial_noise` and `coherence*` join the segments
    of a long shot. `decode_frames` are decoded (and structure frames encoded) together, in tiles with `vae_tiling`;
    `segment_batch` segments run through the control expert together.
    """

    chain: str
    weights: dict[str, str]
    rule: str
    freedom: int
    control_steps: int
    refine_steps: int
    hinge_noise: Literal["fresh", "shared", "predicted"] = "fresh"
    timestep_map: Literal["same", "snr"] = "same"
    windows: Literal["rotating", "fixed", "aligned"] = "rotating"
    overlap: bool = False
    edges: Literal["whole", "keep", "drop-tail", "drop"] = "whole"
    initial_noise: Literal["shuffle", "shared", "mix", "random"] = "shuffle"
    initial_mix: float = 0.5
    coherence: float = 0.02
    coherence_space: Literal["eps", "direction", "direction-normed", "x0"] = "direction-normed"
    coherence_reference: Literal["previous", "first"] = "previous"
    device: str = "cpu"
    dtype: str = "float32"
    threads: int = 1
    attention: Literal["math", "flash", "efficient"] = "flash"
    decode_frames: int = 4
    vae_tiling: bool = False
    segment_batch: int = 1

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Plan:
        """The plan from `to_json`'s values; StateError if they are not a plan's.

        Where an older version had no choice, it did what is the default here.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        if odd_ones := (values.keys() ^ known) - (LATER - values.keys()):
            odd = ", ".join(sorted(odd_ones))
            raise StateError(f"a plan that differs in {odd}", "a plan of this version", "generate the shot anew")
        return cls(**values)


def resolve_plan(request: ClipRequest, chain: Chain) -> Plan:
    """The plan for `request` with `chain` as it is loaded, after checking that it can make the clip."""
    import torch

    spec = chain.spec
    check_clip(request, spec)
    freedom, refine_steps = spec.refinement(request.structure is not None)
    control_steps = spec.control_steps if request.control_steps is None else request.control_steps
    return Plan(
        chain=spec.name,
        weights=dict(chain.at(control_steps).weights),
        rule=request.rule,
        freedom=freedom if request.freedom is None else request.freedom,
        control_steps=control_steps,
        refine_steps=refine_steps if request.refine_steps is None else request.refine_steps,
        hinge_noise=spec.hinge_noise,
        timestep_map=spec.timestep_map,
        overlap=True,
        device=str(chain.device),
        dtype=str(chain.dtype).removeprefix("torch."),
        threads=torch.get_num_threads(),
        decode_frames=chain.memory.decode_frames,
        vae_tiling=chain.memory.vae_tiling,
    )


def check_plan(plan: Plan, chain: Chain) -> None:
    """Raise StateError unless `chain`, as it is loaded, is what `plan` was made for."""
    theirs = {**plan.weights, "device": plan.device, "dtype": plan.dtype}
    ours = {**chain.weights, "device": str(chain.device), "dtype": str(chain.dtype).removeprefix("torch.")}
    odd = sorted(key for key in theirs.keys() | ours.keys() if theirs.get(key) != ours.get(key))
    if odd:
        seen = f"a chain that differs from the plan's in {', '.join(odd)}"
        raise StateError(seen, "the weights, device and dtype that the plan names", "generate the shot anew")


def check_edges(plan: Plan, request: ClipRequest) -> None:
    """Raise StructureError if frames are to be made beyond the structure's ends."""
    if request.structure is not None and plan.edges in ("drop-tail", "drop"):
        seen = f"edges {plan.edges!r} for {len(request.structure)} structure frames, beyond which there are none"
        raise StructureError(seen, "edges 'whole' or 'keep'", "change the plan's edges")


def check_clip(request: ClipRequest, spec: ChainSpec) -> None:
    """`check_request` for a whole ClipRequest."""
    structure = None
    if request.structure is not None:
        pictures = request.structure
        if pictures.ndim != 4 or pictures.shape[3] != 3 or pictures.dtype != np.uint8:
            raise StructureError(
                f"structure frames as {pictures.dtype} {pictures.shape}",
                "uint8 of (frames, height, width, 3)",
                "give them as RGB pictures",
            )
        structure = pictures.shape[0], pictures.shape[2], pictures.shape[1]
    stretches = {"stretches": request.stretches, "crossover": request.crossover}
    check_request(spec, structure=structure, **{**request.settings(), **stretches})


def paper_preset(plan: Plan) -> Plan:
    """The paper's literal long-shot setting: shuffled noise, guidance on ε, windows that stay where they are."""
    return dataclasses.replace(
        plan,
        hinge_noise="fresh",
        timestep_map="same",
        windows="fixed",
        overlap=False,
        edges="keep",
        initial_noise="shuffle",
        coherence_space="eps",
        coherence_reference="previous",
    )
