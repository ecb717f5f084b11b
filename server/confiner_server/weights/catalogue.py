# SPDX-License-Identifier: GPL-3.0-or-later
"""The chains, their weights and the refinement rules as a panel lists them."""

from __future__ import annotations

import zlib
from collections.abc import Collection

from confiner.chains import ChainSpec
from confiner.chains.repositories import Part, download_size, hub_parts, step_parts
from confiner.method.rules import RULES

from confiner_blender.protocol.messages import ChainInfo, RuleInfo
from confiner_blender.protocol.weights import ChainWeights, WeightsPart


def chain_info(spec: ChainSpec) -> ChainInfo:
    return ChainInfo(
        name=spec.name,
        title=spec.title,
        description=spec.description,
        licence=spec.licence,
        sizes=[[width, height] for width, height in spec.sizes],
        fps=spec.fps,
        max_frames=spec.max_frames,
        negative_prompt=spec.negative_prompt,
        default_freedom=spec.freedom,
        default_structure_freedom=spec.structure_freedom,
        words=list(spec.words),
        missing=spec.missing,
    )


def rule_infos() -> list[RuleInfo]:
    """Every rule: the library's numbered by place in its list, which only grows, others by a hash of their name."""
    own = [rule.name for rule in RULES.own]
    return [
        RuleInfo(
            rule.name,
            rule.label,
            rule.description,
            own.index(rule.name) if rule.name in own else 0x4000_0000 | zlib.crc32(rule.name.encode()) & 0x3FFF_FFFF,
        )
        for rule in RULES
    ]


def chain_weights(spec: ChainSpec, accepted: Collection[str]) -> ChainWeights:
    """What the chain takes from the hub; `accepted` are the repositories whose terms the user has accepted."""
    return ChainWeights(
        spec.name,
        download_size(spec),
        [_part(part, accepted) for part in hub_parts(spec)],
        [_part(part, accepted, steps) for steps, part in step_parts(spec).items()],
    )


def _part(part: Part, accepted: Collection[str], steps: int = 0) -> WeightsPart:
    repository = part.repository
    return WeightsPart(
        repository=repository.name,
        inside=part.inside,
        there=part.there,
        size=repository.size(part.inside),
        licence=repository.licence,
        terms=repository.terms,
        accepted=not repository.terms or repository.name in accepted,
        pickled="" if part.there else part.pickled,
        steps=steps,
    )
