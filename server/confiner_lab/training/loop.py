# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop that every stage runs: keyed randomness, averaged weights, atomic checkpoints, an exact restart.

All randomness of a step comes from (seed, stage, step), so a checkpoint needs no generator's state: the step's
number is the state. With a budget in steps, an interrupted training ends with the weights of an uninterrupted one.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from .muon import MuonAdamW


@dataclass(frozen=True)
class Draw:
    """The randomness of one step: for choices `rng`, for noise `noise`."""

    rng: np.random.Generator
    noise: torch.Generator

    def normal(self, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=self.noise)


def draw_for(seed: int, stage: str, step: int) -> Draw:
    """The randomness of step `step` of `stage`, from nothing else than these three."""
    digest = hashlib.sha256(f"{seed}/{stage}/{step}".encode()).digest()
    key = int.from_bytes(digest[:8], "little")
    return Draw(np.random.Generator(np.random.Philox(key)), torch.Generator().manual_seed(key % (1 << 63)))


@dataclass(frozen=True)
class Budget:
    """A stage ends after `steps` or after `minutes` of processor time, so that a busy machine shortens nothing.

    Minutes count across restarts.
    """

    steps: int | None = None
    minutes: float | None = None

    def progress(self, step: int, seconds: float) -> float:
        by_steps = step / self.steps if self.steps is not None else 0.0
        by_time = seconds / (60 * self.minutes) if self.minutes is not None else 0.0
        return min(1.0, max(by_steps, by_time))


@dataclass
class Stage:
    """One thing to train. `groups` are parameter groups with an `lr`; `loss` takes (draw, progress).

    `finish` is called on the averaged weights before they are saved.
    """

    name: str
    model: nn.Module
    loss: Callable[[Draw, float], Tensor]
    groups: list[dict[str, object]]
    finish: Callable[[], None] | None = None
    ema: float = 0.999
    warmup: int = 100
    floor: float = 0.05
    clip: float = 1.0


@dataclass
class State:
    """What a stage has come to: steps, seconds of processor time, the loss at times, and since then (sum, count)."""

    step: int = 0
    seconds: float = 0.0
    losses: list[tuple[int, float]] = field(default_factory=list)
    recent: tuple[float, int] = (0.0, 0)

    def add(self, loss: float) -> None:
        self.recent = (self.recent[0] + loss, self.recent[1] + 1)

    def report(self) -> float:
        mean = self.recent[0] / max(self.recent[1], 1)
        self.losses.append((self.step, mean))
        self.recent = (0.0, 0)
        return mean


def device_of(model: nn.Module) -> torch.device:
    """Where the model's weights are. Losses are drawn on the CPU and moved there."""
    return next(model.parameters()).device


def rate(progress: float, step: int, warmup: int, floor: float) -> float:
    """The share of the learning rate: a warm-up, a plateau, and a fall over the last 60 %."""
    fall = 1.0 if progress < 0.4 else 1 - (1 - floor) * (progress - 0.4) / 0.6
    return min(1.0, (step + 1) / warmup) * fall


def save_atomically(value: object, path: Path) -> None:
    """Write beside `path`, then rename: a kill leaves the old file or the new one."""
    partial = path.with_name(path.name + ".partial")
    torch.save(value, partial)
    os.replace(partial, path)


class Interrupted(Exception):
    """The time of this call was up before the stage was done; it goes on from its checkpoint."""


def run(
    stage: Stage,
    budget: Budget,
    folder: Path,
    *,
    seed: int,
    checkpoint_seconds: float,
    report_steps: int,
    device: str = "cpu",
    until: float = math.inf,
) -> State:
    """Train `stage` to the end of `budget`, from its checkpoint in `folder` if there is one.

    Leaves the averaged weights in the model and in `folder/<name>.pt`.

    Raises:
        Interrupted: the monotonic clock reached `until`; everything is in the checkpoint.
    """
    path = folder / f"{stage.name}.checkpoint.pt"
    stage.model.to(device)
    optimizer = MuonAdamW(stage.groups)
    base = [float(group["lr"]) for group in optimizer.param_groups]
    average = {name: value.detach().clone() for name, value in stage.model.state_dict().items()}
    state = State()
    if path.exists():
        state, average = _restore(path, stage.model, optimizer)
    began, saved = time.process_time() - state.seconds, time.monotonic()
    stage.model.train()
    while (progress := budget.progress(state.step, time.process_time() - began)) < 1:
        share = rate(progress, state.step, stage.warmup, stage.floor)
        for group, lr in zip(optimizer.param_groups, base, strict=True):
            group["lr"] = lr * share
        loss = stage.loss(draw_for(seed, stage.name, state.step), progress)
        loss.backward()
        nn.utils.clip_grad_norm_([p for g in stage.groups for p in g["params"]], stage.clip)  # type: ignore[attr-defined]
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        state.step += 1
        state.seconds = time.process_time() - began
        _follow(average, stage.model, min(stage.ema, (1 + state.step) / (10 + state.step)))
        state.add(float(loss.detach()))
        if state.step % report_steps == 0:
            mean = state.report()
            print(f"{stage.name} step {state.step} {state.seconds:.0f} s {progress:.0%} loss {mean:.5f}", flush=True)
        if time.monotonic() - saved > checkpoint_seconds or time.monotonic() > until:
            _save(path, stage.model, average, optimizer, state)
            saved = time.monotonic()
        if time.monotonic() > until:
            raise Interrupted(f"{stage.name} after {state.step} steps")
    _save(path, stage.model, average, optimizer, state)
    stage.model.load_state_dict(average)
    stage.model.cpu().eval()
    if stage.finish is not None:
        stage.finish()
    save_atomically(stage.model.state_dict(), folder / f"{stage.name}.pt")
    return state


def _follow(average: dict[str, Tensor], model: nn.Module, decay: float) -> None:
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if value.is_floating_point():
                average[name].lerp_(value, 1 - decay)
            else:
                average[name].copy_(value)


def _save(
    path: Path, model: nn.Module, average: dict[str, Tensor], optimizer: torch.optim.Optimizer, state: State
) -> None:
    save_atomically(
        {
            "model": model.state_dict(),
            "average": average,
            "optimizer": optimizer.state_dict(),
            "state": json.dumps([state.step, state.seconds, state.losses, state.recent]),
        },
        path,
    )


def _restore(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> tuple[State, dict[str, Tensor]]:
    saved = torch.load(path, weights_only=True, map_location=device_of(model))
    model.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])
    step, seconds, losses, recent = json.loads(saved["state"])
    return State(step, seconds, [tuple(pair) for pair in losses], tuple(recent)), saved["average"]
