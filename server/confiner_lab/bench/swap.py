# SPDX-License-Identifier: GPL-3.0-or-later
"""What swapping the spatial expert of a loaded chain costs, beside loading that expert alone."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from confiner.chains import ChainSpec
from confiner.loading.chain import load_chain
from confiner.loading.module_cache import ModuleCache
from confiner.weights.located import locate_weights
from diffusers import UNet2DConditionModel

from .stand_in import middling_chains, restyled

MARKS = {"swap": 1.1, "swap_back": 0.05}
"""At most this much of loading the expert alone."""


def measure_swaps(rounds: int) -> dict[str, Any]:
    """By chain: seconds of loading alone, swapping and swapping back, and how they compare.

    Each is the fastest of `rounds`: whatever else the machine does only ever adds to it.
    """
    with middling_chains() as chains:
        return {"marks": MARKS, "chains": {name: _measured(spec, rounds) for name, spec in chains.items()}}


def _measured(spec: ChainSpec, rounds: int) -> dict[str, Any]:
    other = restyled(spec)
    times: dict[str, list[float]] = {"alone": [], "swap": [], "swap_back": []}
    cache = ModuleCache(torch.device("cpu"), torch.float32)
    load_chain(spec, cache=cache)
    kept, whole = dict(cache.parts), dict(cache.chains)
    for _ in range(rounds):
        alone = ModuleCache(torch.device("cpu"), torch.float32)
        times["alone"].append(_seconds(partial(_take_spatial, other, alone)))
        del alone
        gc.collect()
        times["swap"].append(_seconds(partial(load_chain, other, cache=cache)))
        times["swap_back"].append(_seconds(partial(load_chain, spec, cache=cache)))
        cache.parts, cache.chains = dict(kept), dict(whole)
        gc.collect()
    fastest = {name: min(each) for name, each in times.items()}
    return {"seconds": fastest, "ratio": {name: fastest[name] / fastest["alone"] for name in MARKS}, "rounds": times}


def _take_spatial(spec: ChainSpec, cache: ModuleCache) -> None:
    cache.take(UNet2DConditionModel, locate_weights(spec.spatial.unet))


def _seconds(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def swap_table(found: dict[str, Any]) -> str:
    """The result for people."""
    lines = [f"{'':24}{'alone':>9}{'swap':>9}{'back':>9}   seconds; relative to loading the spatial expert alone"]
    for name, each in found["chains"].items():
        seconds, ratio = each["seconds"], each["ratio"]
        times = "".join(f"{seconds[what]:9.3f}" for what in ("alone", "swap", "swap_back"))
        lines.append(f"{name:24}{times}   swap {ratio['swap']:.2f}, back {ratio['swap_back']:.3f}")
    return "\n".join([*lines, f"marks: swap at most {MARKS['swap']}, back at most {MARKS['swap_back']}"])
