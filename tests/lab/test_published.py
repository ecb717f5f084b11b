# SPDX-License-Identifier: GPL-3.0-or-later
"""The seed's experts at full size, without weights: every name and shape is what the hub's files have."""

import pytest
from confiner_lab.published import NAMES, read_repository, scaled_down
from confiner_lab.published.reading import motion_network
from torch import nn


def shapes(network: nn.Module) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in network.state_dict().items()}


def millions(network: nn.Module, *, buffers: bool = False) -> float:
    counted = network.state_dict().values() if buffers else network.parameters()
    return round(sum(value.numel() for value in counted) / 1e6, 1)


@pytest.fixture(scope="module")
def image() -> nn.Module:
    return read_repository("stable_diffusion").network("unet")


@pytest.mark.parametrize(
    ("name", "part", "count", "tensors"),
    [
        ("stable_diffusion", "unet", 859.5, 686),
        ("stable_diffusion", "vae", 83.7, 248),
        ("stable_diffusion", "text_encoder", 123.1, 196),
        ("animatediff_lightning", "motion_adapter", 453.2, 567),
        ("modelscope", "unet", 1411.2, 1480),
        ("modelscope", "text_encoder", 340.4, 372),
        ("lavie", "unet", 909.1, 830),
    ],
)
def test_a_network_has_its_published_size(name: str, part: str, count: float, tensors: int) -> None:
    network = read_repository(name).network(part)
    assert millions(network) == count
    assert len(network.state_dict()) == tensors


def test_lavie_is_stable_diffusion_and_nine_tensors_of_time_per_block(image: nn.Module) -> None:
    lavie = shapes(read_repository("lavie").network("unet"))
    assert shapes(image).items() <= lavie.items()
    added = lavie.keys() - shapes(image).keys()
    blocks = {name.partition(".attn_temp.")[0].partition(".norm_temp.")[0] for name in added}
    assert (len(added), len(blocks)) == (144, 16)
    block = "mid_block.attentions.0.transformer_blocks.0"
    assert {name.removeprefix(f"{block}."): lavie[name] for name in added if name.startswith(block)} == {
        "norm_temp.weight": (1280,),
        "norm_temp.bias": (1280,),
        "attn_temp.to_q.weight": (1280, 1280),
        "attn_temp.to_k.weight": (1280, 1280),
        "attn_temp.to_v.weight": (1280, 1280),
        "attn_temp.to_out.0.weight": (1280, 1280),
        "attn_temp.to_out.0.bias": (1280,),
        "attn_temp.time_rel_pos_bias.relative_attention_bias.weight": (32, 8),
        "attn_temp.rotary_emb.freqs": (16,),
    }


def test_animatediff_is_stable_diffusion_and_the_motion_adapter(image: nn.Module) -> None:
    motion = read_repository("animatediff_lightning")
    network = motion_network(read_repository("stable_diffusion"), motion)
    adapter = shapes(motion.network("motion_adapter"))
    assert millions(network) == 1312.7
    assert millions(motion.network("motion_adapter"), buffers=True) == 453.8
    assert shapes(network) == shapes(image) | adapter


@pytest.mark.parametrize("name", NAMES)
def test_scaling_down_keeps_every_name_of_the_unets(name: str) -> None:
    full = read_repository(name)
    small = scaled_down(full)
    for part in {"unet", "motion_adapter", "vae"} & set(full.weights.values()):
        assert shapes(small.network(part)).keys() == shapes(full.network(part)).keys()
        assert millions(small.network(part)) < 20
