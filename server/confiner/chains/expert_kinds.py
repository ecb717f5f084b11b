# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of expert that a chain can name: one record each, which reading, checking, planning and loading all use.

To add a kind here: an adapter class beside `confiner.experts.expert.Expert`, and its record in `BUILT_IN`. A package of
its own adds one by an entry point in the group `confiner.experts` (see `confiner.registry`). Classes are named by
`"module:Class"` and imported when an expert of the kind is loaded, so that what only reads chains starts quickly.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from ..registry import Registry


@dataclass(frozen=True)
class ExpertKind:
    """One kind of expert, `kind = "…"` in a chain file.

    `adapter` is an `Expert` subclass that calls the network, `network` a diffusers model class; folders whose
    `config.json` names `network` or one of `also_reads` are taken. `text_per_frame` is whether the network reads a text
    for every frame, or one for all frames that it sees together. `values_alive` is how many values it holds at once per
    frame and latent pixel while it runs, where its first level has `width` channels: count them with
    `confiner bench memory`.
    """

    name: str
    adapter: str
    network: str
    text_per_frame: bool
    values_alive: int
    width: int = 320
    also_reads: tuple[str, ...] = ()

    @property
    def network_names(self) -> tuple[str, ...]:
        """The class names under which a `config.json` may present the network; the kind's own is the first."""
        return self.network.partition(":")[2], *self.also_reads

    def adapter_class(self) -> Any:
        """The class that adapts the network; imports it, and torch with it."""
        return _imported(self.adapter)

    def network_class(self) -> Any:
        """The network's class; imports it, and torch with it."""
        return _imported(self.network)


def _imported(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


BUILT_IN = (
    ExpertKind(
        "animatediff",
        "confiner.experts.animatediff:AnimateDiffExpert",
        "diffusers:UNetMotionModel",
        text_per_frame=True,
        values_alive=8321,
        also_reads=("UNet2DConditionModel",),  # a motion adapter's layers are put into it
    ),
    ExpertKind(
        "stable-diffusion",
        "confiner.experts.stable_diffusion:StableDiffusionExpert",
        "diffusers:UNet2DConditionModel",
        text_per_frame=True,
        values_alive=8321,
    ),
    ExpertKind(
        "modelscope",
        "confiner.experts.modelscope:ModelScopeExpert",
        "diffusers:UNet3DConditionModel",
        text_per_frame=False,
        values_alive=10640,
    ),
    ExpertKind(
        "lavie",
        "confiner.experts.lavie:LaVieExpert",
        "confiner.experts.lavie_unet:LaVieUNet",
        text_per_frame=False,
        values_alive=8745,
    ),
)
EXPERT_KINDS = Registry(ExpertKind, "confiner.experts", BUILT_IN)
"""Every kind there is."""
