# SPDX-License-Identifier: GPL-3.0-or-later
"""A chain file with a mistake of each kind, as its author meets it: one sentence with the line, one with the remedy."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hub_server import Hub, folders_of, serving

Confiner = Callable[..., subprocess.CompletedProcess[str]]
Mistake = tuple[int, str, str]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a whole chain of tiny experts."""
    from tests.confiner.tiny_models import write_tiny_chain

    return write_tiny_chain(tmp_path_factory.mktemp("mistakes")).parent


@pytest.fixture
def told(confiner: Confiner, tiny: Path, tmp_path: Path) -> Callable[..., Mistake]:
    """What `confiner generate` says of the tiny chain after `before` became `after` in its file: line, seen, remedy."""

    def run(before: str, after: str, spoil: Callable[[Path], None] = lambda folder: None) -> Mistake:
        folder = tmp_path / "chain"
        shutil.copytree(tiny, folder)
        spoil(folder)
        text = (folder / "chains.toml").read_text(encoding="utf-8")
        assert before in text
        changed = text.replace(before, after, 1)
        (folder / "chains.toml").write_text(changed, encoding="utf-8")
        words = ("generate", "a", "--chain", "tiny", "--chains", folder / "chains.toml", "-o", tmp_path / "out")
        return mistake(confiner(*words))

    return run


def mistake(done: subprocess.CompletedProcess[str]) -> Mistake:
    """What the program says when it refuses."""
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    sentence, remedy = done.stderr.strip().splitlines()[-2:]
    assert sentence.startswith("confiner: ")
    assert remedy.startswith("  → ")
    _, _, rest = sentence.partition(".toml, line ")
    return int(rest.split(",")[0]), sentence, remedy


def line_of(tiny: Path, text: str, below: str = "[tiny]") -> int:
    lines = (tiny / "chains.toml").read_text(encoding="utf-8").splitlines()
    start = lines.index(below)
    return next(number for number, line in enumerate(lines[start:], start=start + 1) if line.startswith(text))


def test_an_unknown_key(told: Callable[..., Mistake], tiny: Path) -> None:
    line, sentence, remedy = told("fps = 8", "fsp = 8")
    assert line == line_of(tiny, "fps = 8")
    assert "the unknown key 'fsp'; expected 'fps'" in sentence
    assert "correct the chain file" in remedy


def test_a_missing_file(told: Callable[..., Mistake], tiny: Path) -> None:
    line, sentence, remedy = told('vae = "./spatial/vae"', 'vae = "./spatial/vea"')
    assert line == line_of(tiny, "vae")
    assert "no ./spatial/vea on this machine" in sentence
    assert "name another place in the chain file" in remedy


def test_latents_of_another_size(told: Callable[..., Mistake], tiny: Path) -> None:
    def spoil(folder: Path) -> None:
        config = folder / "spatial" / "unet" / "config.json"
        config.write_text(config.read_text().replace('"in_channels": 4', '"in_channels": 16'))

    line, sentence, remedy = told("fps = 8", "fps = 8", spoil)
    assert line == line_of(tiny, "source", below="[tiny.spatial]")
    assert "a network for 16 latent channels; expected 4, as the autoencoder has" in sentence
    assert "name other parts" in remedy


def test_v_prediction_where_noise_is_expected(told: Callable[..., Mistake], tiny: Path) -> None:
    def spoil(folder: Path) -> None:
        scheduler = folder / "temporal" / "scheduler"
        scheduler.mkdir(exist_ok=True)
        (scheduler / "scheduler_config.json").write_text('{"prediction_type": "epsilon"}')

    line, sentence, remedy = told("fps = 8", "fps = 8", spoil)
    assert line >= line_of(tiny, "[tiny.temporal]")
    assert "prediction_type 'v_prediction'; expected 'epsilon', as the expert's repository says" in sentence
    assert "correct the chain file" in remedy


def test_a_pickled_file(told: Callable[..., Mistake], tiny: Path) -> None:
    def spoil(folder: Path) -> None:
        weights = folder / "temporal" / "unet" / "diffusion_pytorch_model.safetensors"
        weights.rename(weights.with_suffix(".bin"))

    line, sentence, remedy = told("fps = 8", "fps = 8", spoil)
    assert line == line_of(tiny, "source", below="[tiny.temporal]")
    assert "diffusion_pytorch_model.bin, a pickled file, which can carry code; expected safetensors" in sentence
    assert "confiner convert" in remedy


def test_no_space_on_the_disk(confiner: Confiner, hub_cache: Path, tmp_path: Path) -> None:
    """Asked for with the hub's own word on sizes, before anything is written."""
    hub = Hub(folders_of(hub_cache), claimed_sizes={"unet/diffusion_pytorch_model.fp16.safetensors": 10**15})
    file = tmp_path / "mine.toml"
    file.write_text('# mine\n[mine]\nlike = "confiner-s/modelscope"\n', encoding="utf-8")
    with serving(hub) as address:
        online = {"HF_HUB_OFFLINE": "0", "HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "hub")}
        done = confiner("fetch", "mine", "--chains", file, "--accept-licence", **online)
    line, sentence, remedy = mistake(done)
    assert line == 2
    assert "free in" in sentence
    assert "expected 2000000" in sentence
    assert "HF_HOME name a folder on a larger disk" in remedy
    assert not (tmp_path / "hub").exists()
