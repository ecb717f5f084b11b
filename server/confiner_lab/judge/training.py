# SPDX-License-Identifier: GPL-3.0-or-later
"""Trains the judge on the world's real clips: `python -m confiner_lab.judge.training --out FOLDER`.

It goes on from the checkpoint in FOLDER, if there is one, and leaves `judge.safetensors` there, whose metadata says
how it was trained and what it reached on clips it had not seen.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor

from ..world import ATTRIBUTES, WORLD_VERSION, random_clip, render_clip
from .network import CLIP_ATTRIBUTES, CLIP_FRAMES, FRAME_ATTRIBUTES, Judge
from .sight import visible_frames

WIDTHS = (64, 112)
BATCH = 16
FRESH = 4
"""Clips rendered for each step; the rest of a batch is drawn from those rendered before."""
POOL = 6000
HELD_OUT_SEED = 1 << 20


@dataclass(frozen=True)
class Example:
    """A clip's frames [16, height, width, 3], labels, and in which frames enough of the object is seen to name it."""

    frames: NDArray[np.uint8]
    labels: dict[str, int]
    start: int
    visible: NDArray[np.bool_]


@dataclass
class Pool:
    """The clips rendered so far, the oldest replaced first."""

    width: int
    rng: np.random.Generator
    examples: list[Example] = field(default_factory=list)
    rendered: int = 0

    def add(self, count: int) -> None:
        for _ in range(count):
            example = render_example(self.rng, self.width)
            if len(self.examples) < POOL:
                self.examples.append(example)
            else:
                self.examples[self.rendered % POOL] = example
            self.rendered += 1

    def draw(self, count: int) -> list[Example]:
        return [self.examples[i] for i in self.rng.integers(len(self.examples), size=count)]


def render_example(rng: np.random.Generator, width: int) -> Example:
    """A random clip of the final look."""
    clip = random_clip(rng, width=width)
    return Example(render_clip(clip, CLIP_FRAMES), clip.labels(), clip.start, visible_frames(clip))


def to_tensor(frames: list[NDArray[np.uint8]]) -> Tensor:
    """Clips [clips, frames, 3, height, width] in 0…1."""
    return torch.from_numpy(np.stack(frames)).permute(0, 1, 4, 2, 3).float() / 255


def roughen(clips: Tensor, generator: torch.Generator) -> Tensor:
    """Blur, grain and a tint of each clip's own, so that a good likeness is judged as what it resembles."""
    count = len(clips)

    def chance(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator)

    soft = soften(clips)
    amount = (chance(count) * 1.4 - 0.4).clamp(min=0).view(-1, 1, 1, 1, 1)
    clips = clips + amount * (soft - clips)
    clips = clips * (0.94 + 0.12 * chance(count, 1, 3, 1, 1))
    grain = 0.05 * (chance(count, 1, 1, 1, 1) - 0.4).clamp(min=0)
    return (clips + grain * torch.randn(clips.shape, generator=generator)).clamp(0, 1)


def soften(clips: Tensor) -> Tensor:
    """A blur over space, 5 pixels wide."""
    kernel = torch.tensor([1.0, 4, 6, 4, 1])
    kernel = (kernel[:, None] * kernel / 256).view(1, 1, 5, 5).repeat(3, 1, 1, 1)
    flat = F.pad(clips.flatten(0, 1), (2, 2, 2, 2), mode="replicate")
    return F.conv2d(flat, kernel, groups=3).view(clips.shape)


def loss_of(logits: dict[str, Tensor], examples: list[Example]) -> Tensor:
    """Cross-entropy over all attributes; colour and shape only where the object is seen."""
    visible = torch.from_numpy(np.stack([example.visible for example in examples]))
    total = torch.zeros(())
    for name in FRAME_ATTRIBUTES:
        target = torch.tensor([example.labels[name] for example in examples])[:, None].expand(-1, CLIP_FRAMES)
        losses = F.cross_entropy(logits[name].transpose(1, 2), target, reduction="none")
        seen = visible if name in ("colour", "shape") else torch.ones_like(visible)
        total = total + (losses * seen).sum() / seen.sum().clamp(min=1)
    for name in CLIP_ATTRIBUTES:
        total = total + F.cross_entropy(logits[name], torch.tensor([example.labels[name] for example in examples]))
    return total


