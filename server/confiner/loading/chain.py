# SPDX-License-Identifier: GPL-3.0-or-later
"""Load a chain: find its parts on this machine, load equal parts once, and check that they fit together."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from diffusers import AutoencoderKL, AutoencoderTiny
from transformers import CLIPTextModel, CLIPTokenizer

from ..chains import ChainSpec, ExpertSpec, WeightSource
from ..chains.compatibility import check_chain, check_expert
from ..chains.expert_kinds import EXPERT_KINDS
from ..chains.scheduler_file import scheduler_disagreements
from ..errors import ConfinerError
from ..experts.expert import Expert
from ..experts.latent_space import LatentSpace
from ..experts.preview import fit_preview, usable_decoder
from ..experts.text_encoder import TextEncoder
from ..memory.choice import MemoryChoice, roomy
from ..weights.located import LocatedWeights, locate_weights
from .module_cache import ModuleCache

log = logging.getLogger(__name__)


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
    cache: ModuleCache
    memory: MemoryChoice
    preview_decoder: Any = None

    @property
    def device(self) -> torch.device:
        return self.cache.device

    @property
    def dtype(self) -> torch.dtype:
        return self.cache.dtype

    @property
    def experts(self) -> dict[str, Expert]:
        return {"control": self.control, "spatial": self.spatial, "temporal": self.temporal}

    def at(self, control_steps: int) -> Chain:
        """The chain with the control expert for this many steps, where it was distilled for each number apart."""
        wanted = self.spec.control.at(control_steps)
        if wanted == self.control.spec:
            return self
        control, hashes = _load_expert(
            wanted, self.cache, {place: locate_weights(place) for place in wanted.parts.values()}
        )
        return replace(self, control=control, weights=self.weights | _by_role("control", hashes))


def load_chain(
    spec: ChainSpec,
    *,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
    cache: ModuleCache | None = None,
    memory: MemoryChoice | None = None,
) -> Chain:
    """Load every part of `spec`; a `cache` kept between calls lets chains share what they have in common.

    `memory` says how it is fitted into memory, `dtype` included; without it, everything stays on the device.
    Raises WeightsMissing if a part is not on this machine, WeightsDamaged if its file holds no weights, ChainError if
    the parts do not fit together, NotFinite if the autoencoder does not encode.
    """
    place = torch.device(device) if cache is None else cache.device
    memory = memory or roomy(place.type, str(cache.dtype if cache else dtype).removeprefix("torch."))
    cache = cache or ModuleCache(place, getattr(torch, memory.dtype), offload=memory.offload)
    parts = _held_parts(spec)
    kept = (spec, memory, frozenset(parts.items()))
    if kept not in cache.chains:
        cache.chains[kept] = _loaded(spec, cache, memory, parts)
    chain: Chain = cache.chains[kept]
    return chain


def _held_parts(spec: ChainSpec) -> dict[WeightSource, LocatedWeights]:
    """What this machine holds of the chain now, without what is missing."""
    places = (*spec.sources, *((spec.preview,) if spec.preview is not None else ()))
    sound = [(place, place.folder()) for place in places if place.damage() is None]
    return {place: LocatedWeights.at(path) for place, path in sound if path is not None}


def _loaded(
    spec: ChainSpec, cache: ModuleCache, memory: MemoryChoice, parts: dict[WeightSource, LocatedWeights]
) -> Chain:
    check_chain(spec)
    vae = parts[spec.vae]
    space, weights = LatentSpace(cache.take(AutoencoderKL, vae)), {"vae": vae.digest}
    experts = {}
    for role, expert_spec in spec.experts.items():
        _report_disagreements(role, expert_spec)
        experts[role], hashes = _load_expert(expert_spec.at(spec.control_steps), cache, parts)
        weights |= _by_role(role, hashes)
        unet, text = experts[role].unet.config, experts[role].text.model.config.to_dict()
        check_expert(spec, role, unet=unet, text=text, vae=space.vae.config)
    return Chain(
        spec=spec,
        space=space,
        weights=weights,
        preview_map=cache.made(("preview", vae.digest), partial(fit_preview, space)),
        cache=cache,
        memory=memory,
        preview_decoder=_preview_decoder(spec, cache, parts),
        **experts,
    )


def _preview_decoder(spec: ChainSpec, cache: ModuleCache, parts: dict[WeightSource, LocatedWeights]) -> Any:
    """The small decoder for previews, None where it is not on this machine or is of no use."""
    if spec.preview is None or spec.preview.folder() is None:
        return None
    try:
        if (damage := spec.damage_at(spec.preview)) is not None:
            raise damage
        return usable_decoder(cache.take(AutoencoderTiny, parts[spec.preview]))
    except ConfinerError as error:
        log.warning("previews are drawn without %s: %s", spec.preview, error)
        return None


def _by_role(role: str, hashes: dict[str, str]) -> dict[str, str]:
    return {f"{role}.{part}": digest for part, digest in hashes.items()}


def _report_disagreements(role: str, spec: ExpertSpec) -> None:
    """The schedule in the chain file is used, whatever a scheduler file in the repository says; but not silently."""
    for clause in scheduler_disagreements(spec):
        log.warning("the %s expert: %s; the chain file holds", role, clause)


def _load_expert(
    spec: ExpertSpec, cache: ModuleCache, parts: dict[WeightSource, LocatedWeights]
) -> tuple[Expert, dict[str, str]]:
    kind = EXPERT_KINDS.find(spec.kind)
    hashes = {name: parts[place].digest for name, place in spec.parts.items()}
    if spec.motion_adapter is None:
        unet = cache.take(kind.network_class(), parts[spec.unet])
    else:
        unet, hashes["unet"] = cache.take_motion_network(parts[spec.unet], parts[spec.motion_adapter])
        del hashes["motion_adapter"]
    encoder = cache.take(CLIPTextModel, parts[spec.text_encoder])
    tokenizer = cache.take(CLIPTokenizer, parts[spec.tokenizer])
    expert: Expert = kind.adapter_class()(spec, unet, TextEncoder(tokenizer, encoder))
    return expert, hashes
