# SPDX-License-Identifier: GPL-3.0-or-later
"""Load a chain: find its parts on this machine, load equal parts once, and check that they fit together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, MotionAdapter, UNet2DConditionModel, UNet3DConditionModel, UNetMotionModel
from safetensors.torch import load_file
from transformers import CLIPTextModel, CLIPTokenizer
from transformers.utils import logging as transformers_logging

from .chains import ChainSpec, ExpertSpec, Place
from .errors import ChainError, WeightsMissing
from .experts.animatediff import AnimateDiffExpert
from .experts.base import Expert
from .experts.lavie import LaVieExpert
from .experts.lavie_unet import LaVieUNet
from .experts.modelscope import ModelScopeExpert
from .experts.stable_diffusion import StableDiffusionExpert
from .experts.text import TextEncoder
from .latents import LatentSpace
from .preview import fit_preview

_EXPERTS: dict[str, tuple[type[Expert], Any]] = {
    "animatediff": (AnimateDiffExpert, UNetMotionModel),
    "stable-diffusion": (StableDiffusionExpert, UNet2DConditionModel),
    "modelscope": (ModelScopeExpert, UNet3DConditionModel),
    "lavie": (LaVieExpert, LaVieUNet),
}


@dataclass(frozen=True, eq=False)
class Chain:
    """Three loaded experts over one latent space. `weights` maps each part to the hash of its files."""

    spec: ChainSpec
    control: Expert
    spatial: Expert
    temporal: Expert
    space: LatentSpace
    weights: dict[str, str]
    preview_map: torch.Tensor
    device: torch.device
    dtype: torch.dtype

    @property
    def experts(self) -> dict[str, Expert]:
        return {"control": self.control, "spatial": self.spatial, "temporal": self.temporal}


@dataclass
class Shelf:
    """Parts that are loaded, by class and content: what two experts or two chains share is there once."""

    device: torch.device
    dtype: torch.dtype
    parts: dict[tuple[str, str], Any] = field(default_factory=dict)

    def take(self, kind: Any, place: Place) -> tuple[Any, str]:
        """The part at `place` as a `kind`, and its content's hash."""
        folder = found(place)
        digest = content_hash(folder)
        key = (kind.__name__, digest)
        if key not in self.parts:
            self.parts[key] = self._loaded(kind, folder)
        return self.parts[key], digest

    def take_motion_network(self, unet: Place, adapter: Place) -> tuple[Any, str]:
        """An image network with a motion adapter's modules in it."""
        image, image_hash = self.take(UNet2DConditionModel, unet)
        folder = found(adapter)
        digest = hashlib.sha256(f"{image_hash} {content_hash(folder)}".encode()).hexdigest()
        key = (UNetMotionModel.__name__, digest)
        if key not in self.parts:
            self.parts[key] = self._settled(_motion_network(image, folder))
        return self.parts[key], digest

    def _loaded(self, kind: Any, folder: Path) -> Any:
        with _without_progress_bars():
            if kind is CLIPTokenizer:
                return kind.from_pretrained(folder)
            dtype = {"dtype" if kind is CLIPTextModel else "torch_dtype": self.dtype}
            return self._settled(kind.from_pretrained(folder, use_safetensors=True, **dtype))

    def _settled(self, part: Any) -> Any:
        return part.requires_grad_(False).eval().to(self.device)


def load_chain(
    spec: ChainSpec,
    *,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
    shelf: Shelf | None = None,
) -> Chain:
    """Load every part of `spec`; a `shelf` kept between calls lets chains share what they have in common.

    Raises WeightsMissing if a part is not on this machine, ChainError if the parts do not fit together.
    """
    shelf = shelf or Shelf(torch.device(device), dtype)
    vae, digest = shelf.take(AutoencoderKL, spec.vae)
    space, weights = LatentSpace(vae), {"vae": digest}
    experts = {}
    for role, expert_spec in spec.experts.items():
        experts[role], hashes = _load_expert(expert_spec, shelf)
        weights |= {f"{role}.{part}": digest for part, digest in hashes.items()}
        _check_fit(spec, role, experts[role], space)
    with torch.no_grad():
        preview_map = fit_preview(space)
    return Chain(
        spec=spec,
        space=space,
        weights=weights,
        preview_map=preview_map,
        device=shelf.device,
        dtype=shelf.dtype,
        **experts,
    )


def _load_expert(spec: ExpertSpec, shelf: Shelf) -> tuple[Expert, dict[str, str]]:
    adapter, network = _EXPERTS[spec.kind]
    if spec.motion_adapter is None:
        unet, unet_hash = shelf.take(network, spec.unet)
    else:
        unet, unet_hash = shelf.take_motion_network(spec.unet, spec.motion_adapter)
    encoder, encoder_hash = shelf.take(CLIPTextModel, spec.text_encoder)
    tokenizer, tokenizer_hash = shelf.take(CLIPTokenizer, spec.tokenizer)
    hashes = {"unet": unet_hash, "text_encoder": encoder_hash, "tokenizer": tokenizer_hash}
    return adapter(spec, unet, TextEncoder(tokenizer, encoder)), hashes


def _motion_network(image: UNet2DConditionModel, adapter: Path) -> UNetMotionModel:
    """An image network with the adapter of a folder, or of one .safetensors file of AnimateDiff's own sizes."""
    if adapter.is_dir():
        motion = MotionAdapter.from_pretrained(adapter, use_safetensors=True)
    else:
        motion = MotionAdapter()
        motion.load_state_dict(load_file(adapter))
    return UNetMotionModel.from_unet2d(image, motion).to(image.dtype)


def _check_fit(spec: ChainSpec, role: str, expert: Expert, space: LatentSpace) -> None:
    config, where = expert.unet.config, f"the {role} expert of {spec.name!r}"
    remedy = "name experts of one family in the chain file"
    if config.in_channels != space.channels:
        raise ChainError(
            f"{where} takes {config.in_channels} latent channels", f"the autoencoder's {space.channels}", remedy
        )
    width = expert.text.model.config.hidden_size
    if config.cross_attention_dim != width:
        raise ChainError(f"{where} reads texts of width {config.cross_attention_dim}", f"its encoder's {width}", remedy)
    longest = getattr(config, "motion_max_seq_length", None)
    if longest is not None and expert.spec.frames > longest:
        raise ChainError(f"{where} with frames = {expert.spec.frames}", f"at most {longest}", "correct the chain file")
    for width, height in spec.sizes:
        if width % space.factor or height % space.factor:
            raise ChainError(
                f"{spec.name!r} with a size of {width}×{height}", f"multiples of {space.factor}", "correct sizes"
            )


@contextmanager
def _without_progress_bars() -> Iterator[None]:
    """transformers draws a bar for every model it reads, however small."""
    shown = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            transformers_logging.enable_progress_bar()


def found(place: Place) -> Path:
    """The place's folder or file, or WeightsMissing."""
    folder = place.folder()
    if folder is None:
        raise WeightsMissing(
            f"no {place} on this machine", "the chain's weights", "download them, or choose another chain"
        )
    return folder


def content_hash(path: Path) -> str:
    """SHA-256 of a file, or of a folder's files (not their names' order on disk, nor anything hidden)."""
    digest = hashlib.sha256()
    files = (
        [path] if path.is_file() else sorted(file for file in path.iterdir() if file.is_file() and file.name[0] != ".")
    )
    for file in files:
        digest.update(f"{file.name}\0{file.stat().st_size}\0".encode())
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
