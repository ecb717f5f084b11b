# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the parts of a chain fit together, found out from their configurations before any weights are read.

A misfit is explained with the line of the chain file that leads to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..errors import ChainError, WeightsDamaged, WeightsMissing
from .expert_kinds import EXPERT_KINDS
from .scheduler_file import read_scheduler
from .spec import ChainSpec, ExpertSpec
from .weight_source import WeightSource

Config = Mapping[str, Any]


def check_chain(spec: ChainSpec) -> None:
    """Raise WeightsMissing, WeightsDamaged or another ChainError if the chain cannot be loaded as it is written.

    What a configuration does not say (a one-file checkpoint has none) is left to `check_expert` after loading.
    """
    try:
        _check_parts(spec)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ChainError(
            f"the configurations of {spec.name!r} hold what cannot be understood ({error})",
            "those of its publishers",
            "download its folders again, or name others in the chain file",
        ) from error


def _check_parts(spec: ChainSpec) -> None:
    _check_there(spec, spec.vae, "vae")
    vae = configuration(spec.vae)
    _check_preview(spec, vae)
    for role, expert in spec.experts.items():
        expert = expert.at(spec.control_steps)
        for part, place in expert.parts.items():
            _check_there(spec, place, role, part)
        unet = configuration(expert.unet)
        if expert.motion_adapter is not None:
            unet = {**unet, **configuration(expert.motion_adapter), "_class_name": unet.get("_class_name")}
        check_expert(spec, role, unet=unet, text=configuration(expert.text_encoder), vae=vae)
        _check_prediction(spec, role, expert)


def check_expert(spec: ChainSpec, role: str, *, unet: Config, text: Config, vae: Config) -> None:
    """Raise ChainError if an expert does not fit its chain, by the configurations of its networks."""
    expert = spec.experts[role]
    named, wanted = unet.get("_class_name"), EXPERT_KINDS.find(expert.kind).network_names
    if named is not None and named not in wanted:
        raise _misfit(spec, (role, "unet"), f"a {named} as the network", f"a {wanted[0]} for kind = {expert.kind!r}")
    channels, space = unet.get("in_channels"), vae.get("latent_channels")
    if _differ(channels, space):
        seen = f"a network for {channels} latent channels"
        raise _misfit(spec, (role, "unet"), seen, f"{space}, as the autoencoder has")
    reads, gives = unet.get("cross_attention_dim"), text.get("hidden_size")
    if _differ(reads, gives):
        expected = f"{reads}, which the network was trained to read"
        raise _misfit(spec, (role, "text_encoder"), f"a text encoder of width {gives}", expected)
    longest = unet.get("motion_max_seq_length")
    if longest is not None and expert.frames > longest:
        expected = f"at most {longest}, as its motion modules were trained"
        raise _misfit(spec, (role, "frames"), f"frames = {expert.frames}", expected)
    if "block_out_channels" in vae:
        factor = 2 ** (len(vae["block_out_channels"]) - 1)
        for width, height in spec.sizes:
            if width % factor or height % factor:
                raise _misfit(spec, ("sizes",), f"a size of {width}×{height}", f"multiples of {factor}")


def _check_there(spec: ChainSpec, place: WeightSource, *path: str) -> None:
    where = spec.where(*path)
    if (damage := spec.damage_at(place)) is not None:
        raise WeightsDamaged(f"{where}: {damage.seen}", damage.expected, damage.remedy)
    if place.folder() is not None:
        return
    if pickled := place.pickled():
        raise WeightsMissing(
            f"{where}: {pickled.name}, a pickled file, which can carry code",
            "safetensors",
            f"convert it once, if you trust where it comes from: confiner convert {pickled}",
        )
    here = "put them there, or name another place in the chain file"
    remedy = here if place.repository() is None else f"download them: confiner fetch {spec.name}"
    raise WeightsMissing(f"{where}: no {place} on this machine", "the chain's weights", remedy)


def _check_preview(spec: ChainSpec, vae: Config) -> None:
    """A preview decoder that is not there or damaged is done without; one for other latents would draw nonsense."""
    if spec.preview is None or spec.preview.folder() is None or spec.preview.damage() is not None:
        return
    reads, space = configuration(spec.preview).get("latent_channels"), vae.get("latent_channels")
    if _differ(reads, space):
        raise _misfit(spec, ("preview",), f"a preview decoder for {reads} latent channels", f"{space}, as vae has")


def _check_prediction(spec: ChainSpec, role: str, expert: ExpertSpec) -> None:
    """A wrong prediction type gives noise, so here the repository's word counts against the chain file's."""
    written = read_scheduler(expert).get("prediction_type")
    trained = expert.schedule.prediction_type
    if written is not None and written != trained:
        path = (role, "schedule", "prediction_type")
        raise _misfit(spec, path, f"prediction_type {trained!r}", f"{written!r}, as the expert's repository says")


def _misfit(spec: ChainSpec, path: tuple[str, ...], seen: str, expected: str) -> ChainError:
    return ChainError(f"{spec.where(*path)}: {seen}", expected, "correct the chain file, or name other parts in it")


def _differ(one: Any, other: Any) -> bool:
    """Whether two configurations contradict each other; what one does not say, it does not contradict."""
    return one is not None and other is not None and one != other


def configuration(place: WeightSource) -> Config:
    """The `config.json` of a part; empty for a part that is one file. ChainError if it cannot be read."""
    folder = place.folder()
    if folder is None or folder.is_file():
        return {}
    file = folder / "config.json"
    try:
        held = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ChainError(f"{file}: {error}", "the configuration of a network", "download the folder again") from error
    return held if isinstance(held, dict) else {}
