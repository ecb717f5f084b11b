# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights rest while others work, each layer with one owner; a clip is the same wherever they rest.

Without a GPU the device is the CPU once more, so what is tested is who is moved when, and that nothing else changes.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from confiner import ClipRequest, FramesDone, generate, load_chain, resolve_plan
from confiner.chains import read_file
from confiner.loading.chain import Chain
from confiner.loading.module_cache import _motion_network
from confiner.memory import offloading as offload
from confiner.memory.choice import MemoryChoice
from confiner.memory.offloading import ModelOffloading, layers, works_on
from diffusers import MotionAdapter, UNet2DConditionModel

META = torch.device("meta")


def clip(chain: Chain) -> np.ndarray:
    request = ClipRequest(prompt="a", num_frames=3, width=32, height=32, seed=1, control_steps=1, refine_steps=1)
    events = generate(request, chain, resolve_plan(request, chain))
    return np.concatenate([event.frames for event in events if isinstance(event, FramesDone)])


@pytest.mark.parametrize("resting", ["model", "group"])
def test_a_clip_is_the_same_wherever_weights_rest(chain_file: Path, chain: Chain, resting: str) -> None:
    memory = MemoryChoice("float32", resting, 4)  # type: ignore[arg-type]
    rested = load_chain(read_file(chain_file)["tiny"], memory=memory)
    assert rested.cache.offload == resting
    np.testing.assert_array_equal(clip(rested), clip(chain))
    networks = [expert.unet for expert in rested.experts.values()]
    if resting == "model":
        assert all(works_on(network) == torch.device("cpu") for network in networks)
        assert all(hasattr(network, "_hf_hook") for network in networks)
    else:
        assert all(hasattr(layer, "_diffusers_hook") for network in networks for layer in layers(network))


@pytest.fixture
def moves(monkeypatch: pytest.MonkeyPatch) -> list[tuple[torch.nn.Module, str]]:
    """Every move of a layer and where to, instead of the move: nothing comes back from the meta device."""
    made: list[tuple[torch.nn.Module, str]] = []
    monkeypatch.setattr(offload, "_move", lambda layer, device: made.append((layer, device.type)))
    return made


def test_a_network_is_brought_to_the_device_with_what_it_is_given() -> None:
    network = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())
    ModelOffloading(META).join(network)
    assert network[0].weight.device.type == "cpu"
    assert works_on(network) == META
    assert network(torch.ones(1, 2)).device == META
    assert network[0].weight.device == META


def test_one_network_is_on_the_device_at_a_time(moves: list[tuple[torch.nn.Module, str]]) -> None:
    turns = ModelOffloading(META)
    first, second = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    for network in (first, second, second, first):
        turns.admit(network)
    to_first = [(second, "cpu"), (first, "meta")]
    assert moves == [(first, "meta"), (first, "cpu"), (second, "meta"), *to_first]


def test_a_layer_that_two_networks_share_has_one_owner_and_stays_for_both(
    moves: list[tuple[torch.nn.Module, str]],
) -> None:
    shared, own = torch.nn.Linear(2, 2), torch.nn.Linear(2, 2)
    image, motion = torch.nn.Sequential(shared), torch.nn.Sequential(shared, own)
    turns = ModelOffloading(META)
    turns.admit(motion)
    moves.clear()
    turns.admit(image)
    assert moves == [(own, "cpu")]
    turns.admit(motion)
    assert moves[1:] == [(own, "meta")]


def test_the_motion_network_is_built_of_the_image_networks_own_layers() -> None:
    image = UNet2DConditionModel(
        block_out_channels=(32, 32),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=16,
    )
    motion = _motion_network(image, MotionAdapter(block_out_channels=(32, 32), motion_layers_per_block=1))
    assert set(layers(image)) < set(layers(motion))
