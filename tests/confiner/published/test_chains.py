# SPDX-License-Identifier: GPL-3.0-or-later
"""The paper's chains, loaded by their own names from repositories as they are published, down to a clip."""

import logging
from dataclasses import replace
from pathlib import Path

import confiner.chains
import numpy as np
import pytest
import torch
from confiner import ClipRequest, FramesDone, StepDone, generate, load_chain, resolve_plan, take_record
from confiner.chains import ChainSpec, WeightSource, read_chains
from confiner.errors import ChainError, WeightsMissing
from confiner.loading.module_cache import ModuleCache
from confiner.method.noise import NoiseSource
from confiner.weights.located import locate_weights
from confiner_lab.bench.memory import measure_chain
from confiner_lab.published import read_repository, scaled_down
from confiner_lab.published.layouts import random_tensors
from diffusers import AnimateDiffPipeline, EulerDiscreteScheduler, UNet2DConditionModel, UNetMotionModel

from tests.confiner.tiny_models import NO_TENSORS

NAMES = ("confiner-s/modelscope", "confiner-s/lavie")
LIGHTNING = "animatediff_lightning_{}step_diffusers.safetensors"


def request(**changes: object) -> ClipRequest:
    values = {"prompt": "a red cube", "num_frames": 16, "width": 64, "height": 64, "seed": 3, **changes}
    return ClipRequest(**values)


@pytest.mark.parametrize("name", NAMES)
def test_a_clip_comes_out_of_every_chain(chains: dict[str, ChainSpec], cache: ModuleCache, name: str) -> None:
    chain = load_chain(chains[name], cache=cache)
    wanted = request(control_steps=1, refine_steps=1)
    plan = resolve_plan(wanted, chain)
    frames = [event.frames for event in generate(wanted, chain, plan) if isinstance(event, FramesDone)]
    clip = np.concatenate(frames)
    assert clip.shape == (16, 64, 64, 3)
    assert clip.std() > 5
    assert take_record(wanted, chain, plan)["weights"]["control.unet"] == plan.weights["control.unet"]


def test_chains_share_what_they_have_in_common(chains: dict[str, ChainSpec], cache: ModuleCache) -> None:
    first, second = (load_chain(chains[name], cache=cache) for name in NAMES)
    assert first.spatial.unet is second.spatial.unet
    assert first.space.vae is second.space.vae
    assert second.temporal.text.model is first.spatial.text.model
    assert first.temporal.text.model is not first.spatial.text.model
    image, motion = first.spatial.unet.state_dict(), first.control.unet.state_dict()
    assert all(motion[name].data_ptr() == value.data_ptr() for name, value in image.items())


def test_a_clip_holds_its_weights_once_and_what_one_network_holds_at_a_time(chains: dict[str, ChainSpec]) -> None:
    found = measure_chain(replace(chains[NAMES[0]], sizes=((256, 256),)))
    largest = max(found["alone"].values())
    assert found["weights"] + largest < found["clip"] < 1.05 * (found["weights"] + largest)
    assert largest > 0.5 * found["weights"], "so that two of them at once would be seen"


