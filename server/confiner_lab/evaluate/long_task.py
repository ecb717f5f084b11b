# SPDX-License-Identifier: GPL-3.0-or-later
"""The shots of one prompt, made in one way: a piece of work for a process of its own."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from confiner import Chain, load_chain
from confiner.chains import ChainSpec
from confiner.memory.device import default_dtype, find_device

from ..judge.network import Judge
from ..judge.verdict import load_judge
from .long import Trial, try_sentence
from .long_presets import way
from .prompts import Sentence


@dataclass(frozen=True)
class Task:
    """All lengths of one prompt's shot, made in one way."""

    preset: str
    sentence: Sentence
    lengths: tuple[int, ...]


_loaded: tuple[Chain, Judge] | None = None
"""What this process measures with; `load` sets it, once."""


def load(spec: ChainSpec, device: str) -> None:
    """Get ready in a fresh process, of one thread: small experts gain little from a second one."""
    global _loaded
    torch.set_num_threads(1)
    place = find_device(device)
    _loaded = load_chain(spec, device=place, dtype=default_dtype(place)), load_judge()


def run(task: Task) -> list[Trial]:
    """The task's trials, one of each length. `load` comes first."""
    assert _loaded is not None
    chain, judge = _loaded
    return list(try_sentence(chain, way(task.preset, chain), judge, task.sentence, task.lengths))
