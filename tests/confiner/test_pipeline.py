# SPDX-License-Identifier: GPL-3.0-or-later
"""ConFinerPipeline, as someone who comes from diffusers would use it."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import confiner
import numpy as np
import pytest
import torch
from confiner import ConFinerPipeline
from confiner.errors import RequestError, UnknownChain
from confiner.loading.chain import Chain
from diffusers import DiffusionPipeline
from PIL import Image

FEW: dict[str, Any] = {"num_frames": 4, "control_steps": 1, "refine_steps": 1}


@pytest.fixture
def pipe(chain: Chain) -> ConFinerPipeline:
    pipe = ConFinerPipeline(chain)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_it_is_loaded_by_folder_or_by_name(chain_file: Path) -> None:
    by_folder = ConFinerPipeline.from_pretrained(chain_file.parent)
    by_name = ConFinerPipeline.from_pretrained("tiny", chain_file=chain_file, torch_dtype=torch.float64)
    assert isinstance(by_folder, DiffusionPipeline)
    assert (by_folder.device, by_folder.dtype, by_name.dtype) == (torch.device("cpu"), torch.float32, torch.float64)
    assert {"control", "spatial", "temporal", "vae"} <= by_folder.components.keys()
    assert by_name.to(torch.float32).dtype == torch.float32
    with pytest.raises(UnknownChain, match="tinny"):
        ConFinerPipeline.from_pretrained("tinny", chain_file=chain_file)


def test_the_packages_names_stay_its_own_once_the_pipeline_is_imported() -> None:
    assert confiner.ConFinerPipeline is ConFinerPipeline
    assert all(not isinstance(getattr(confiner, name), ModuleType) for name in confiner.__all__)


def test_the_generator_gives_the_seed(pipe: ConFinerPipeline) -> None:
    first = pipe("a cube", generator=_seeded(1), output_type="np", **FEW).frames
    again = pipe("a cube", generator=_seeded(1), output_type="np", **FEW).frames
    other = pipe("a cube", generator=_seeded(2), output_type="np", **FEW).frames
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_output_comes_in_diffusers_forms(pipe: ConFinerPipeline) -> None:
    arrays = pipe(["a cube", "a cone"], generator=_seeded(1), output_type="np", **FEW).frames
    (tensors,) = pipe(["a cube", "a cone"], generator=_seeded(1), output_type="pt", return_dict=False, **FEW)
    pictures = pipe(["a cube", "a cone"], generator=_seeded(1), **FEW).frames
    latents = pipe(["a cube", "a cone"], generator=_seeded(1), output_type="latent", **FEW).frames
    assert arrays.shape == (2, 4, 32, 32, 3)
    assert arrays.dtype == np.float32
    assert 0 <= arrays.min() < arrays.max() <= 1
    assert np.array_equal(tensors.permute(0, 1, 3, 4, 2).numpy(), arrays)
    assert np.array_equal(np.asarray(pictures[1][3]), (arrays[1, 3] * 255).round().astype(np.uint8))
    assert latents.shape == (2, 4, 4, 8, 8)
    with pytest.raises(RequestError, match="output_type 'gif'"):
        pipe("a cube", output_type="gif", **FEW)  # type: ignore[arg-type]


def test_viewport_frames_are_taken_as_video(pipe: ConFinerPipeline) -> None:
    video = [Image.new("RGB", (32, 32), (shade, 0, 0)) for shade in (0, 90, 180)]
    steps = {"refine_steps": 1, "generator": _seeded(1)}
    frames = pipe("a cube", video=video, **steps).frames[0]
    assert len(frames) == 3
    with pytest.raises(RequestError, match="3 structure frames"):
        pipe("a cube", video=video, num_frames=5, **steps)


def test_steps_are_called_back_with_latents_and_can_be_interrupted(pipe: ConFinerPipeline) -> None:
    steps: list[tuple[int, int, tuple[int, ...]]] = []

    def look(pipe: ConFinerPipeline, step: int, timestep: int, kwargs: dict[str, Any]) -> None:
        steps.append((step, timestep, tuple(kwargs["latents"].shape)))
        pipe.interrupt = len(steps) == 6

    frames = pipe("a cube", callback_on_step_end=look).frames[0]
    assert [timestep for _, timestep, _ in steps] == [999, 749, 499, 249, 300, 240]
    assert steps[5] == (5, 240, (1, 4, 16, 8, 8))
    assert frames == []
