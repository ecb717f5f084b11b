# SPDX-License-Identifier: GPL-3.0-or-later
"""What a take's folder tells: the settings it was made with, how many frames it has, whether they still hold.

`take.json` is written last; a folder without one is a take under way, or one that was cut short. What is finished of
that can be kept as a take of its own: its record lies ready in `part.json`.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ..protocol import codec
from ..protocol.errors import MalformedMessage
from ..protocol.messages import ShotRequest
from .job_ledger import Entry
from .shot_request import shot_request
from .shot_values import Shot

RECORD = "take.json"
PART = "part.json"
REQUEST = "request.json"
"""What was asked for, written by the add-on when it asks: the settings of a take that was cut short, to go on with."""

UNREAD = "unread"
"""Under this name a record has what the experts left unread of its prompts."""

_WORDS = {
    "prompt": "prompt",
    "negative_prompt": "negative prompt",
    "num_frames": "length",
    "width": "size",
    "height": "size",
    "seed": "seed",
    "fps": "clip rate",
    "rule": "rule",
    "freedom": "freedom",
    "control_steps": "control steps",
    "refine_steps": "refinement steps",
    "chain": "chain",
}
"""What is compared, and how it is called in the panel."""


@dataclass(frozen=True)
class TakeState:
    """What lies in a take's folder."""

    frames: frozenset[int]
    whole: bool


def settings_of(folder: Path) -> dict[str, Any] | None:
    """The request a take was made from, by the names of the protocol; None if the folder does not tell.

    `take.json` (the library's record) is asked first, then the add-on's own note of what it asked for. Of a part that
    was kept `num_frames` is what it has, as `kept` says too.
    """
    for name in (RECORD, REQUEST):
        value = _read(folder / name)
        if isinstance(request := value.get("request"), dict):
            chain = value.get("chain")
            name_of_chain = chain.get("name") if isinstance(chain, dict) else None
            kept = {"num_frames": value["kept"], "kept": value["kept"]} if "kept" in value else {}
            return {**request, **kept, **({"chain": name_of_chain} if name_of_chain else {})}
    return None


def unread_in(take: dict[str, Any]) -> tuple[str, ...]:
    """What the experts left unread of the prompts, in the sidecar's sentences, as the record of a take says."""
    told = take.get(UNREAD)
    return tuple(each for each in told if isinstance(each, str)) if isinstance(told, list) else ()


def unread_of(folder: Path) -> tuple[str, ...]:
    """The same of the take, or the part of one, that lies in `folder`; nothing if it does not tell."""
    return next((told for name in (RECORD, PART) if (told := unread_in(_read(folder / name)))), ())


def request_of(folder: Path) -> ShotRequest | None:
    """What was asked for, to ask for it again; None if the folder does not tell."""
    try:
        return cast(ShotRequest, codec.build(ShotRequest, _read(folder / REQUEST).get("request"), REQUEST))
    except MalformedMessage:
        return None


def part_of(folder: Path, frames: frozenset[int]) -> dict[str, Any] | None:
    """The record of what is finished of a take that was cut short, as far as its `frames` lie there without a gap.

    None if nothing does, or if the sidecar has not told yet.
    """
    part = _read(folder / PART)
    hashes = part.get("frames")
    if not isinstance(hashes, list):
        return None
    kept = next((frame for frame in range(len(hashes)) if frame not in frames), len(hashes))
    return {**part, "frames": hashes[:kept], "kept": kept} if kept else None


def _read(path: Path) -> dict[str, Any]:
    """The object in a file; {} if there is none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def changed_since(shot: Shot, settings: dict[str, Any]) -> list[str]:
    """What differs between `shot` as it stands and the `settings` of a take, in words for the panel."""
    now = dataclasses.asdict(shot_request(shot))
    differing = [word for name, word in _WORDS.items() if name in settings and settings[name] != now[name]]
    words = list(dict.fromkeys(differing))
    later = [stretch for stretch in settings.get("stretches", []) if stretch["start"] < settings["num_frames"]]
    if later != now["stretches"]:
        words.append("later prompts")
    elif later and settings["crossover"] != now["crossover"]:
        words.append("cross-over")
    return words


def same_prompts(shot: Shot, settings: dict[str, Any]) -> bool:
    """Whether `shot` as it stands has the prompts, and the experts that read them, of a take's `settings`."""
    return not {"prompt", "negative prompt", "later prompts", "chain"} & set(changed_since(shot, settings))


def request_text(request: ShotRequest, entry: Entry) -> str:
    """The content of the add-on's own note: what is asked for, and which take it is for."""
    return json.dumps(
        {"request": dataclasses.asdict(request), "take": dataclasses.asdict(entry)}, indent=1, ensure_ascii=False
    )


def entry_of(folder: Path) -> Entry | None:
    """Which take the folder was made for, as it was asked for; None if it does not tell, as those of older versions."""
    try:
        return cast(Entry, codec.build(Entry, _read(folder / REQUEST).get("take"), REQUEST))
    except MalformedMessage:
        return None
