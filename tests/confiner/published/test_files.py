# SPDX-License-Identifier: GPL-3.0-or-later
"""Published files give exactly the tensors they hold, whatever names they use for them."""

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from confiner.chains import WeightSource
from confiner.errors import ChainError
from confiner.experts.lavie_unet import LaVieUNet
from confiner.loading.pickled import convert
from confiner.loading.single_file import name_in_file, read_part
from confiner_lab.published import read_repository, scaled_down
from confiner_lab.published.layouts import random_tensors
from diffusers import AutoencoderKL, UNet2DConditionModel, UNet3DConditionModel
from safetensors.torch import load_file, save_file
from transformers import CLIPTextModel

ONE_FILE = "v1-5-pruned-emaonly.safetensors"
KINDS = {"unet": UNet2DConditionModel, "vae": AutoencoderKL, "text_encoder": CLIPTextModel}


def assert_holds(network: torch.nn.Module, name: str, part: str, path: str) -> None:
    """The network's tensors are those that the layout wrote into the file at `path`."""
    expected = random_tensors(scaled_down(read_repository(name)), part, path)
    found = network.state_dict()
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert torch.equal(found[key], value), key


@pytest.mark.parametrize("part", KINDS)
def test_a_folder_of_stable_diffusion_loads_whole(snapshots: dict[str, Path], part: str) -> None:
    network = KINDS[part].from_pretrained(snapshots["stable_diffusion"] / part)
    file = "model.safetensors" if part == "text_encoder" else "diffusion_pytorch_model.safetensors"
    assert_holds(network, "stable_diffusion", part, f"{part}/{file}")


@pytest.mark.parametrize(("part", "kind"), [("unet", UNet3DConditionModel), ("text_encoder", CLIPTextModel)])
def test_a_folder_of_modelscope_loads_whole(snapshots: dict[str, Path], part: str, kind: Any) -> None:
    network = kind.from_pretrained(snapshots["modelscope"] / part)
    file = "model.safetensors" if part == "text_encoder" else "diffusion_pytorch_model.safetensors"
    assert_holds(network, "modelscope", part, f"{part}/{file}")


@pytest.mark.parametrize("part", KINDS)
def test_a_one_file_checkpoint_loads_whole(snapshots: dict[str, Path], part: str) -> None:
    network = read_part(KINDS[part], snapshots["stable_diffusion"] / ONE_FILE)
    assert_holds(network, "stable_diffusion", part, ONE_FILE)


@pytest.mark.parametrize("part", ["unet", "vae"])
def test_diffusers_understands_the_one_file_checkpoint_alike(snapshots: dict[str, Path], part: str) -> None:
    """So its names are the published ones, and not merely the ones that writer and reader agree on."""
    folder = snapshots["stable_diffusion"]
    network = KINDS[part].from_single_file(str(folder / ONE_FILE), config=str(folder), subfolder=part)
    assert_holds(network, "stable_diffusion", part, ONE_FILE)


def test_a_one_file_checkpoint_at_full_size_has_the_published_names() -> None:
    """Names known by heart, from each corner of the file."""
    assert name_in_file("unet", "time_embedding.linear_2.weight") == "model.diffusion_model.time_embed.2.weight"
    up = "up_blocks.3.attentions.2.transformer_blocks.0.attn2.to_k.weight"
    there = "output_blocks.11.1.transformer_blocks.0.attn2.to_k.weight"
    assert name_in_file("unet", up) == f"model.diffusion_model.{there}"
    text = "cond_stage_model.transformer.text_model.final_layer_norm.bias"
    assert name_in_file("text_encoder", "text_model.final_layer_norm.bias") == text
    assert name_in_file("text_encoder", "final_layer_norm.bias") == text


def test_a_file_that_is_no_checkpoint_is_refused_with_a_remedy(tmp_path: Path) -> None:
    path = tmp_path / "lora.safetensors"
    save_file({"lora_unet_down.weight": torch.zeros(1)}, path)
    with pytest.raises(ChainError, match=r"lora\.safetensors without a whole unet") as refused:
        read_part(UNet2DConditionModel, path)
    assert "another place for the unet" in refused.value.remedy


def test_lavies_pickled_file_becomes_a_folder_once(snapshots: dict[str, Path]) -> None:
    folder = convert(snapshots["lavie"] / "lavie_base.pt")
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "diffusion_pytorch_model.safetensors"]
    assert not list(folder.parent.glob("*.part"))
    assert_holds(LaVieUNet.from_pretrained(folder), "lavie", "unet", "lavie_base.pt")


class Mischief:
    """Unpickles into the result of a call."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (Path("mischief"),))


def test_a_pickled_file_with_code_in_it_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"ema": Mischief()}, tmp_path / "lavie_base.pt")
    (tmp_path / "plain.pt").write_bytes(pickle.dumps(Mischief(), protocol=2))
    for name in ("lavie_base.pt", "plain.pt"):
        with pytest.raises(ChainError, match="cannot be read as weights"):
            convert(tmp_path / name)
    assert not (tmp_path / "mischief").exists()


def test_a_pickled_file_of_another_network_is_refused(snapshots: dict[str, Path], tmp_path: Path) -> None:
    image = load_file(snapshots["stable_diffusion"] / "unet/diffusion_pytorch_model.safetensors")
    torch.save(image, tmp_path / "image.pt")
    with pytest.raises(ChainError, match="other tensors than LaVie's"):
        convert(tmp_path / "image.pt")
    assert not (tmp_path / "image").exists()


@pytest.mark.parametrize("part", ["unet", "text_encoder"])
def test_a_folder_of_pickled_weights_is_converted_file_by_file(
    snapshots: dict[str, Path], tmp_path: Path, part: str
) -> None:
    """Older repositories have nothing else, under the names that each library gave its pickled files."""
    names = {"unet": "diffusion_pytorch_model", "text_encoder": "model"}
    tensors = load_file(snapshots["modelscope"] / part / f"{names[part]}.safetensors")
    folder = tmp_path / part
    folder.mkdir()
    (folder / "config.json").write_bytes((snapshots["modelscope"] / part / "config.json").read_bytes())
    pickled = folder / ("pytorch_model.bin" if part == "text_encoder" else "diffusion_pytorch_model.bin")
    torch.save(tensors, pickled)
    place = WeightSource(f"./{part}", tmp_path)
    assert (place.folder(), place.pickled()) == (None, pickled)
    assert convert(pickled) == folder / f"{names[part]}.safetensors"
    assert (place.folder(), place.pickled()) == (folder, None)
    kind = UNet3DConditionModel if part == "unet" else CLIPTextModel
    assert_holds(kind.from_pretrained(folder), "modelscope", part, f"{part}/{names[part]}.safetensors")


def test_a_folder_without_its_weights_is_not_there(snapshots: dict[str, Path], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes((snapshots["modelscope"] / "unet" / "config.json").read_bytes())
    assert WeightSource(str(tmp_path), tmp_path).folder() is None
