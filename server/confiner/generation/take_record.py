# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of a take: all that is needed to make it again, and to tell whether it is still the same."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt

from ..loading.chain import Chain
from .plan import Plan
from .request import ClipRequest
from .unread import unread_words

FORMAT = "confiner-take-1"
_PACKAGES = ("torch", "diffusers", "transformers", "numpy")


def take_record(
    request: ClipRequest, chain: Chain, plan: Plan, frame_hashes: Sequence[str] = (), *, kept: int | None = None
) -> dict[str, Any]:
    """What `take.json` holds, as JSON values; `frame_hashes` are the frames' own, in order, if they are known.

    A part of a clip that was cut short is a take too: it has the whole clip's request, since frames look ahead, and of
    its frames the first `kept`. What the experts left unread of its prompts is said under `unread`, if anything is.
    """
    unread = unread_words(request, chain, plan)
    return {
        "format": FORMAT,
        "request": request.settings(),
        "request_digest": request.digest(),
        "structure": request.structure_hash(),
        "chain": {"name": chain.spec.name, "title": chain.spec.title, "licence": chain.spec.licence},
        "weights": dict(plan.weights),
        "plan": plan.to_json(),
        "frames": list(frame_hashes),
        **({} if kept is None else {"kept": kept}),
        **({"unread": list(unread)} if unread else {}),
        "versions": {
            "python": platform.python_version(),
            "machine": platform.machine(),
            **{package: version(package) for package in _PACKAGES},
        },
    }


def frame_hash(frame: npt.NDArray[np.uint8]) -> str:
    """A frame's name in a take's record: SHA-256 of its pixels, whatever file they are kept in."""
    return hashlib.sha256(np.ascontiguousarray(frame).tobytes()).hexdigest()
