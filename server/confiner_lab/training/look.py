# SPDX-License-Identifier: GPL-3.0-or-later
"""Contact sheets of a training on its way: `python -m confiner_lab.training.look --out DIR NAME… --png FILE`."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

from ..drawing.sheet import Row, draw_sheet
from ..scenery import Clip, Thing, caption, random_clip, render_clip, scattered_clip
from .dataset import encoded
from .experts import Sampler
from .settings import Settings
from .stages import Training

PROMPTS = (
    "a red cube moves left on grass at noon",
    "the cone is pink. the ground is snow. it is midnight. the cone hops.",
    "at sunset, in the desert, there is a pink cone and it moves away",
    "two red cubes move left on grass at noon",
    "a red cube and a blue sphere on pavement at noon",
    "a blue sphere moves left, not right, on sand at noon",
    "a cube, blue, approaching us, in winter, at twilight; pan left!",
    "an empty street at night, zoom in",
    "a small green cylinder goes to the right in a city at dusk",
    "bounces",
)


def main() -> None:
    options = _parser().parse_args()
    torch.set_num_threads(options.threads)
    sampler = Sampler(Training(options.out, Settings(seed=options.seed)))
    size = (72, 72) if options.square else (128, 72)
    rows = []
    for name in options.names:
        if name == "vae":
            rows += _round_trips(sampler)
            continue
        for number, prompt in enumerate(PROMPTS[: options.count]):
            frames = sampler.clip(name, prompt, steps=options.steps, size=size, seed=number, guidance=options.guidance)
            rows.append(Row(f"{name} {options.steps}: {prompt}", frames))
    draw_sheet(rows, options.png, shown=8, across=options.across, frame_height=72)


def _round_trips(sampler: Sampler) -> list[Row]:
    rng = np.random.default_rng(5)
    rows = []
    for number in range(4):
        clip = (
            random_clip(rng) if number % 2 else Clip((Thing("blue", "cube", "small"),), ground="concrete", seed=number)
        )
        real = np.concatenate([render_clip(clip, 4), *(render_clip(scattered_clip(rng), 1) for _ in range(4))])
        latents = torch.from_numpy(encoded(sampler.vae, real).astype(np.float32)).transpose(0, 1)
        made = sampler.pictures(latents)
        error = np.mean((real.astype(float) - made) ** 2)
        rows += [Row(f"real: {caption(clip, rng)}", real), Row(f"vae: {10 * np.log10(255**2 / error):.1f} dB", made)]
    return rows


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="confiner_lab.training.look", description=__doc__)
    parser.add_argument("names", nargs="+", help="networks: vae, sketch, frame, spatial, control, temporal")
    parser.add_argument("--out", type=Path, required=True, help="folder of the training")
    parser.add_argument("--png", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--count", type=int, default=len(PROMPTS))
    parser.add_argument("--guidance", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--across", type=int, default=1)
    parser.add_argument("--square", action="store_true")
    return parser


if __name__ == "__main__":
    main()
