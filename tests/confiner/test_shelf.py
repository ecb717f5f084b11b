# SPDX-License-Identifier: GPL-3.0-or-later
"""Swapping an expert loads that expert and nothing else, and swapping back loads nothing."""

import shutil
from dataclasses import replace
from pathlib import Path

import torch
from confiner.chains import ChainSpec, WeightSource, read_file
from confiner.loading.chain import load_chain
from confiner.loading.module_cache import ModuleCache
from diffusers import UNet2DConditionModel


def swapped(chain_file: Path, tmp_path: Path) -> tuple[ChainSpec, ChainSpec]:
    """The tiny chain, and the same with another spatial network."""
    spec = read_file(chain_file)["tiny"]
    shutil.copytree(chain_file.parent / "spatial" / "unet", tmp_path / "unet")
    other = UNet2DConditionModel.from_pretrained(tmp_path / "unet")
    with torch.no_grad():
        other.conv_out.bias += 1.0
    other.save_pretrained(tmp_path / "unet")
    return spec, replace(spec, spatial=replace(spec.spatial, unet=WeightSource("./unet", tmp_path)))


def test_swapping_an_expert_loads_that_one_alone(chain_file: Path, tmp_path: Path) -> None:
    spec, other = swapped(chain_file, tmp_path)
    cache = ModuleCache(torch.device("cpu"), torch.float32)
    first = load_chain(spec, cache=cache)
    before = dict(cache.parts)
    second = load_chain(other, cache=cache)
    added = [cache.parts[key] for key in cache.parts.keys() - before.keys()]
    assert added == [second.spatial.unet]
    assert second.control.unet is first.control.unet
    assert second.preview_map is first.preview_map
    assert first.weights.items() ^ second.weights.items() == {
        ("spatial.unet", first.weights["spatial.unet"]),
        ("spatial.unet", second.weights["spatial.unet"]),
    }


def test_swapping_back_loads_nothing(chain_file: Path, tmp_path: Path) -> None:
    spec, other = swapped(chain_file, tmp_path)
    cache = ModuleCache(torch.device("cpu"), torch.float32)
    first = load_chain(spec, cache=cache)
    load_chain(other, cache=cache)
    parts = dict(cache.parts)
    again = load_chain(spec, cache=cache)
    assert cache.parts.keys() == parts.keys()
    assert again.spatial.unet is first.spatial.unet
    assert again.weights == first.weights
