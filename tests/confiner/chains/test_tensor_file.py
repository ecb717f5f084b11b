# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are no weights are told for what they are, before anything in them is used; whole ones are read."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import confiner
import pytest
import torch
from confiner.chains import ChainSpec, read_file
from confiner.chains.compatibility import check_chain
from confiner.chains.tensor_file import read_header
from confiner.errors import ChainError, StateError, WeightsDamaged
from confiner.generation.state import Band
from confiner.loading.chain import load_chain
from confiner.loading.pickled import convert
from confiner.memory.estimate import chain_sizes
from confiner.method.schedule import Prediction
from safetensors import safe_open
from safetensors.torch import save_file

from tests.confiner.damaged_files import DAMAGES

VAE = "diffusion_pytorch_model.safetensors"


@pytest.fixture
def whole(chain_file: Path) -> bytes:
    return (chain_file.parent / "spatial" / "vae" / VAE).read_bytes()


@pytest.fixture
def spoilt(chain_file: Path, tmp_path: Path) -> Callable[[str, bytes], ChainSpec]:
    """The tiny chain with another content in one of its files."""

    def spoil(file: str, content: bytes) -> ChainSpec:
        copy = tmp_path / "copy"
        shutil.copytree(chain_file.parent, copy)
        (copy / file).write_bytes(content)
        return read_file(copy / "chains.toml")["tiny"]

    return spoil


@pytest.mark.parametrize("name", DAMAGES)
def test_a_file_that_is_no_weights_is_told_for_what_it_is(whole: bytes, tmp_path: Path, name: str) -> None:
    damaged, said = DAMAGES[name]
    path = tmp_path / "model.safetensors"
    path.write_bytes(damaged(whole))
    with pytest.raises(WeightsDamaged) as refused:
        read_header(path)
    assert said in str(refused.value)
    assert "model.safetensors" in str(refused.value)
    assert str(tmp_path) in str(refused.value)
    assert refused.value.remedy


@pytest.mark.parametrize("kind", [torch.bool, torch.int8, torch.bfloat16, torch.float8_e4m3fn, torch.complex64])
def test_a_whole_file_is_read_as_its_own_reader_reads_it(tmp_path: Path, kind: torch.dtype) -> None:
    path = tmp_path / "model.safetensors"
    tensors = {
        "a": torch.zeros(2, 3),
        "b": torch.ones(5).to(kind),
        "none": torch.zeros(0, 4),
        "scalar": torch.zeros(()),
    }
    save_file(tensors, path, metadata={"format": "pt"})
    header = read_header(path)
    with safe_open(path, framework="pt") as file:
        assert header.shapes == {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
        assert header.metadata == file.metadata()
    assert header.values == 6 + 5 + 0 + 1


@pytest.mark.parametrize("name", ["empty", "web page", "pointer", "cut in its tensors", "unknown type"])
@pytest.mark.parametrize(
    "file", [f"spatial/vae/{VAE}", "temporal/text_encoder/model.safetensors", f"control/unet/{VAE}"]
)
def test_a_chain_with_such_a_file_says_so_wherever_it_is_looked_at(
    spoilt: Callable[[str, bytes], ChainSpec], chain_file: Path, file: str, name: str
) -> None:
    damaged, said = DAMAGES[name]
    spec = spoilt(file, damaged((chain_file.parent / file).read_bytes()))
    assert said in spec.missing
    for look in (check_chain, chain_sizes, load_chain):
        with pytest.raises(WeightsDamaged, match=said) as refused:
            look(spec)
        assert Path(file).name in str(refused.value)
    with pytest.raises(WeightsDamaged, match=r"chains\.toml, line \d+"):
        check_chain(spec)


def test_the_weights_of_another_network_are_refused(spoilt: Callable[[str, bytes], ChainSpec], tmp_path: Path) -> None:
    """Tensors that are lacking would be made up by chance, and the clip with them."""
    lora = tmp_path / "lora.safetensors"
    save_file({"lora_unet_down.weight": torch.zeros(4)}, lora)
    spec = spoilt(f"spatial/unet/{VAE}", lora.read_bytes())
    with pytest.raises(ChainError, match=r"spatial/unet cannot be loaded as a UNet2DConditionModel"):
        load_chain(spec)


def test_a_tokenizer_that_is_none_is_told(spoilt: Callable[[str, bytes], ChainSpec]) -> None:
    spec = spoilt("control/tokenizer/tokenizer.json", b"<!doctype html>")
    with pytest.raises(ChainError, match="control/tokenizer cannot be loaded as a CLIPTokenizer"):
        load_chain(spec)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="everything can be read by root")
def test_a_file_that_may_not_be_read_is_told(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(whole)
    path.chmod(0)
    with pytest.raises(WeightsDamaged, match="cannot be read"):
        read_header(path)


def test_a_link_into_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").symlink_to(tmp_path / "gone")
    with pytest.raises(WeightsDamaged, match=r"cannot be read \(No such file"):
        read_header(tmp_path / "model.safetensors")


@pytest.mark.parametrize("name", ["empty", "web page", "pointer", "cut in its tensors", "gguf"])
def test_what_is_to_be_converted_is_told_too(whole: bytes, tmp_path: Path, name: str) -> None:
    damaged, _ = DAMAGES[name]
    pickled, tensors = tmp_path / "model.ckpt", tmp_path / "model.safetensors"
    for path in (pickled, tensors):
        path.write_bytes(damaged(whole))
        with pytest.raises(ChainError, match=path.name):
            convert(path)


def test_a_checkpoint_that_holds_no_numbers_is_not_gone_on_with(chain: confiner.Chain, tmp_path: Path) -> None:
    request = confiner.ClipRequest(prompt="a", num_frames=2, width=32, height=32)
    plan, path = confiner.resolve_plan(request, chain), tmp_path / "state.safetensors"
    state = next(iter(confiner.generate(request, chain, plan))).state
    broken = torch.full((1, 4, 16, 8, 8), torch.nan)
    levels = (Band(0, Prediction(broken, broken)), *state.levels[1:])
    confiner.save_state(replace(state, levels=levels), path, request, plan)
    with pytest.raises(StateError, match="no number"):
        confiner.load_state(path, request, plan)
