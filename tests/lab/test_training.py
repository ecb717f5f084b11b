# SPDX-License-Identifier: GPL-3.0-or-later
"""A short training of every stage: it survives a kill without a trace, and what it exports loads anywhere."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from confiner_lab.training import image, loop, text, tokens, video
from confiner_lab.training.settings import TINY
from confiner_lab.training.stages import SHARES
from confiner_lab.world import vocabulary
from torch import nn

SERVER = Path(__file__).parents[2] / "server"
STEPS = 3


def program(out: Path, *arguments: str) -> list[str]:
    line = [sys.executable, "-m", "confiner_lab.training", "--tiny", "--out", str(out), "--steps", str(STEPS)]
    return [*line, *arguments]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trained")
    subprocess.run(program(out, "--export", str(out / "experts")), cwd=SERVER, check=True, capture_output=True)
    return out


def test_a_killed_training_ends_with_the_weights_of_an_unbroken_one(trained: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(program(tmp_path), cwd=SERVER, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("image step 2"):
            process.send_signal(signal.SIGKILL)
            break
    process.wait()
    process.stdout.close()
    assert not (tmp_path / "control.pt").exists()
    subprocess.run(program(tmp_path), cwd=SERVER, check=True, capture_output=True)
    for name in SHARES:
        whole, broken = (torch.load(folder / f"{name}.pt", weights_only=True) for folder in (trained, tmp_path))
        assert all(torch.equal(whole[key], broken[key]) for key in whole), name


def test_a_stage_goes_on_from_its_last_checkpoint(tmp_path: Path) -> None:
    def fresh() -> loop.Stage:
        torch.manual_seed(0)
        model = nn.Linear(3, 3)
        groups: list[dict[str, object]] = [{"params": list(model.parameters()), "lr": 0.1}]
        return loop.Stage("line", model, lambda draw, progress: model(draw.normal(4, 3)).square().mean(), groups)

    class Kill(Exception):
        pass

    def run(stage: loop.Stage, folder: Path) -> loop.State:
        folder.mkdir(exist_ok=True)
        budget = loop.Budget(steps=20)
        return loop.run(stage, budget, folder, seed=1, checkpoint_seconds=0, report_steps=5)

    broken = fresh()
    honest, calls = broken.loss, []

    def dies(draw: loop.Draw, progress: float) -> torch.Tensor:
        calls.append(progress)
        if len(calls) == 12:
            raise Kill
        return honest(draw, progress)

    broken.loss = dies
    with pytest.raises(Kill):
        run(broken, tmp_path / "broken")
    resumed = run(fresh(), tmp_path / "broken")
    whole = run(fresh(), tmp_path / "whole")
    assert resumed.step == whole.step == 20
    assert resumed.losses == whole.losses
    weights = [torch.load(tmp_path / name / "line.pt", weights_only=True) for name in ("broken", "whole")]
    assert torch.equal(weights[0]["weight"], weights[1]["weight"])


def test_what_is_exported_loads_in_plain_diffusers(trained: Path) -> None:
    from diffusers import DiffusionPipeline

    kinds = {"control": "UNetMotionModel", "spatial": "UNet2DConditionModel", "temporal": "UNet3DConditionModel"}
    for name, kind in kinds.items():
        pipeline = DiffusionPipeline.from_pretrained(trained / "experts" / name)
        assert type(pipeline.unet).__name__ == kind
        assert pipeline.tokenizer.model_max_length == TINY.text_tokens
        assert pipeline.scheduler.config.prediction_type == "v_prediction"
        assert pipeline.text_encoder.dtype == pipeline.unet.dtype == torch.float32
    for shared in ("vae", "text_encoder"):
        copies = {next((trained / "experts" / name / shared).glob("*.safetensors")).read_bytes() for name in kinds}
        assert len(copies) == 1


def test_the_record_tells_the_training_and_no_machine(trained: Path) -> None:
    text = (trained / "experts" / "record.json").read_text()
    record = json.loads(text)
    assert set(record["stages"]) == set(SHARES)
    assert all(stage["steps"] == STEPS for stage in record["stages"].values())
    assert "control/unet/diffusion_pytorch_model.safetensors" in record["files"]
    assert str(trained) not in text


def test_every_known_word_and_every_moment_is_one_token(tmp_path: Path) -> None:
    tokenizer = tokens.write_tokenizer(tmp_path, 40)
    assert all(len(tokenizer(word).input_ids) == 3 for word in vocabulary())
    ids = tokens.encode(tokenizer, ["a red cube"]).repeat(2, 1)
    told = tokens.with_moments(tokenizer, ids, torch.tensor([7, -1]))
    assert torch.equal(told, tokens.encode(tokenizer, ["a red cube <m7>", "a red cube"]))
    assert len(tokenizer("wobbly").input_ids) > 4


def test_the_video_networks_begin_as_the_image_network() -> None:
    torch.manual_seed(0)
    network = image.build(TINY).eval()
    control, temporal = video.build_control(network, TINY).eval(), video.build_temporal(network, TINY).eval()
    x, t, states = torch.randn(1, 4, 3, 16, 16), torch.tensor([400]), torch.randn(1, 40, TINY.text_width)
    frames = x[0].transpose(0, 1)
    with torch.no_grad():
        alone = network(frames, t.repeat(3), states.repeat(3, 1, 1)).sample.transpose(0, 1)[None]
        assert torch.allclose(control(x, t, states.repeat(3, 1, 1)).sample, alone, atol=1e-4)
        assert torch.allclose(temporal(x, t, states).sample, alone, atol=1e-4)


def test_softening_lowers_detail_and_keeps_flat_clips() -> None:
    clip = torch.randn(1, 4, 2, 16, 16)
    assert video.soften(clip).std() < 0.8 * clip.std()
    assert torch.allclose(video.soften(torch.ones(1, 4, 2, 16, 16)), torch.ones(1, 4, 2, 16, 16))


def test_places_tell_left_from_right() -> None:
    table = text.sources()
    left, right = table[0, 0, :16, 0].argmax(-1), table[1, 0, :16, 0].argmax(-1)
    assert (left.diff() <= 0).all()
    assert (right.diff() >= 0).all()
