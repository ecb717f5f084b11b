# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights come from a hub, over a real socket and through the hub's own client, into the hub's own cache."""

import itertools
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from confiner.chains import ChainSpec, read_chains
from confiner.chains.repositories import download_size, files_to_load, hub_parts
from confiner.errors import DownloadFailed, LicenceNotAccepted, NoSpace, WeightsMissing
from confiner.hub.download import download
from confiner.loading.chain import load_chain
from confiner.loading.module_cache import ModuleCache

from tests.hub_server import Hub

SD, LIGHTNING = "stable-diffusion-v1-5/stable-diffusion-v1-5", "ByteDance/AnimateDiff-Lightning"
MODELSCOPE, LAVIE = "ali-vilab/text-to-video-ms-1.7b", "Vchitect/LaVie"
ALL = (SD, LIGHTNING, MODELSCOPE, LAVIE)


def chain(name: str) -> ChainSpec:
    return read_chains()[f"confiner-s/{name}"]


def fetch(spec: ChainSpec, **options: object) -> list[object]:
    return list(download(spec, **{"accepted": ALL, **options}))


def asked_for(hub: Hub) -> list[str]:
    """The files whose content was asked for."""
    return [path.partition("/resolve/")[2].partition("/")[2] for method, path, _ in hub.requests if method == "GET"]


def test_a_downloaded_chain_loads(hub: Hub) -> None:
    spec = chain("modelscope")
    assert spec.missing
    steps = fetch(spec)
    assert spec.missing == ""
    assert steps[0].received == 0
    assert steps[-1].received == steps[-1].total > 10e6
    assert load_chain(spec, cache=ModuleCache(torch.device("cpu"), torch.float32)).temporal.unet.dtype == torch.float32


def test_only_the_files_that_are_loaded_are_fetched_in_half_precision_where_published(hub: Hub) -> None:
    fetch(chain("modelscope"))
    weights = [name for name in asked_for(hub) if name.endswith(".safetensors")]
    assert sorted(set(weights)) == [
        "animatediff_lightning_4step_diffusers.safetensors",
        "diffusion_pytorch_model.safetensors",  # of the decoder for previews
        "text_encoder/model.fp16.safetensors",
        "unet/diffusion_pytorch_model.fp16.safetensors",
        "vae/diffusion_pytorch_model.fp16.safetensors",
    ]
    assert not [name for name in asked_for(hub) if name.endswith((".pt", ".bin"))]


def test_what_is_there_is_not_fetched_again(hub: Hub) -> None:
    fetch(chain("modelscope"))
    hub.requests.clear()
    assert fetch(chain("modelscope"))[-1].total == 0
    assert hub.requests == []


def test_the_licences_are_said_before_anything_leaves_the_machine(hub: Hub) -> None:
    with pytest.raises(LicenceNotAccepted) as refused:
        fetch(chain("modelscope"), accepted=[SD])
    assert f"{MODELSCOPE} stands under CC-BY-NC-4.0 (not for commercial use)" in str(refused.value)
    assert LIGHTNING in str(refused.value)
    assert "built_in.toml, line" in str(refused.value)
    assert "--accept-licence" in refused.value.remedy
    assert hub.requests == []


def test_a_repository_nobody_here_knows_shows_the_licence_of_its_page(hub: Hub, tmp_path: Path) -> None:
    hub.folders["somebody/style"] = hub.folders[SD]
    hub.licences["somebody/style"] = "creativeml-openrail-m"
    file = tmp_path / "mine.toml"
    file.write_text('[mine]\nlike = "confiner-s/lavie"\nspatial = { source = "somebody/style" }\n')
    spec = read_chains(file)["mine"]
    assert download_size(spec) is None
    with pytest.raises(LicenceNotAccepted, match=r"mine.toml, line 3.*somebody/style stands under creativeml"):
        fetch(spec, named=["lavie_base.pt"])
    hub.licences["somebody/style"] = "mit"
    fetch(spec, named=["lavie_base.pt"])
    assert spec.missing == ""


def test_a_pickled_file_is_fetched_only_if_it_is_named_and_then_converted(hub: Hub) -> None:
    spec = chain("lavie")
    with pytest.raises(WeightsMissing, match=r"lavie_base.pt is a pickled file") as refused:
        fetch(spec)
    assert "--pickled lavie_base.pt" in refused.value.remedy
    assert hub.requests == []
    steps = fetch(spec, named=["lavie_base.pt"])
    assert any("turned into safetensors" in step.file for step in steps)
    assert spec.missing == ""


