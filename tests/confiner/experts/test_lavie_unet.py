# SPDX-License-Identifier: GPL-3.0-or-later
"""LaVie's UNet against the published implementation.

`lavie_reference.safetensors` holds what LaVie's own base model (its repository at commit 6ce851e, with
rotary-embedding-torch 0.3.5) put out for the network, weights and inputs that this file makes from numpy's generator.
"""

import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from confiner.experts.lavie_unet import LaVieUNet, position_buckets
from safetensors.torch import load_file

REFERENCE = Path(__file__).with_name("lavie_reference.safetensors")
CLIPS = {5: 2, 8: 1, 16: 1, 40: 1}
"""How many clips the reference has for each number of frames."""

SHAPE = {"block_out_channels": (64, 96), "layers_per_block": 1, "norm_num_groups": 8}
TEXT = {"cross_attention_dim": 16, "attention_head_dim": 2}


def drawn(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    """Normal numbers that depend on `name` alone, the same on every machine."""
    numbers = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode()))).standard_normal(shape)
    return torch.from_numpy(numbers).float()


def weights(shapes: dict[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    """Weights under which every part of the network matters: none near zero, none that saturates."""
    made = {}
    for name, shape in shapes.items():
        values = drawn(name, shape)
        if name.endswith("rotary_emb.freqs"):
            values = 10_000.0 ** -(torch.arange(shape[0]).float() / shape[0])
        elif "norm" in name:
            values = 0.2 * values + (1.0 if name.endswith("weight") else 0.0)
        elif len(shape) > 1 and "rel_pos" not in name:
            values = values / values[0].numel() ** 0.5
        made[name] = values
    return made


def inputs(frames: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Latents of odd height and text for `CLIPS[frames]` clips."""
    clips = CLIPS[frames]
    return drawn(f"latents {frames}", (clips, 4, frames, 5, 6)), drawn(f"text {frames}", (clips, 3, 16))


@pytest.fixture(scope="module")
def unet() -> LaVieUNet:
    blocks = {
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
    }
    model = LaVieUNet(**SHAPE, **TEXT, **blocks)
    model.load_state_dict(weights({name: tuple(value.shape) for name, value in model.state_dict().items()}))
    return model.eval()


@pytest.mark.parametrize("frames", CLIPS)
def test_it_agrees_with_the_published_implementation(unet: LaVieUNet, frames: int) -> None:
    latents, text = inputs(frames)
    with torch.no_grad():
        noise = unet(latents, 321, encoder_hidden_states=text).sample
    reference = load_file(REFERENCE)[f"noise.{frames}"]
    assert float(reference.std()) > 0.3
    torch.testing.assert_close(noise, reference, rtol=0, atol=1e-5)


def test_frames_know_of_each_other_and_clips_do_not(unet: LaVieUNet) -> None:
    latents, text = inputs(5)
    changed = latents.clone()
    changed[0, :, 0] += 1.0
    with torch.no_grad():
        before, after = (unet(each, 321, text, return_dict=False)[0] for each in (latents, changed))
    assert float((before[0, :, 4] - after[0, :, 4]).abs().max()) > 1e-3
    torch.testing.assert_close(before[1], after[1], rtol=0, atol=1e-6)


def test_a_saved_model_comes_back_the_same(unet: LaVieUNet, tmp_path: Path) -> None:
    unet.save_pretrained(tmp_path)
    again = LaVieUNet.from_pretrained(tmp_path)
    assert again.config.block_out_channels == [64, 96]
    for name, value in unet.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name


def test_half_precision_keeps_its_frequencies_whole(unet: LaVieUNet, tmp_path: Path) -> None:
    """Rounded to half precision, late frames would be turned by other angles than the ones trained."""
    unet.save_pretrained(tmp_path)
    half = LaVieUNet.from_pretrained(tmp_path, torch_dtype=torch.bfloat16)
    kept = {name for name, value in half.state_dict().items() if value.dtype == torch.float32}
    assert kept == {name for name in half.state_dict() if name.endswith("rotary_emb.freqs")}
    latents, text = (each.bfloat16() for each in inputs(5))
    with torch.no_grad():
        assert half(latents, 5, text).sample.dtype == torch.bfloat16


def test_distances_fall_into_thirty_two_buckets() -> None:
    """Eight exact distances each way, then wider and wider ones, and one for everything from 32 frames on."""
    buckets = position_buckets(torch.arange(-40, 41))
    past, future = buckets[:41].flip(0), buckets[41:]
    assert past[:10].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 8]
    assert set(past[32:].tolist()) == {15}
    assert torch.equal(future, past[1:] + 16)
    assert bool((past.diff() >= 0).all())
