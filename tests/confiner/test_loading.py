# SPDX-License-Identifier: GPL-3.0-or-later
"""Loading a chain: equal parts once, misfits and gaps explained."""

from __future__ import annotations

import shutil
from pathlib import Path

import confiner
import pytest
import torch
from confiner.chains import read_file
from confiner.errors import ChainError, ScheduleError, WeightsMissing
from confiner.loading.chain import load_chain


def _copy(chain_file: Path, tmp_path: Path, before: str = "", after: str = "") -> Path:
    """The tiny experts once more, with some text of their chain file changed."""
    folder = tmp_path / "copy"
    shutil.copytree(chain_file.parent, folder)
    text = (folder / "chains.toml").read_text()
    assert before in text
    (folder / "chains.toml").write_text(text.replace(before, after, 1) if before else text)
    return folder / "chains.toml"


def test_equal_parts_are_loaded_once(chain_file: Path, tmp_path: Path) -> None:
    path = _copy(chain_file, tmp_path)
    shutil.rmtree(path.parent / "spatial" / "text_encoder")
    shutil.copytree(path.parent / "control" / "text_encoder", path.parent / "spatial" / "text_encoder")
    chain = load_chain(read_file(path)["tiny"])
    assert chain.spatial.text.model is chain.control.text.model
    assert chain.temporal.text.model is not chain.control.text.model
    assert chain.weights["spatial.text_encoder"] == chain.weights["control.text_encoder"]


def test_weights_are_known_by_content_not_by_place(chain_file: Path, tmp_path: Path) -> None:
    here = load_chain(read_file(chain_file)["tiny"]).weights
    there = load_chain(read_file(_copy(chain_file, tmp_path))["tiny"]).weights
    assert here == there
    file = tmp_path / "copy" / "spatial" / "vae" / "diffusion_pytorch_model.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content))
    changed = load_chain(read_file(tmp_path / "copy" / "chains.toml")["tiny"]).weights
    assert [part for part in here if here[part] != changed[part]] == ["vae"]


def test_experts_learn_nothing_and_have_the_dtype_asked_for(chain_file: Path) -> None:
    chain = load_chain(read_file(chain_file)["tiny"], dtype=torch.bfloat16)
    for expert in chain.experts.values():
        assert not any(parameter.requires_grad for parameter in expert.unet.parameters())
        assert expert.unet.dtype == torch.bfloat16
        assert not expert.unet.training
    request = confiner.ClipRequest(prompt="a", num_frames=2, width=32, height=32, control_steps=1, refine_steps=1)
    plan = confiner.resolve_plan(request, chain)
    frames = [event for event in confiner.generate(request, chain, plan) if isinstance(event, confiner.FramesDone)]
    assert plan.dtype == "bfloat16"
    assert frames[0].latents.dtype == torch.float32
    assert frames[0].latents.isfinite().all()


def test_parts_that_do_not_fit_together_are_explained(chain_file: Path, tmp_path: Path) -> None:
    path = _copy(chain_file, tmp_path, '"./temporal"', '"./temporal"\ntext_encoder = "./control/text_encoder"')
    with pytest.raises(ChainError, match=r"\[tiny.temporal\].*text encoder of width 16.*24"):
        load_chain(read_file(path)["tiny"])


def test_more_frames_than_the_motion_modules_know_are_refused(chain_file: Path, tmp_path: Path) -> None:
    path = _copy(chain_file, tmp_path, "frames = 16\nframe_text", "frames = 40\nframe_text")
    with pytest.raises(ChainError, match=r"frames = 40.*at most 32"):
        load_chain(read_file(path)["tiny"])


def test_a_size_that_latents_cannot_have_is_refused(chain_file: Path, tmp_path: Path) -> None:
    path = _copy(chain_file, tmp_path, "[48, 32]", "[50, 32]")
    with pytest.raises(ChainError, match=r"50×32.*multiples of 4"):
        load_chain(read_file(path)["tiny"])


def test_a_schedule_that_contradicts_its_prediction_is_refused(chain_file: Path, tmp_path: Path) -> None:
    path = _copy(chain_file, tmp_path, 'zero_snr = true\nprediction_type = "v_prediction"', "zero_snr = true")
    with pytest.raises(ScheduleError, match="ε-prediction with ā = 0"):
        load_chain(read_file(path)["tiny"])


def test_missing_weights_are_named(chain_file: Path, tmp_path: Path) -> None:
    path = _copy(chain_file, tmp_path)
    shutil.rmtree(path.parent / "temporal" / "unet")
    with pytest.raises(WeightsMissing, match=r"\./temporal/unet"):
        load_chain(read_file(path)["tiny"])
