# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a repository as it is published: folders, file names and tensor names of the hub, with random small weights.

Weights cannot come along with the project, but their shape can: what loads from these folders through the ordinary code
loads from the real ones. `python -m confiner_lab.published.layouts FOLDER` fills a folder like the hub's cache.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import zlib
from pathlib import Path

import torch
from confiner.loading.single_file import name_in_file
from safetensors.torch import save_file

from .reading import NAMES, Repository, read_repository
from .scaled import scaled_down
from .tokens import merges, vocabulary

COMMIT = "0" * 40

Tensors = dict[str, torch.Tensor]


def fill_hub_cache(cache: Path, names: tuple[str, ...] = NAMES) -> None:
    """Put scaled-down repositories into `cache`."""
    for name in names:
        put_into_hub_cache(cache, scaled_down(read_repository(name)))


def put_into_hub_cache(cache: Path, repository: Repository) -> None:
    """Write a repository as the hub's client keeps it: blobs by hash, and links to them."""
    root = cache / f"models--{repository.repository.replace('/', '--')}"
    snapshot = root / "snapshots" / COMMIT
    write_repository(repository, snapshot)
    (root / "refs").mkdir()
    (root / "refs" / "main").write_text(COMMIT)
    (root / "blobs").mkdir()
    for file in [path for path in snapshot.rglob("*") if path.is_file()]:
        _turn_into_link(file, root / "blobs")


def write_repository(repository: Repository, folder: Path) -> None:
    """Write every file of `repository` into `folder`."""
    for path, config in repository.files.items():
        _write_text(folder / path, json.dumps(config, indent=2))
    if "tokenizer/tokenizer_config.json" in repository.files:
        _write_text(folder / "tokenizer/vocab.json", json.dumps(vocabulary()))
        _write_text(folder / "tokenizer/merges.txt", merges())
    written: dict[str, Tensors] = {}
    for path, part in repository.weights.items():
        whole = path.replace(".fp16.", ".")
        if whole not in written:
            written[whole] = published_tensors(repository, part, whole)
        _write_weights(folder / path, written[whole])


def published_tensors(repository: Repository, part: str, path: str) -> Tensors:
    """What the published file at `path` has for `part`: its names, and random numbers that no other file has."""
    if part == "checkpoint":
        return _checkpoint({part: random_tensors(repository, part, path) for part in ("unet", "vae", "text_encoder")})
    tensors = random_tensors(repository, part, path)
    if part == "vae":
        return {_old_attention_name(name): value for name, value in tensors.items()}
    if part == "text_encoder":
        positions = torch.arange(repository.config(part)["max_position_embeddings"])[None]
        renamed = {f"text_model.{name}": value for name, value in tensors.items()}
        return {**renamed, "text_model.embeddings.position_ids": positions}
    return tensors


def random_tensors(repository: Repository, part: str, path: str) -> Tensors:
    """The network's tensors by diffusers' names, of sizes that keep activations in bounds; equal for equal paths in
    equal repositories."""
    generator = torch.Generator().manual_seed(zlib.crc32(f"{repository.repository}/{path}".encode()))
    shapes = {name: value.shape for name, value in repository.network(part).state_dict().items()}
    return {name: _drawn(name, shape, generator) for name, shape in shapes.items()}


def _drawn(name: str, shape: torch.Size, generator: torch.Generator) -> torch.Tensor:
    if name.endswith("rotary_emb.freqs"):
        return 10_000.0 ** -(torch.arange(shape[0]) / shape[0])
    if len(shape) == 1:
        return torch.ones(shape) if "norm" in name and name.endswith("weight") else torch.zeros(shape)
    return torch.randn(shape, generator=generator) / shape[1:].numel() ** 0.5


def _checkpoint(parts: dict[str, Tensors]) -> Tensors:
    """All three networks under the names of one-file checkpoints, where attention in `vae` is made of convolutions."""
    made: Tensors = {}
    for part, tensors in parts.items():
        for name, value in tensors.items():
            pointwise = part == "vae" and ".attentions." in name and value.ndim == 2
            made[name_in_file(part, name)] = value[:, :, None, None] if pointwise else value
    return made


def _old_attention_name(name: str) -> str:
    """Autoencoders were published when diffusers had other names for attention; it still reads them."""
    if "attentions" in name:
        for now, then in (("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "proj_attn")):
            name = name.replace(f".{now}.", f".{then}.")
    return name


def _write_weights(path: Path, tensors: Tensors) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".pt":
        torch.save({"ema": tensors}, path)
        return
    half = ".fp16." in path.name or "lightning" in path.name
    if half:
        tensors = {name: value.half() if value.is_floating_point() else value for name, value in tensors.items()}
    save_file({name: value.contiguous() for name, value in tensors.items()}, path, metadata={"format": "pt"})


def _write_text(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _turn_into_link(file: Path, blobs: Path) -> None:
    blob = blobs / hashlib.sha256(file.read_bytes()).hexdigest()
    file.replace(blob)
    file.symlink_to(blob)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the folder to fill; point HF_HUB_CACHE at it")
    fill_hub_cache(parser.parse_args().folder)