@torch.no_grad()
def accuracy(judge: Judge, examples: list[Example]) -> dict[str, float]:
    """The part of frames (with the object in sight) and of clips that are named rightly."""
    judge.eval()
    right: dict[str, list[bool]] = {name: [] for name in ATTRIBUTES}
    for example in examples:
        logits = judge(to_tensor([example.frames]), torch.tensor([example.start]))
        for name in FRAME_ATTRIBUTES:
            right[name] += (logits[name][0].argmax(1).numpy() == example.labels[name])[example.visible].tolist()
        for name in CLIP_ATTRIBUTES:
            right[name].append(int(logits[name].argmax()) == example.labels[name])
    judge.train()
    return {name: float(np.mean(values)) for name, values in right.items()}


def train(out: Path, *, steps: int, seed: int, held_out: int, report_every: int = 200) -> dict[str, float]:
    """Train for `steps` in all and write the weights to `out`; return what they reach on clips not seen."""
    torch.manual_seed(seed)
    judge = Judge()
    optimiser = torch.optim.AdamW(judge.parameters(), lr=2e-3, weight_decay=0.02)
    checkpoint = out / "checkpoint.pt"
    done, seconds = 0, 0.0
    if checkpoint.exists():
        kept = torch.load(checkpoint, weights_only=True)
        judge.load_state_dict(kept["judge"])
        optimiser.load_state_dict(kept["optimiser"])
        done, seconds = kept["step"], kept["seconds"]
    generator = torch.Generator().manual_seed(seed + done)
    pools = [Pool(width, np.random.default_rng([seed, done, width])) for width in WIDTHS]
    started = time.monotonic()
    for step in range(done, steps):
        rate = 2e-3 * min(1, (step + 1) / 100) * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * step / steps)))
        for group in optimiser.param_groups:
            group["lr"] = float(rate)
        pool = pools[step % 4 == 3]
        pool.add(BATCH if len(pool.examples) < BATCH else FRESH)
        examples = pool.draw(BATCH)
        clips = roughen(to_tensor([example.frames for example in examples]), generator)
        loss = loss_of(judge(clips, torch.tensor([example.start for example in examples])), examples)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(judge.parameters(), 1.0)
        optimiser.step()
        if (step + 1) % report_every == 0 or step + 1 == steps:
            elapsed = seconds + time.monotonic() - started
            print(f"step {step + 1}/{steps}  loss {loss.item():.3f}  {elapsed:.0f} s", flush=True)
            _save_checkpoint(checkpoint, judge, optimiser, step + 1, elapsed)
    rng = np.random.default_rng([seed, HELD_OUT_SEED])
    reached = accuracy(judge, [render_example(rng, WIDTHS[index % 4 == 3]) for index in range(held_out)])
    record = {
        "world": WORLD_VERSION,
        "steps": steps,
        "seed": seed,
        "seconds": round(seconds + time.monotonic() - started),
        "held_out_clips": held_out,
        "held_out_accuracy": {name: round(value, 4) for name, value in reached.items()},
    }
    weights = {name: tensor.detach().half().contiguous() for name, tensor in judge.state_dict().items()}
    save_file(weights, out / "judge.safetensors", metadata={"training": json.dumps(record)})
    return reached


def _save_checkpoint(path: Path, judge: Judge, optimiser: torch.optim.Optimizer, step: int, seconds: float) -> None:
    whole = path.with_suffix(".new")
    torch.save(
        {"judge": judge.state_dict(), "optimiser": optimiser.state_dict(), "step": step, "seconds": seconds}, whole
    )
    whole.replace(path)


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the judge on the world's real clips.")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoint and weights")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--held-out", type=int, default=600, help="clips to measure the accuracy on")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    arguments.out.mkdir(parents=True, exist_ok=True)
    reached = train(arguments.out, steps=arguments.steps, seed=arguments.seed, held_out=arguments.held_out)
    for name, value in reached.items():
        print(f"{name:8} {value:.1%}")


if __name__ == "__main__":
    main()
