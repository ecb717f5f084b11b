# SPDX-License-Identifier: GPL-3.0-or-later
"""What is loaded in the worker, and how it is fitted into the memory that is there."""

from __future__ import annotations

import gc
import logging
from typing import Any

import torch
from confiner.chains import ChainSpec
from confiner.chains.compatibility import check_chain
from confiner.errors import NotFinite
from confiner.loading.chain import Chain, load_chain
from confiner.loading.module_cache import ModuleCache
from confiner.memory.choice import MemoryChoice, Sizes, cheaper, choose, explain, machine_with, of_plan
from confiner.memory.estimate import chain_sizes
from confiner.memory.out_of_memory import out_of_memory, smaller_clip
from confiner.weights.located import content_hash, path_of

from confiner_blender.protocol.messages import Problem, ShotRequest
from confiner_server.problems import problem_for

from .memory_use import memory_in_use

log = logging.getLogger(__name__)

PRECISE = "float32"


class Residence:
    """The chain of the last job, and parts of earlier ones as long as there is room for them.

    The machine is judged once, before anything is loaded. A choice that did not suffice is remembered by chain, and the
    next try takes one that needs less; a chain that gave no number in half precision is then computed in single.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._machine = machine_with(device)
        self._shelf: ModuleCache | None = None
        self._chain: Chain | None = None
        self._failed: dict[str, MemoryChoice] = {}
        self._precise: set[str] = set()
        self._tried: MemoryChoice | None = None

    def load(self, spec: ChainSpec, plan: dict[str, Any] | None) -> Chain:
        """The chain, loaded anew only where it differs; `plan`, if there is one, holds what must not change."""
        check_chain(spec)
        sizes = chain_sizes(spec)
        like = None if plan is None else of_plan(plan)
        dtype = PRECISE if spec.name in self._precise and like is None else None
        choice = choose(self._machine, sizes, like=like, below=self._failed.get(spec.name), dtype=dtype)
        self._tried = choice
        if self._chain is not None and self._chain.spec == spec and self._chain.memory == choice:
            return self._chain
        log.info("%s on %s: %s", spec.name, self.device, explain(self._machine, sizes, choice))
        self._chain = None
        cache = self._room_for(spec, sizes, choice)
        self._chain = load_chain(spec, cache=cache, memory=choice)
        return self._chain

    def exhausted(self, request: ShotRequest, spec: ChainSpec) -> Problem:
        """Memory ran out: let go of everything, and say what the next try will do with less."""
        choice = self._chain.memory if self._chain is not None else None
        following = cheaper(self._machine.kind, choice) if choice is not None else None
        self._shelf = self._chain = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        remedy = smaller_clip(spec, request.width, request.height)
        if choice is not None and following is not None:
            self._failed[spec.name] = choice
            remedy = f"generate it again, now with less memory ({following}); or {remedy}"
        size = request.num_frames, request.width, request.height
        return problem_for(out_of_memory(str(self.device), *size, remedy))

    def overflowed(self, error: NotFinite, spec: ChainSpec) -> Problem:
        """Numbers were none: in half precision, say that the next take is made in single."""
        if self._tried is not None and self._tried.dtype != PRECISE:
            self._precise.add(spec.name)
            remedy = f"generate the shot again, as a new take: it is then made in {PRECISE}; or else {error.remedy}"
            error = NotFinite(error.seen, error.expected, remedy)
        return problem_for(error)

    def memory_in_use(self) -> dict[str, int]:
        return memory_in_use(self.device, self._modules())

    def _room_for(self, spec: ChainSpec, sizes: Sizes, choice: MemoryChoice) -> ModuleCache:
        """The cache, without what other chains left on it if that would not fit beside the new one."""
        dtype = getattr(torch, choice.dtype)
        if self._shelf is None or (self._shelf.dtype, self._shelf.offload) != (dtype, choice.offload):
            self._shelf = ModuleCache(self.device, dtype, offload=choice.offload)
        held = self.memory_in_use()["weights"]
        if choice.offload == "none" and held + choice.bytes_needed(sizes) > self._machine.budget:
            self._shelf.keep({content_hash(path_of(place)) for place in spec.sources})
        return self._shelf

    def _modules(self) -> list[torch.nn.Module]:
        parts = self._shelf.parts.values() if self._shelf is not None else ()
        return [part for part in parts if isinstance(part, torch.nn.Module)]
