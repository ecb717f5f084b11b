# SPDX-License-Identifier: GPL-3.0-or-later
"""What is loaded, each part once: what two experts or two chains have in common is there only one time.

An image network inside a motion network counts as common too: both are built of the very same layers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, AutoencoderTiny, MotionAdapter, UNet2DConditionModel, UNetMotionModel
from safetensors.torch import load_file
from transformers import CLIPTextModel, CLIPTokenizer
from transformers.utils import logging as transformers_logging

from ..errors import ChainError
from ..memory.choice import Offload
from ..memory.offloading import ModelOffloading, layers, offload_groups
from ..weights.located import LocatedWeights, variant
from .single_file import read_part


@dataclass
class ModuleCache:
    """Loaded parts by class and content, all in one precision, for one device; `offload` says how weights rest there.

    The autoencoder stays on the device where layers take turns: it is small, and called in other ways than the rest.
    """

    device: torch.device
    dtype: torch.dtype
    parts: dict[tuple[str, str], Any] = field(default_factory=dict)
    chains: dict[Any, Any] = field(default_factory=dict)
    """Whole chains made of these parts, for those who swap back and forth."""
    offload: Offload = "none"

    def __post_init__(self) -> None:
        self._turns = ModelOffloading(self.device)

    def take(self, kind: Any, part: LocatedWeights) -> Any:
        """The part as a `kind`."""
        return self.made((kind.__name__, part.digest), lambda: self._loaded(kind, part.path))

    def take_motion_network(self, unet: LocatedWeights, adapter: LocatedWeights) -> tuple[Any, str]:
        """An image network with a motion adapter's modules in it, sharing the image network's tensors; and its hash."""
        image = self.take(UNet2DConditionModel, unet)
        digest = hashlib.sha256(f"{unet.digest} {adapter.digest}".encode()).hexdigest()
        key = (UNetMotionModel.__name__, digest)
        network = self.made(key, lambda: self._settled(_motion_network(image, _motion_adapter(adapter.path, image))))
        return network, digest

    def made(self, key: tuple[str, str], make: Callable[[], Any]) -> Any:
        """What stands on the cache under `key`, made now if it was not there."""
        if key not in self.parts:
            with torch.no_grad():
                self.parts[key] = make()
        return self.parts[key]

    def keep(self, digests: Collection[str]) -> None:
        """Let go of every part whose content is not among `digests`."""
        self.parts = {key: part for key, part in self.parts.items() if key[1] in digests}
        self.chains.clear()

    def _loaded(self, kind: Any, path: Path) -> Any:
        if kind is CLIPTokenizer:
            return kind.from_pretrained(path)
        if path.is_file():
            return self._settled(read_part(kind, path, self.dtype))
        dtype = {"dtype" if kind is CLIPTextModel else "torch_dtype": self.dtype}
        with _without_progress_bars():
            return self._settled(kind.from_pretrained(path, use_safetensors=True, variant=variant(path), **dtype))

    def _settled(self, part: Any) -> Any:
        part.requires_grad_(False).eval()
        if isinstance(part, AutoencoderTiny):  # a few megabytes, asked at every step
            part.to(self.device)
        elif self.offload == "model":
            self._turns.join(part)
        elif self.offload == "group" and not isinstance(part, AutoencoderKL):
            offload_groups(part, self.device)
        else:
            part.to(self.device)
        return part


def _motion_adapter(path: Path, image: UNet2DConditionModel) -> MotionAdapter:
    """A motion adapter from a folder, or from one .safetensors file, which has AnimateDiff's shape for `image`."""
    dtype = image.dtype
    if path.is_dir():
        return MotionAdapter.from_pretrained(path, use_safetensors=True, variant=variant(path), torch_dtype=dtype)
    with torch.device("meta"):
        adapter = MotionAdapter(block_out_channels=tuple(image.config.block_out_channels))
    try:
        adapter.load_state_dict({name: each.to(dtype) for name, each in load_file(path).items()}, assign=True)
    except RuntimeError as error:
        raise ChainError(
            f"{path.name} with other tensors than a motion adapter's for this image network",
            "a file of AnimateDiff's motion modules under diffusers' names",
            "name the file that ends in _diffusers.safetensors",
        ) from error
    return adapter


def _motion_network(image: UNet2DConditionModel, adapter: MotionAdapter) -> UNetMotionModel:
    with torch.device("meta"):
        network = UNetMotionModel.from_unet2d(image, adapter, load_weights=False)
    network.load_state_dict(image.state_dict() | adapter.state_dict(), assign=True)
    of_image = set(layers(image))
    for name, layer in image.named_modules():
        if layer in of_image:
            parent, _, own = name.rpartition(".")
            setattr(network.get_submodule(parent), own, layer)
    return network


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
