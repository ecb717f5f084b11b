# SPDX-License-Identifier: GPL-3.0-or-later
"""A short training of every stage: it survives a kill without a trace, and what it exports loads anywhere."""

import json
import signal
import subprocess
from pathlib import Path

import pytest
import torch
from confiner_lab.scenery import vocabulary
from confiner_lab.training import dataset, diffusion, image, loop, muon, sampling, text, tokens, video
from confiner_lab.training.settings import TINY
from confiner_lab.training.stages import MINUTES
from torch import nn

from .conftest import SERVER, STEPS, tiny_training

TRAINED = [name for name in MINUTES if name != "data"]


def test_a_killed_training_ends_with_the_weights_of_an_unbroken_one(trained: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(tiny_training(tmp_path), cwd=SERVER, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("sketch step 2"):
            process.send_signal(signal.SIGKILL)
            break
    process.wait()
    process.stdout.close()
    assert not (tmp_path / "control.pt").exists()
    subprocess.run(tiny_training(tmp_path), cwd=SERVER, check=True, capture_output=True)
    for name in TRAINED:
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


def test_a_call_whose_time_is_up_stops_at_its_checkpoint_and_the_next_goes_on(trained: Path, tmp_path: Path) -> None:
    def call(*more: str) -> str:
        line = tiny_training(tmp_path, "--only", "vae", *more)
        return subprocess.run(line, cwd=SERVER, check=True, capture_output=True, text=True).stdout

    assert "stopped vae after 1 steps" in call("--stop-after", "0")
    assert not (tmp_path / "vae.pt").exists()
    call()
    whole, broken = (torch.load(folder / "vae.pt", weights_only=True) for folder in (trained, tmp_path))
    assert all(torch.equal(whole[key], broken[key]) for key in whole)


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
    assert set(record["stages"]) == set(TRAINED)
    assert all(stage["steps"] == STEPS for stage in record["stages"].values())
    assert "control/unet/diffusion_pytorch_model.safetensors" in record["files"]
    assert str(trained) not in text


def test_the_words_tell_which_may_follow_which(trained: Path) -> None:
    words = json.loads((trained / "experts" / "words.json").read_text())
    assert tuple(words) == vocabulary()
    assert all(set(after) <= set(words) for after in words.values())


def test_every_known_word_and_every_moment_is_one_token(tmp_path: Path) -> None:
    tokenizer = tokens.write_tokenizer(tmp_path, 77)
    assert all(len(tokenizer(word).input_ids) == 3 for word in vocabulary())
    ids = tokens.encode(tokenizer, ["a red cube"]).repeat(2, 1)
    told = tokens.with_moments(tokenizer, ids, torch.tensor([7, -1]))
    assert torch.equal(told, tokens.encode(tokenizer, ["<m7> a red cube", "a red cube"]))
    assert len(tokenizer("wobbly").input_ids) > 4


def test_no_prompt_is_so_long_that_its_moment_is_lost(tmp_path: Path) -> None:
    tokenizer = tokens.write_tokenizer(tmp_path, 77)
    ids = tokens.encode(tokenizer, ["a red cube " * 40])
    told = tokens.with_moments(tokenizer, ids, torch.tensor([31]))
    assert told.shape == (1, 77)
    assert told[0, 1] == tokenizer.convert_tokens_to_ids("<m31>")
    assert told[0, -1] == tokenizer.eos_token_id


def test_the_video_networks_begin_as_their_image_networks() -> None:
    torch.manual_seed(0)
    sketch = image.build(TINY, TINY.control_channels).eval()
    frame = image.build(TINY, TINY.temporal_channels, head_width=image.NARROW_HEADS).eval()
    control, temporal = video.build_control(sketch, TINY).eval(), video.build_temporal(frame, TINY).eval()
    x, t, states = torch.randn(1, 4, 3, 10, 16), torch.tensor([400]), torch.randn(1, 77, TINY.text_width)
    frames = x[0].transpose(0, 1)

    def alone(network: nn.Module) -> torch.Tensor:
        return network(frames, t.repeat(3), states.repeat(3, 1, 1)).sample.transpose(0, 1)[None]

    with torch.no_grad():
        assert torch.allclose(control(x, t, states.repeat(3, 1, 1)).sample, alone(sketch), atol=1e-4)
        assert torch.allclose(temporal(x, t, states).sample, alone(frame), atol=1e-4)


def test_every_network_takes_frames_whose_sides_do_not_halve_twice() -> None:
    x, t, states = torch.randn(1, 4, 18, 32), torch.tensor([400]), torch.randn(1, 77, TINY.text_width)
    for channels in (TINY.control_channels, TINY.spatial_channels):
        assert image.build(TINY, channels)(x, t, states).sample.shape == x.shape


def test_softening_lowers_detail_and_keeps_flat_clips() -> None:
    clip = torch.randn(1, 4, 2, 16, 16)
    assert diffusion.soften(clip, 0.5).std() < 0.8 * clip.std()
    assert torch.allclose(diffusion.soften(torch.ones(1, 4, 2, 16, 16), 0.5), torch.ones(1, 4, 2, 16, 16))


def test_places_tell_left_from_right() -> None:
    table = text.places()
    left, right = table[0, 0, :16, 0].argmax(-1), table[1, 0, :16, 0].argmax(-1)
    assert (left.diff() <= 0).all()
    assert (right.diff() >= 0).all()


def test_sampling_a_known_signal_gives_it_back() -> None:
    alphas = diffusion.image_scheduler().alphas_cumprod
    truth = torch.randn(4, 3, 10, 16, generator=torch.Generator().manual_seed(1))

    def knows(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return diffusion.velocity(truth[None], x[None], alphas[t])[0]

    noise = torch.randn(truth.shape, generator=torch.Generator().manual_seed(2))
    for steps in (4, 10, 50):
        assert torch.allclose(sampling.sample(knows, noise, alphas, steps), truth, atol=1e-3)
    assert sampling.trailing(4) == [999, 749, 499, 249]


def test_orthogonalized_matrices_have_singular_values_about_one() -> None:
    for shape in ((24, 216), (64, 16)):
        values = torch.linalg.svdvals(
            muon.orthogonalized(torch.randn(shape, generator=torch.Generator().manual_seed(0)))
        )
        assert values.min() > 0.3
        assert values.max() < 1.3


def test_equal_settings_plan_equal_data_and_shards_stay(trained: Path, tmp_path: Path) -> None:
    assert dataset.plan(TINY, "wide") == dataset.plan(TINY, "wide")
    assert dataset.plan(TINY, "wide") != dataset.plan(TINY, "square")
    shard = trained / "data" / "wide" / "clips" / "0000.npy"
    before = shard.stat().st_mtime_ns
    subprocess.run(tiny_training(trained, "--only", "data"), cwd=SERVER, check=True, capture_output=True)
    assert shard.stat().st_mtime_ns == before
