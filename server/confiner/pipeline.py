# SPDX-License-Identifier: GPL-3.0-or-later
"""`ConFinerPipeline`: the library in diffusers' own look and habit.

pipe = ConFinerPipeline.from_pretrained("bundled")
frames = pipe("a red cube moves left", generator=torch.Generator().manual_seed(7)).frames[0]
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from diffusers import DiffusionPipeline
from diffusers.utils import BaseOutput
from PIL import Image

from .chains import find_chain, read_chains, read_file
from .errors import RequestError
from .experts.latent_space import Pictures
from .generation.events import FramesDone, StepDone
from .generation.generate import generate
from .generation.plan import resolve_plan
from .generation.request import ClipRequest
from .generation.unread import unread_words
from .loading.chain import Chain, load_chain
from .method.prompt_schedule import CROSSOVER, Stretch
from .pictures import frames_of

log = logging.getLogger(__name__)

StepCallback = Callable[["ConFinerPipeline", int, int, dict[str, Any]], dict[str, Any] | None]


@dataclass
class ConFinerPipelineOutput(BaseOutput):
    """`frames` holds one clip per prompt: lists of PIL images, or one array or tensor `[clips, frames, …]`.

    Latents are one tensor `[clips, channels, frames, height, width]`.
    """

    frames: Any


class ConFinerPipeline(DiffusionPipeline):
    """Text (or viewport frames) to video by a chain of control, spatial and temporal experts."""

    def __init__(self, chain: Chain) -> None:
        super().__init__()
        self.register_to_config()
        self.chain = chain
        self.interrupt = False

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: str | Path,
        *,
        chain_file: Path | None = None,
        device: str | torch.device = "cpu",
        torch_dtype: torch.dtype = torch.float32,
    ) -> ConFinerPipeline:
        """The pipeline of a chain: its name among the built-in ones or those of `chain_file`.

        A folder with a `chains.toml`, or a chain file, stands for the only chain in it.
        """
        path = Path(pretrained_model_name_or_path)
        if path.is_dir():
            path /= "chains.toml"
        if path.suffix == ".toml":
            chains = read_file(path)
            name = next(iter(chains)) if len(chains) == 1 else path.stem
        else:
            chains, name = read_chains(chain_file), str(pretrained_model_name_or_path)
        return cls(load_chain(find_chain(chains, name), device=device, dtype=torch_dtype))

    @property
    def components(self) -> dict[str, Any]:
        """The parts that hold weights, by name."""
        parts = {role: expert.unet for role, expert in self.chain.experts.items()}
        encoders = {f"{role}_text_encoder": expert.text.model for role, expert in self.chain.experts.items()}
        return {**parts, **encoders, "vae": self.chain.space.vae}

    @property
    def device(self) -> torch.device:
        return self.chain.device

    @property
    def dtype(self) -> torch.dtype:
        return self.chain.dtype

    def to(self, device: str | torch.device | torch.dtype, dtype: torch.dtype | None = None) -> ConFinerPipeline:
        """Load the chain's experts again on another device or in another dtype."""
        place = self.chain.device if isinstance(device, torch.dtype) else device
        precision = device if isinstance(device, torch.dtype) else dtype or self.chain.dtype
        self.chain = load_chain(self.chain.spec, device=place, dtype=precision)
        return self

    def __call__(
        self,
        prompt: str | list[str],
        negative_prompt: str = "",
        num_frames: int | None = None,
        height: int | None = None,
        width: int | None = None,
        *,
        control_steps: int | None = None,
        refine_steps: int | None = None,
        freedom: int | None = None,
        rule: str = "coordinated",
        stretches: Sequence[Stretch] = (),
        crossover: int = CROSSOVER,
        video: Sequence[Image.Image | Pictures] | Pictures | torch.Tensor | None = None,
        generator: torch.Generator | None = None,
        output_type: Literal["pil", "np", "pt", "latent"] = "pil",
        return_dict: bool = True,
        callback_on_step_end: StepCallback | None = None,
    ) -> ConFinerPipelineOutput | tuple[Any]:
        """Make one clip per prompt.

        From each of `stretches` on another prompt holds; the change takes `crossover` frames.
        `video` are structure frames that take the control expert's place, in any form that diffusers' pipelines take or
        hand out (`confiner.pictures.frames_of`). `generator` gives the root seed and is not
        advanced; the clip of prompt i has that seed plus i. `callback_on_step_end(pipe, step, timestep, kwargs)` is
        called with the latents of the frames at hand, to look at; it may set `pipe.interrupt` to stop, and the frames
        finished until then are returned. Raises RequestError if the chain cannot make the clip.
        """
        if output_type not in ("pil", "np", "pt", "latent"):
            raise RequestError(f"output_type {output_type!r}", "'pil', 'np', 'pt' or 'latent'", "choose one of these")
        spec = self.chain.spec
        pictures = None if video is None else frames_of(video)
        seed = random.getrandbits(63) if generator is None else generator.initial_seed() % 2**63
        prompts = [prompt] if isinstance(prompt, str) else prompt
        self.interrupt = False
        clips = []
        for number, text in enumerate(prompts):
            request = ClipRequest(
                prompt=text,
                negative_prompt=negative_prompt,
                num_frames=num_frames or (16 if pictures is None else len(pictures)),
                width=width or spec.sizes[0][0],
                height=height or spec.sizes[0][1],
                seed=(seed + number) % 2**63,
                fps=spec.fps,
                rule=rule,
                freedom=freedom,
                control_steps=control_steps,
                refine_steps=refine_steps,
                stretches=tuple(stretches),
                crossover=crossover,
                structure=pictures,
            )
            clips.append(self._clip(request, callback_on_step_end))
        frames = _as_output(clips, output_type)
        return ConFinerPipelineOutput(frames=frames) if return_dict else (frames,)

    def _clip(self, request: ClipRequest, callback: StepCallback | None) -> list[FramesDone]:
        """One clip's frames, piece by piece; not all of them where the callback interrupted."""
        finished = []
        steps = 0
        plan = resolve_plan(request, self.chain)
        for sentence in unread_words(request, self.chain, plan):
            log.warning("%s", sentence)
        with self.progress_bar(total=1) as bar:
            for event in generate(request, self.chain, plan):
                if isinstance(event, FramesDone):
                    finished.append(event)
                elif isinstance(event, StepDone):
                    bar.total = event.evaluations_total
                    bar.update(event.evaluations - bar.n)
                    if callback is not None:
                        callback(self, steps, event.timestep, {"latents": event.latents})
                    steps += 1
                if self.interrupt:
                    break
        return finished


def _as_output(clips: list[list[FramesDone]], output_type: str) -> Any:
    if output_type == "latent":
        return torch.cat([torch.cat([piece.latents for piece in clip], dim=2) for clip in clips])
    if output_type == "pil":
        return [[Image.fromarray(frame) for piece in clip for frame in piece.frames] for clip in clips]
    unit = np.stack([np.concatenate([piece.frames for piece in clip]) for clip in clips]).astype(np.float32) / 255.0
    return unit if output_type == "np" else torch.from_numpy(unit).permute(0, 1, 4, 2, 3)