def test_the_shared_network_computes_what_a_copy_would(chains: dict[str, ChainSpec], cache: ModuleCache) -> None:
    """diffusers' own way builds a second network and copies all tensors into it."""
    chain = load_chain(chains[NAMES[0]], cache=cache)
    ours = chain.control.unet
    copy = UNetMotionModel.from_config(ours.config)
    copy.load_state_dict(ours.state_dict())
    latents = torch.randn(1, 4, 16, 8, 8, generator=torch.Generator().manual_seed(0))
    text = torch.randn(16, 77, 48, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        noise, expected = (network.eval()(latents, 999, text).sample for network in (ours, copy))
    torch.testing.assert_close(noise, expected, rtol=0, atol=1e-5)


def test_each_number_of_control_steps_has_a_file_of_its_own(
    chains: dict[str, ChainSpec], cache: ModuleCache, snapshots: dict[str, Path]
) -> None:
    chain = load_chain(chains[NAMES[0]], cache=cache)
    hashes = {}
    for steps in (1, 2, 4, 8):
        adapter = chain.at(steps).control.spec.motion_adapter
        assert adapter is not None
        assert adapter.folder() == snapshots["animatediff_lightning"] / LIGHTNING.format(steps)
        hashes[steps] = resolve_plan(request(control_steps=steps), chain).weights["control.unet"]
    assert len(set(hashes.values())) == 4
    assert hashes[4] == chain.weights["control.unet"]


def test_the_control_stage_is_lightnings_own_sampler(chains: dict[str, ChainSpec], cache: ModuleCache) -> None:
    """The whole pipeline of its card, from the same noise: Euler, trailing, linear betas, no guidance."""
    chain = load_chain(chains[NAMES[0]], cache=cache)
    wanted = request(refine_steps=1)
    events = generate(wanted, chain, resolve_plan(wanted, chain))
    steps = [next(events) for _ in range(4)]
    assert isinstance(steps[3], StepDone)
    structure = steps[3].latents
    scheduler = EulerDiscreteScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="linear", timestep_spacing="trailing"
    )
    control = chain.control
    pipeline = AnimateDiffPipeline(
        vae=chain.space.vae,
        text_encoder=control.text.model,
        tokenizer=control.text.tokenizer,
        unet=control.unet,
        motion_adapter=None,
        scheduler=scheduler,
    )
    pipeline.set_progress_bar_config(disable=True)
    noise = NoiseSource(wanted.seed).frames((4, 8, 8), range(16), "control", "base")
    theirs = pipeline(
        wanted.prompt,
        num_frames=16,
        width=64,
        height=64,
        num_inference_steps=4,
        guidance_scale=1.0,
        latents=noise,
        output_type="latent",
    ).frames
    torch.testing.assert_close(structure, theirs, rtol=1e-4, atol=1e-4)


def test_a_scheduler_file_that_disagrees_is_reported(
    chains: dict[str, ChainSpec], caplog: pytest.LogCaptureFixture
) -> None:
    """Lightning was trained on linear betas; the image model it runs on was published with others."""
    with caplog.at_level(logging.WARNING, logger="confiner"):
        chain = load_chain(chains[NAMES[0]])
    (message,) = caplog.messages
    assert message.startswith("the control expert: beta_schedule is 'scaled_linear' in the repository")
    expected = EulerDiscreteScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="linear").alphas_cumprod
    torch.testing.assert_close(chain.control.schedule.alphas_cumprod.float(), expected, rtol=1e-5, atol=0)


def test_modelscope_pads_as_its_own_text_encoder_was_trained(chains: dict[str, ChainSpec], cache: ModuleCache) -> None:
    """OpenCLIP pads with token 0, CLIP with the end token; both come as CLIPTokenizer."""
    chain = load_chain(chains[NAMES[0]], cache=cache)
    padding = {role: expert.text.tokenizer.pad_token_id for role, expert in chain.experts.items()}
    assert padding == {"control": 513, "spatial": 513, "temporal": 0}


def test_a_small_decoder_draws_the_previews_where_it_is_there(chains: dict[str, ChainSpec], cache: ModuleCache) -> None:
    with_decoder = load_chain(chains[NAMES[0]], cache=cache)
    without = load_chain(replace(chains[NAMES[0]], preview=WeightSource("nobody/nothing", Path())), cache=cache)
    wanted = request(control_steps=1, refine_steps=1)
    first, plain = (next(generate(wanted, chain, resolve_plan(wanted, chain))) for chain in (with_decoder, without))
    assert isinstance(first, StepDone)
    assert isinstance(plain, StepDone)
    assert first.preview.shape == (64, 64, 3)
    assert plain.preview.shape == (8, 8, 3)
    assert first.preview.std() > 0
    assert torch.equal(first.latents, plain.latents)
    assert resolve_plan(wanted, with_decoder) == resolve_plan(wanted, without)


