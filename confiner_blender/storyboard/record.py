# SPDX-License-Identifier: GPL-3.0-or-later
"""What a take's folder tells: the settings it was made with, how many frames it has, whether they still hold.

`take.json` is written last; a folder without one is a take under way, or one that was cut short.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..protocol.messages import ShotRequest
from .request import shot_request
from .shot import Shot

RECORD = "take.json"
REQUEST = "request.json"
"""What was asked for, written by the add-on when it asks: the settings of a take that was cut short."""

COMPARED = ("prompt", "negative_prompt", "num_frames", "width", "height", "seed", "fps", "rule", "freedom", "chain")
_WORDS = {"num_frames": "length", "negative_prompt": "negative prompt", "fps": "clip rate", "width": "size"}


@dataclass(frozen=True)
class TakeState:
    """What lies in a take's folder."""

    frames: frozenset[int]
    whole: bool


def settings_of(folder: Path) -> dict[str, Any] | None:
    """The request a take was made from, by the names of the protocol; None if the folder does not tell.

    `take.json` (the library's record) is asked first, then the add-on's own note of what it asked for.
    """
    for name in (RECORD, REQUEST):
        try:
            value = json.loads((folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        request = value.get("request") if isinstance(value, dict) else None
        if isinstance(request, dict):
            chain = value.get("chain")
            name_of_chain = chain.get("name") if isinstance(chain, dict) else None
            return {**request, **({"chain": name_of_chain} if name_of_chain else {})}
    return None


def changed_since(shot: Shot, settings: dict[str, Any]) -> list[str]:
    """What differs between `shot` as it stands and the `settings` of a take, in words for the panel."""
    now = shot_request(shot)
    differing = [name for name in COMPARED if name in settings and settings[name] != getattr(now, name)]
    words = [_WORDS.get(name, name) for name in differing if name != "height"]
    if "height" in differing and "width" not in differing:
        words.append("size")
    return words


def request_text(request: ShotRequest) -> str:
    """The content of the add-on's own note."""
    fields = {name: getattr(request, name) for name in (*COMPARED, "control_steps", "refine_steps")}
    return json.dumps({"request": fields}, indent=1, ensure_ascii=False)