def test_a_disk_that_is_too_small_is_said_before_with_the_line(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[mine]\nlike = "confiner-s/modelscope"\n')
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=5_000_000))
    with pytest.raises(NoSpace, match=r"mine.toml, line 1, \[mine\]: 5.0 MB free in .*/cache; expected 0.6 GB") as full:
        fetch(read_chains(file)["mine"])
    assert "HF_HOME" in full.value.remedy
    assert not (tmp_path / "cache").exists()


def test_a_cache_that_cannot_be_written_is_said(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(DownloadFailed, match=r"line \d+.*cache cannot be written") as refused:
        fetch(chain("modelscope"))
    assert "HF_HOME" in refused.value.remedy


def test_a_line_that_breaks_is_taken_up_in_the_middle(hub: Hub) -> None:
    hub.break_after = 100_000
    fetch(chain("modelscope"))
    assert [ranged for _, _, ranged in hub.requests if ranged] == ["bytes=100000-"]
    assert chain("modelscope").missing == ""


def test_cancelled_it_goes_on_where_it_was(hub: Hub, tmp_path: Path) -> None:
    steps = download(chain("modelscope"), accepted=ALL, clock=Clock())
    while next(steps).received < 12e6:
        pass
    steps.close()
    (unfinished,) = tmp_path.rglob("*.incomplete")
    there = unfinished.stat().st_size
    finished = set(asked_for(hub)[:-1])
    hub.requests.clear()
    again = fetch(chain("modelscope"))
    assert again[0].received == there > 0
    assert again[-1].received == again[-1].total
    assert f"bytes={there}-" in [ranged for _, _, ranged in hub.requests]
    assert not [name for name in finished & set(asked_for(hub)) if name.startswith("vae/")]
    assert chain("modelscope").missing == ""


@pytest.mark.parametrize("linked", [True, False])
def test_what_is_damaged_on_this_machine_is_fetched_again(hub: Hub, linked: bool) -> None:
    """In the hub's cache a file is a link to its content; where links cannot be made, the content itself lies there."""
    spec = chain("modelscope")
    fetch(spec)
    laid = spec.vae.folder() / "diffusion_pytorch_model.fp16.safetensors"  # type: ignore[operator]
    blob = laid.resolve()
    whole = blob.read_bytes()
    if not linked:
        laid.unlink()
        blob.rename(laid)
    laid.write_bytes(b"<!doctype html>")
    assert "is a web page" in spec.missing
    assert f"confiner fetch {spec.name}" in spec.missing
    hub.requests.clear()
    fetch(spec)
    assert spec.missing == ""
    assert laid.read_bytes() == whole
    assert {name for name in asked_for(hub) if name.endswith(".safetensors")} == {f"vae/{laid.name}"}


class Clock:
    """A second passes between any two looks at it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def test_speed_and_remaining_time_are_those_of_the_last_seconds(hub: Hub) -> None:
    steps = list(download(chain("modelscope"), accepted=ALL, clock=Clock()))
    for before, step in itertools.pairwise(steps[:-1]):
        if step.speed:
            assert step.eta == pytest.approx((step.total - step.received) / step.speed)
            assert before.received <= step.received


def test_damaged_content_is_noticed_and_not_kept(hub: Hub, hub_cache: Path, tmp_path: Path) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(hub.folders[LIGHTNING], folder)
    whole = hub.info(LIGHTNING)
    file = folder / "animatediff_lightning_4step_diffusers.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content))
    hub.folders[LIGHTNING] = folder
    hub.info = lambda name, told=hub.info: whole if name == LIGHTNING else told(name)  # type: ignore[method-assign]
    with pytest.raises(DownloadFailed, match=r"4step_diffusers\.safetensors .* has come damaged"):
        fetch(chain("modelscope"))
    assert LIGHTNING in chain("modelscope").missing


@pytest.mark.parametrize(
    ("ill", "sentence", "remedy"),
    [("unknown", "the hub has no", "correct the chain file"), ("gated", "open to named people", "hf auth login")],
)
def test_a_repository_that_is_not_given_is_explained(hub: Hub, ill: str, sentence: str, remedy: str) -> None:
    if ill == "gated":
        hub.gated.add(MODELSCOPE)
    else:
        del hub.folders[MODELSCOPE]
    with pytest.raises(DownloadFailed, match=rf"line \d+.*{sentence}") as refused:
        fetch(chain("modelscope"))
    assert remedy in refused.value.remedy


def test_a_preview_decoder_that_is_not_given_is_done_without(hub: Hub) -> None:
    del hub.folders["madebyollin/taesd"]
    fetch(chain("modelscope"))
    assert chain("modelscope").missing == ""
    assert [part.inside for part in hub_parts(chain("modelscope")) if not part.there] == [""]


def test_a_hub_out_of_reach_is_explained(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DownloadFailed, match=r"line \d+.* cannot be fetched") as refused:
        fetch(chain("modelscope"))
    assert "goes on where it stopped" in refused.value.remedy


# --- `confiner fetch`, in a process of its own


def test_killed_it_goes_on_where_it_was(hub: Hub, start: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    hub.bytes_per_second = 4e6
    killed = start("confiner-s/modelscope", "--accept-licence")
    deadline = time.monotonic() + 60
    while not [file for file in (tmp_path / "cache").rglob("*.incomplete") if file.stat().st_size > 500_000]:
        assert killed.poll() is None, killed.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert chain("modelscope").missing
    hub.bytes_per_second = 0
    hub.requests.clear()
    again = start("confiner-s/modelscope")  # the licence was accepted, and is remembered
    said, errors = again.communicate(timeout=120)
    assert again.returncode == 0, errors
    assert "the weights of confiner-s/modelscope are here" in said
    (ranged,) = [ranged for _, _, ranged in hub.requests if ranged]
    assert int(ranged.removeprefix("bytes=").removesuffix("-")) > 500_000
    assert chain("modelscope").missing == ""


def test_offline_nothing_is_asked_for(hub: Hub, start: Callable[..., subprocess.Popen[str]]) -> None:
    process = start("confiner-s/modelscope", "--accept-licence", HF_HUB_OFFLINE="1")
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "the hub is switched off by HF_HUB_OFFLINE" in errors
    assert "→ unset HF_HUB_OFFLINE" in errors
    assert hub.requests == []


# --- what is known without a hub


def test_the_sizes_that_are_listed_are_those_of_the_published_networks() -> None:
    """Known without asking the hub, so that a person can decide; each tensor's bytes, and some for the names."""
    from confiner.chains.repositories import known_repository
    from confiner_lab.published import NAMES, read_repository

    for name in NAMES:
        published = read_repository(name)
        known = known_repository(published.repository)
        assert known.licence == published.licence
        for file, size in known.weights.items():
            tensors = published.network(published.weights[file]).state_dict().values()
            width = 2 if ".fp16." in file or "lightning" in file else 4
            assert 0 < size - width * sum(tensor.numel() for tensor in tensors) < 150 * len(tensors), file


def test_a_chain_says_what_is_still_to_be_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert download_size(chain("modelscope")) == pytest.approx(6.54e9, rel=1e-2)
    assert download_size(chain("lavie")) == pytest.approx(6.68e9, rel=1e-2)
    assert download_size(read_chains()["bundled"]) == 0
    assert [part.pickled for part in hub_parts(chain("lavie")) if part.pickled] == ["lavie_base.pt"]


@pytest.mark.parametrize(
    ("inside", "wanted"),
    [
        ("unet", ["unet/a.json", "unet/config.json"]),
        ("tokenizer", ["tokenizer/merges.txt", "tokenizer/vocab.json", "tokenizer/tokenizer_config.json"]),
    ],
)
def test_a_configuration_comes_last(inside: str, wanted: list[str]) -> None:
    files = ["unet/config.json", "unet/a.json", "tokenizer/tokenizer_config.json", "tokenizer/vocab.json"]
    assert files_to_load([*files, "tokenizer/merges.txt", "README.md"], inside) == wanted


def test_other_variants_of_the_weights_are_left_alone() -> None:
    variants = ("", ".fp16", ".non_ema")
    names = [f"diffusion_pytorch_model{variant}.safetensors" for variant in variants] + ["taesd_decoder.safetensors"]
    assert files_to_load(names, "") == ["diffusion_pytorch_model.fp16.safetensors"]
    assert files_to_load([names[0], names[2]], "") == ["diffusion_pytorch_model.safetensors"]
    shards = [f"model.fp16-0000{shard}-of-00002.safetensors" for shard in (1, 2)]
    assert files_to_load([*shards, "model.safetensors"], "") == shards
    assert files_to_load(["pytorch_model.bin", "pytorch_model.fp16.bin"], "") == ["pytorch_model.bin"]
