# SPDX-License-Identifier: GPL-3.0-or-later
"""How many bytes of tensors are alive while something is computed: counted as they come and go, on any device."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class LiveTensors(TorchDispatchMode):
    """Counts the storages of tensors that are made inside, each once however many views it has.

    `peak` is the most bytes that were alive at once, `held` those alive now. Storages that were there before (weights)
    are not counted.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.held = self.peak = 0
        self._views: dict[int, int] = {}
        self._known: dict[int, None] = {}

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = {self._key(each) for each in tree_leaves((args, kwargs)) if isinstance(each, torch.Tensor)}
        given -= self._views.keys()
        result = function(*args, **(kwargs or {}))
        for each in tree_leaves(result):
            if isinstance(each, torch.Tensor) and self._key(each) not in given:
                self._count(each)
        return result

    def _count(self, tensor: torch.Tensor) -> None:
        if id(tensor) in self._known:
            return
        key, size = self._key(tensor), tensor.untyped_storage().nbytes()
        if key not in self._views:
            self._views[key] = 0
            self.held += size
            self.peak = max(self.peak, self.held)
        self._views[key] += 1
        self._known[id(tensor)] = None
        weakref.finalize(tensor, self._forget, id(tensor), key, size)

    def _forget(self, tensor: int, key: int, size: int) -> None:
        del self._known[tensor]
        self._views[key] -= 1
        if not self._views[key]:
            del self._views[key]
            self.held -= size

    @staticmethod
    def _key(tensor: torch.Tensor) -> int:
        return int(tensor.untyped_storage()._cdata)


def distinct_bytes(modules: Iterable[torch.nn.Module]) -> int:
    """Bytes of all parameters and buffers of `modules`, shared ones once."""
    tensors = [tensor for module in modules for tensor in (*module.parameters(), *module.buffers())]
    return sum({tensor.untyped_storage()._cdata: tensor.untyped_storage().nbytes() for tensor in tensors}.values())
