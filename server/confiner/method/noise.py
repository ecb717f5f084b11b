# SPDX-License-Identifier: GPL-3.0-or-later
"""Noise by name: every draw is a function of the root seed and of what it is for, and of nothing else.

So neither batch sizes, nor window order, nor an interruption changes a draw. Each frame has a stream of its own:
numpy's Philox on the host in float32, keyed by a hash of the seed and the draw's name. (`torch.Generator` keeps
32 bits of a seed on the CPU, and `torch.randn` differs between instruction sets.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class NoiseSource:
    """All the randomness of one clip."""

    seed: int

    def frame(self, shape: tuple[int, int, int], *name: str | int) -> torch.Tensor:
        """Standard normal noise `[channels, height, width]` called `name`, float32 on the CPU."""
        return torch.from_numpy(self._stream(name).standard_normal(shape, dtype=np.float32))

    def frames(self, shape: tuple[int, int, int], frames: Iterable[int], *name: str | int) -> torch.Tensor:
        """Noise of several frames, `[1, channels, frames, height, width]`: each is called `name` and its number."""
        return torch.stack([self.frame(shape, *name, frame) for frame in frames], dim=1).unsqueeze(0)

    def order(self, length: int, *name: str | int) -> list[int]:
        """A permutation of 0 … length−1 called `name`."""
        return [int(index) for index in self._stream(name).permutation(length)]

    def _stream(self, name: tuple[str | int, ...]) -> np.random.Generator:
        text = "\x1f".join(map(str, (self.seed, *name)))
        key = hashlib.blake2b(text.encode(), digest_size=16, person=b"confiner").digest()
        return np.random.Generator(np.random.Philox(key=int.from_bytes(key, "little")))
