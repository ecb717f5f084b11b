# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a shot stands: the frames in flight and nothing else, so it stays small however long the shot is.

A state never changes; a step makes a new one that shares what is the same. Saved, it is one safetensors file with the
tensors and, in its metadata, the counters and whose it is.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from ..chains.tensor_file import read_header
from ..errors import StateError, WeightsDamaged
from ..method.schedule import Prediction, joined
from .plan import Plan
from .request import ClipRequest

FORMAT = "confiner-state-1"


@dataclass(frozen=True)
class Band:
    """The frames from `start` on that have come to one level of the refinement and are still needed there."""

    start: int = 0
    prediction: Prediction | None = None

    @property
    def end(self) -> int:
        return self.start if self.prediction is None else self.start + self.prediction.x0.shape[2]

    def cut(self, start: int, end: int) -> Prediction:
        """Absolute frames `start` to `end`."""
        assert self.prediction is not None
        return self.prediction.cut(start - self.start, end - self.start)

    def grown(self, prediction: Prediction) -> Band:
        return Band(
            self.start, prediction if self.prediction is None else joined([self.prediction, prediction], "frames")
        )

    def without_before(self, frame: int) -> Band:
        """The band from `frame` on; the frames before it are released."""
        if frame <= self.start:
            return self
        return Band(frame, self.cut(frame, self.end) if frame < self.end else None)


@dataclass(frozen=True)
class ShotState:
    """`levels[k]` are frames after k refinement steps; level 0 is the structure, the last level waits to be decoded.

    `segment` is the first of the segments in the making (`control`, after `control_step` steps); `references` are what
    the segments before them were predicted to be, step by step, and `trace` what these are.
    """

    levels: tuple[Band, ...]
    segment: int = 0
    control_step: int = 0
    control: Prediction | None = None
    references: tuple[Prediction, ...] = ()
    trace: tuple[Prediction, ...] = ()
    delivered: int = 0
    steps_done: tuple[int, int] = (0, 0)
    evaluations: int = 0

    def grown(self, level: int, prediction: Prediction) -> ShotState:
        """With `prediction` behind the frames of `level`."""
        return self.with_level(level, self.levels[level].grown(prediction))

    def with_level(self, level: int, band: Band) -> ShotState:
        return dataclasses.replace(self, levels=(*self.levels[:level], band, *self.levels[level + 1 :]))

    @property
    def live_bytes(self) -> int:
        """The tensors' size: what a checkpoint takes, but for a few hundred bytes."""
        return sum(tensor.numel() * tensor.element_size() for _, tensor in _tensors(self))


def save_state(state: ShotState, path: Path, request: ClipRequest, plan: Plan) -> None:
    """Write a checkpoint; `path` holds the old one or the new one, never half of it."""
    metadata = {
        "format": FORMAT,
        "request": request.digest(),
        "plan": json.dumps(plan.to_json(), sort_keys=True),
        "counters": json.dumps(_counters(state)),
    }
    beside = path.with_name(path.name + ".part")
    beside.unlink(missing_ok=True)  # should it be a link, the file that it leads to is somebody's
    save_file({name: tensor.contiguous().clone() for name, tensor in _tensors(state)}, beside, metadata)
    with beside.open("rb+") as file:
        os.fsync(file.fileno())
    beside.replace(path)


def load_state(path: Path, request: ClipRequest, plan: Plan) -> ShotState:
    """Read a checkpoint; StateError unless it was saved by the same request and plan."""
    try:
        header = read_header(path)
        with safe_open(path, framework="pt", device=plan.device) as file:
            tensors = {name: file.get_tensor(name) for name in header.shapes}
    except (OSError, SafetensorError, WeightsDamaged) as error:
        seen = error.seen if isinstance(error, WeightsDamaged) else f"{path.name}: {error}"
        raise StateError(seen, "a whole checkpoint", "generate the shot anew") from error
    _check_owner(header.metadata, request, plan)
    if odd := sorted(name for name, tensor in tensors.items() if not bool(tensor.isfinite().all())):
        seen = f"{path.name} with what is no number, in {odd[0]}"
        raise StateError(seen, "a checkpoint of finite numbers", "generate the shot anew")
    return _restored(json.loads(header.metadata["counters"]), tensors)


def _check_owner(metadata: Mapping[str, str], request: ClipRequest, plan: Plan) -> None:
    remedy = "generate the shot anew"
    if metadata.get("format") != FORMAT:
        raise StateError(f"a checkpoint of format {metadata.get('format')!r}", repr(FORMAT), remedy)
    if metadata["request"] != request.digest():
        raise StateError("a checkpoint of another request", "one of this request", remedy)
    theirs, ours = json.loads(metadata["plan"]), json.loads(json.dumps(plan.to_json()))
    if theirs != ours:
        odd = sorted(key for key in theirs.keys() | ours.keys() if theirs.get(key) != ours.get(key))
        raise StateError(f"a checkpoint whose plan differs in {', '.join(odd)}", "one of this plan", remedy)


def _counters(state: ShotState) -> dict[str, object]:
    return {
        "levels": [[band.start, band.prediction is not None] for band in state.levels],
        "segment": state.segment,
        "control_step": state.control_step,
        "control": state.control is not None,
        "references": len(state.references),
        "trace": len(state.trace),
        "delivered": state.delivered,
        "steps_done": list(state.steps_done),
        "evaluations": state.evaluations,
    }


def _tensors(state: ShotState) -> Iterator[tuple[str, torch.Tensor]]:
    """Every tensor of a state with its name in the file."""
    named: list[tuple[str, Prediction | None]] = [("control", state.control)]
    named += [(f"level.{k}", band.prediction) for k, band in enumerate(state.levels)]
    named += [(f"reference.{k}", prediction) for k, prediction in enumerate(state.references)]
    named += [(f"trace.{k}", prediction) for k, prediction in enumerate(state.trace)]
    for name, prediction in named:
        if prediction is not None:
            yield f"{name}.x0", prediction.x0
            yield f"{name}.noise", prediction.noise


def _restored(counters: dict[str, Any], tensors: dict[str, torch.Tensor]) -> ShotState:
    def prediction(name: str) -> Prediction:
        return Prediction(tensors[f"{name}.x0"], tensors[f"{name}.noise"])

    return ShotState(
        levels=tuple(
            Band(start, prediction(f"level.{k}") if filled else None)
            for k, (start, filled) in enumerate(counters["levels"])
        ),
        segment=counters["segment"],
        control_step=counters["control_step"],
        control=prediction("control") if counters["control"] else None,
        references=tuple(prediction(f"reference.{k}") for k in range(counters["references"])),
        trace=tuple(prediction(f"trace.{k}") for k in range(counters["trace"])),
        delivered=counters["delivered"],
        steps_done=(counters["steps_done"][0], counters["steps_done"][1]),
        evaluations=counters["evaluations"],
    )
