# SPDX-License-Identifier: GPL-3.0-or-later
"""ConFiner as a library: a clip from a chain of control, spatial and temporal diffusion experts, without training.

    spec = confiner.read_chains()["bundled"]
    chain = confiner.load_chain(spec)
    request = confiner.ClipRequest(prompt="a red cube moves left", num_frames=16, width=64, height=64, seed=7)
    plan = confiner.resolve_plan(request, chain)
    for event in confiner.generate(request, chain, plan):
        ...

Names are imported on first use, so that `confiner.chains` and `confiner.errors` come without torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .chains import ChainSpec, check_request, find_chain, read_chains
    from .errors import ConfinerError
    from .generation.events import Event, FramesDone, StepDone, StructureReady
    from .generation.generate import generate
    from .generation.plan import Plan, paper_preset, resolve_plan
    from .generation.request import ClipRequest
    from .generation.state import ShotState, load_state, save_state
    from .generation.take_record import take_record
    from .loading.chain import Chain, load_chain
    from .method.prompt_schedule import Stretch
    from .pipeline import ConFinerPipeline

_HOMES = {
    "chains": ("ChainSpec", "check_request", "find_chain", "read_chains"),
    "errors": ("ConfinerError",),
    "generation.events": ("Event", "FramesDone", "StepDone", "StructureReady"),
    "generation.generate": ("generate",),
    "loading.chain": ("Chain", "load_chain"),
    "pipeline": ("ConFinerPipeline",),
    "generation.plan": ("Plan", "paper_preset", "resolve_plan"),
    "generation.request": ("ClipRequest",),
    "method.prompt_schedule": ("Stretch",),
    "generation.state": ("ShotState", "load_state", "save_state"),
    "generation.take_record": ("take_record",),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "Chain",
    "ChainSpec",
    "ClipRequest",
    "ConFinerPipeline",
    "ConfinerError",
    "Event",
    "FramesDone",
    "Plan",
    "ShotState",
    "StepDone",
    "Stretch",
    "StructureReady",
    "check_request",
    "find_chain",
    "generate",
    "load_chain",
    "load_state",
    "paper_preset",
    "read_chains",
    "resolve_plan",
    "save_state",
    "take_record",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'confiner' has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value
