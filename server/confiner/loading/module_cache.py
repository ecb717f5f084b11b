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
from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers import CLIPTextModel, CLIPTokenizer
from transformers.utils import logging as transformers_logging

from ..chains.tensor_file import damage, variant
from ..errors import ChainError, ConfinerError
from ..memory.choice import Offload
from ..memory.offloading import ModelOffloading, layers, offload_groups
from ..memory.out_of_memory import is_out_of_memory
from ..weights.located import LocatedWeights
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
            with _loading_told(kind, path):
                return kind.from_pretrained(path)
        if path.is_file():
            return self._settled(read_part(kind, path, self.dtype))
        return self._settled(_from_folder(kind, path, self.dtype))

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


def _from_folder(kind: Any, path: Path, dtype: torch.dtype) -> Any:
    """A network from a folder in diffusers' layout; ChainError unless the folder has a tensor for each of its own."""
    named = {"dtype" if kind is CLIPTextModel else "torch_dtype": dtype}
    with _loading_told(kind, path), _without_progress_bars():
        network, told = kind.from_pretrained(
            path, use_safetensors=True, variant=variant(path), output_loading_info=True, **named
        )
        if lacking := sorted(told["missing_keys"]):
            raise ValueError(f"{len(lacking)} tensors are not in it, such as {lacking[0]}")
    return network


@contextmanager
def _loading_told(kind: Any, path: Path) -> Iterator[None]:
    """Let whatever goes wrong with the files at `path` be a ChainError that names them."""
    if (damaged := damage(path) if path.is_file() or kind is not CLIPTokenizer else None) is not None:
        raise damaged
    try:
        yield
    except Exception as error:
        if isinstance(error, ConfinerError) or is_out_of_memory(error):
            raise
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ChainError(
            f"{path} cannot be loaded as a {kind.__name__} ({first:.200})",
            "the files of one, as its publisher has them",
            "download the folder again, or name another one in the chain file",
        ) from error


def _motion_adapter(path: Path, image: UNet2DConditionModel) -> MotionAdapter:
    """A motion adapter from a folder, or from one .safetensors file, which has AnimateDiff's shape for `image`."""
    dtype = image.dtype
    if path.is_dir():
        return _from_folder(MotionAdapter, path, dtype)
    with torch.device("meta"):
        adapter = MotionAdapter(block_out_channels=tuple(image.config.block_out_channels))
    if (damaged := damage(path)) is not None:
        raise damaged
    try:
        adapter.load_state_dict({name: each.to(dtype) for name, each in load_file(path).items()}, assign=True)
    except (RuntimeError, SafetensorError) as error:
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
