# SPDX-License-Identifier: GPL-3.0-or-later
"""What the judge says of a clip, with the weights that come with it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import load_file

from ..world import ATTRIBUTES
from .network import CLIP_FRAMES, FRAME_ATTRIBUTES, Judge

WEIGHTS = Path(__file__).with_name("judge.safetensors")


@dataclass(frozen=True)
class Verdict:
    """Probabilities of each attribute's values: [frames, values], and [values] for motion and camera."""

    probabilities: dict[str, NDArray[np.float32]]

    def name(self, attribute: str) -> str:
        """The value that the clip as a whole most likely has."""
        seen = self.probabilities[attribute]
        whole = seen.mean(0) if attribute in FRAME_ATTRIBUTES else seen
        return ATTRIBUTES[attribute][int(whole.argmax())]

    def is_constant(self, attribute: str, frames: NDArray[np.bool_] | None = None) -> bool:
        """Whether every frame, or every one that `frames` [frames] marks, shows the same value."""
        shown = self.probabilities[attribute].argmax(1)
        return len(set(shown[frames if frames is not None else ...].tolist())) <= 1


def load_judge(weights: Path = WEIGHTS) -> Judge:
    """The trained judge, ready to be asked."""
    judge = Judge()
    judge.load_state_dict({name: tensor.float() for name, tensor in load_file(weights).items()})
    return judge.requires_grad_(False).eval()


def training_record(weights: Path = WEIGHTS) -> dict[str, Any]:
    """How the judge was trained, and what it reached on real clips that it had not seen."""
    with safe_open(weights, framework="pt") as file:
        record: dict[str, Any] = json.loads(file.metadata()["training"])
    return record


@torch.no_grad()
def judge_clip(judge: Judge, frames: NDArray[np.uint8], start: int = 0) -> Verdict:
    """The verdict on 16 frames [16, height, width, 3], of which the first shows the moment `start`.

    Raises:
        ValueError: another number of frames.
    """
    if len(frames) != CLIP_FRAMES:
        raise ValueError(f"{len(frames)} frames; expected {CLIP_FRAMES}, the length the judge was trained on")
    clip = torch.from_numpy(np.ascontiguousarray(frames)).permute(0, 3, 1, 2).float() / 255
    logits = judge(clip[None], torch.tensor([start]))
    return Verdict({name: values[0].softmax(-1).numpy() for name, values in logits.items()})