def test_a_preview_decoder_of_another_latent_space_is_explained(
    chains: dict[str, ChainSpec], snapshots: dict[str, Path], tmp_path: Path
) -> None:
    text = (snapshots["taesd"] / "config.json").read_text(encoding="utf-8")
    (tmp_path / "config.json").write_text(text.replace('"latent_channels": 4', '"latent_channels": 16'))
    (tmp_path / "diffusion_pytorch_model.safetensors").write_bytes(NO_TENSORS)
    with pytest.raises(ChainError, match="a preview decoder for 16 latent channels"):
        load_chain(replace(chains[NAMES[0]], preview=WeightSource("./", tmp_path)))


def test_one_file_can_be_the_spatial_expert(
    chains: dict[str, ChainSpec], snapshots: dict[str, Path], tmp_path: Path
) -> None:
    """A stylised checkpoint of the user's, named in a chain file of their own; image and motion share it."""
    sd = snapshots["stable_diffusion"]
    text = (Path(confiner.chains.__file__).parent / "built_in.toml").read_text(encoding="utf-8")
    file = tmp_path / "mine.toml"
    source = 'source = "stable-diffusion-v1-5/stable-diffusion-v1-5"'
    ours = f'source = "{sd}/v1-5-pruned-emaonly.safetensors"\ntokenizer = "{sd}/tokenizer"'
    file.write_text(text.replace(source, ours), encoding="utf-8")
    chain = load_chain(read_chains(file)["confiner-s/lavie"])
    wanted = scaled_down(read_repository("stable_diffusion"))
    expected = random_tensors(wanted, "unet", "v1-5-pruned-emaonly.safetensors")
    assert torch.equal(chain.spatial.unet.state_dict()["conv_in.weight"], expected["conv_in.weight"])
    assert torch.equal(chain.control.unet.state_dict()["conv_in.weight"], expected["conv_in.weight"])


def test_a_pickled_file_is_never_loaded_by_itself(chains: dict[str, ChainSpec], tmp_path: Path) -> None:
    (tmp_path / "lavie_base.pt").write_bytes(b"anything")
    spec = chains["confiner-s/lavie"]
    spec = replace(spec, temporal=replace(spec.temporal, unet=WeightSource("./lavie_base.pt", tmp_path)))
    assert spec.missing == f"convert {tmp_path}/lavie_base.pt once, with confiner convert"
    with pytest.raises(WeightsMissing, match="pickled file") as refused:
        load_chain(spec)
    assert "confiner convert" in refused.value.remedy


def test_half_precision_files_serve_where_there_are_no_others(
    chains: dict[str, ChainSpec], snapshots: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "unet"
    folder.mkdir()
    for name in ("config.json", "diffusion_pytorch_model.fp16.safetensors"):
        (folder / name).write_bytes((snapshots["stable_diffusion"] / "unet" / name).read_bytes())
    unet = ModuleCache(torch.device("cpu"), torch.float32).take(
        UNet2DConditionModel, locate_weights(WeightSource("./unet", tmp_path))
    )
    assert unet.dtype == torch.float32


def test_a_lightning_file_in_other_names_is_explained(
    chains: dict[str, ChainSpec], cache: ModuleCache, snapshots: dict[str, Path]
) -> None:
    spec = chains[NAMES[0]]
    other = WeightSource(str(snapshots["stable_diffusion"] / "v1-5-pruned-emaonly.safetensors"), Path())
    with pytest.raises(ChainError, match="other tensors than a motion adapter's") as refused:
        load_chain(replace(spec, control=replace(spec.control, motion_adapter=other)), cache=cache)
    assert "_diffusers.safetensors" in refused.value.remedy
