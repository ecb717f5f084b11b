# SPDX-License-Identifier: GPL-3.0-or-later
"""How a chain is fitted into the memory that is there: precision, what rests elsewhere, how frames are decoded.

`choose` is a pure function of the machine and the chain's sizes. Precision and decoding change floats, so they are part
of a plan; where weights rest while others work changes none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import psutil
import torch

from .units import gigabytes

Offload = Literal["none", "model", "group"]

BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}
GROUP_SHARE = 8
"""With group offload, at most about this part of the largest network is on the device at once."""
TILE_SHARE = 4
"""A tile has half the sides of the largest frame, so a quarter of its pixels."""


@dataclass(frozen=True)
class Machine:
    """A kind of device ("cpu", "cuda", "mps") and the bytes of memory that can be had on it."""

    kind: str
    memory: int

    @property
    def budget(self) -> float:
        """Bytes to plan with: less what drivers and other programs take, which on a Mac share the memory."""
        return {"cuda": 0.92, "mps": 0.7}.get(self.kind, 0.9) * self.memory - 5e8


@dataclass(frozen=True)
class Sizes:
    """A chain in numbers, not in bytes: the weights of all its parts (shared ones once), of the largest network, and
    the values that are alive while that one runs once and while one frame is decoded."""

    weights: int
    largest: int
    activation: int
    decode_frame: int


@dataclass(frozen=True)
class MemoryChoice:
    """`decode_frames` frames pass through the autoencoder together (its slicing), in tiles with `vae_tiling`."""

    dtype: str
    offload: Offload
    decode_frames: int
    vae_tiling: bool = False

    def __str__(self) -> str:
        words = [self.dtype, _OFFLOAD_WORDS[self.offload]]
        words.append(f"{self.decode_frames} frames decoded together" if self.decode_frames > 1 else "frames one by one")
        return ", ".join([*words, *(["in tiles"] if self.vae_tiling else [])])

    def bytes_needed(self, sizes: Sizes) -> int:
        """The most that is on the device at once."""
        each = BYTES[self.dtype]
        decoding = sizes.decode_frame * self.decode_frames // (TILE_SHARE if self.vae_tiling else 1)
        if self.offload == "none":
            return (sizes.weights + max(sizes.activation, decoding)) * each
        resident = sizes.largest if self.offload == "model" else sizes.largest // GROUP_SHARE
        return max(resident + sizes.activation, decoding) * each


_OFFLOAD_WORDS = {
    "none": "all weights stay on the device",
    "model": "networks take turns on the device",
    "group": "layers take turns on the device",
}

_LADDERS: dict[str, tuple[MemoryChoice, ...]] = {
    "cuda": (
        *(MemoryChoice("float16", "none", frames) for frames in (8, 4, 1)),
        *(MemoryChoice("float16", "model", frames) for frames in (8, 4, 1)),
        *(MemoryChoice("float16", "group", frames) for frames in (4, 1)),
        MemoryChoice("float16", "group", 1, vae_tiling=True),
    ),
    "mps": (
        *(MemoryChoice("float16", "none", frames) for frames in (8, 4, 1)),
        MemoryChoice("float16", "none", 1, vae_tiling=True),
    ),
    "cpu": (
        *(MemoryChoice("float32", "none", frames) for frames in (4, 1)),
        *(MemoryChoice("bfloat16", "none", frames) for frames in (4, 1)),
        MemoryChoice("bfloat16", "none", 1, vae_tiling=True),
    ),
}
"""By kind of device, from the fastest to what needs least. On a CPU, and on a Mac, there is no other place to rest."""


def roomy(kind: str, dtype: str) -> MemoryChoice:
    """What is taken on a device of this kind where memory is no question."""
    return MemoryChoice(dtype, "none", _LADDERS.get(kind, _LADDERS["cuda"])[0].decode_frames)


def choose(
    machine: Machine,
    sizes: Sizes,
    *,
    like: MemoryChoice | None = None,
    below: MemoryChoice | None = None,
    dtype: str | None = None,
) -> MemoryChoice:
    """The fastest choice that fits, or the one that needs least where none does.

    `like` fixes everything that changes floats, as a plan that is replayed does; `below` is one that was tried and did
    not suffice. `dtype` is one that somebody asked for, whatever it costs.
    """
    ladder = _ladder(machine.kind, dtype)
    if below in ladder:
        ladder = ladder[ladder.index(below) + 1 :] or ladder[-1:]
    if like is not None:
        offloads = dict.fromkeys(choice.offload for choice in ladder)
        ladder = tuple(MemoryChoice(like.dtype, each, like.decode_frames, like.vae_tiling) for each in offloads)
    return next((choice for choice in ladder if choice.bytes_needed(sizes) <= machine.budget), ladder[-1])


def _ladder(kind: str, dtype: str | None = None) -> tuple[MemoryChoice, ...]:
    """What there is to choose from on a kind of device, all in one `dtype` if one is named."""
    ladder = _LADDERS.get(kind, _LADDERS["cuda"])
    return ladder if dtype is None else tuple(dict.fromkeys(replace(choice, dtype=dtype) for choice in ladder))


def of_plan(plan: dict[str, Any]) -> MemoryChoice:
    """What a plan, as JSON values, fixes of precision and decoding; where weights rest is not a plan's to say."""
    return MemoryChoice(plan["dtype"], "none", plan["decode_frames"], plan.get("vae_tiling", False))


def cheaper(kind: str, choice: MemoryChoice) -> MemoryChoice | None:
    """The next choice that needs less on a device of this kind, None if there is none."""
    usual = _ladder(kind)
    ladder = usual if choice in usual else _ladder(kind, choice.dtype)
    place = ladder.index(choice) + 1 if choice in ladder else len(ladder)
    return ladder[place] if place < len(ladder) else None


def explain(machine: Machine, sizes: Sizes, choice: MemoryChoice) -> str:
    """The choice as the log and `confiner doctor` state it."""
    needed = choice.bytes_needed(sizes)
    fits = "" if needed <= machine.budget else "; this may not suffice"
    return f"{choice} (about {gigabytes(needed)} needed, {gigabytes(machine.memory)} there{fits})"


def machine_with(device: torch.device) -> Machine:
    """The machine as it is now, with what other programs have taken."""
    return Machine(device.type, available_memory(device))


def available_memory(device: torch.device) -> int:
    """Bytes that can still be had on `device`; a Mac's GPU shares the machine's."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)
