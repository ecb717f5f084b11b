# SPDX-License-Identifier: GPL-3.0-or-later
"""The chains as a panel lists them."""

from __future__ import annotations

from confiner.chains import ChainSpec

from confiner_blender.protocol.messages import ChainInfo


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
